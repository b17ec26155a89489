package standard

import (
	"maps"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	healthTimeout = 30 * time.Second
	healthPath    = "/"
)

// Revision joins an artifact with the configuration that the App has in the
// Environment. Every default is written out, so that a later default changes no
// stored revision.
func Revision(a delivery.Artifact, app delivery.App, stack delivery.Stack, env delivery.Environment) delivery.Revision {
	own := app.Environments[env.Name]
	health := app.Health
	if health.Path == "" {
		health.Path = healthPath
	}
	health.Timeout = delivery.Duration(health.Timeout.Or(healthTimeout))
	run := delivery.ArtifactRuntime{Home: home(stack), Port: stack.Runtime.Port, Logs: stack.Runtime.Logs}
	if a.Runtime != nil { // what was built knows best, whatever became of its Stack
		run = *a.Runtime
	}
	return delivery.NewRevision(a, env.Name, delivery.Config{
		Variables: variables(env, own),
		Home:      run.Home,
		Port:      run.Port,
		Health:    health,
		Replicas:  max(own.Replicas, 1),
		Logs:      run.Logs,
		Listen:    own.Listen,
	})
}

// variables lays the App's own over the environment's.
func variables(env delivery.Environment, own delivery.AppEnvironment) map[string]string {
	if len(env.Variables)+len(own.Variables) == 0 {
		return nil
	}
	all := make(map[string]string, len(env.Variables)+len(own.Variables))
	maps.Copy(all, env.Variables)
	maps.Copy(all, own.Variables)
	return all
}

// Strategy is how a release of the App reaches full traffic in the Environment: the
// App's own way, or else the environment's.
func Strategy(app delivery.App, env delivery.Environment) delivery.Strategy {
	if own := app.Environments[env.Name].Strategy; own != nil {
		return *own
	}
	return env.Strategy
}
