package standard

import (
	"cmp"
	"fmt"
	"maps"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	healthTimeout = 30 * time.Second
	healthPath    = "/"

	cpuTarget        = 70 // percent
	preDeployTimeout = 10 * time.Minute
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
		Workload:  workload(app, env, run.Port),
		Manifests: manifests(a, env),
	})
}

// Runs refuses an artifact that cannot run where the Environment is: Invalid, with what
// to do.
func Runs(a delivery.Artifact, stack delivery.Stack, env delivery.Environment) error {
	if env.Cluster == "" {
		return nil
	}
	switch base := stack.Runtime.Base; {
	case a.Kind == delivery.ArtifactPackage:
		return delivery.E(delivery.Invalid, fmt.Sprintf("%s#%d is a package, and %s is in the cluster %s, which runs images: write `artifact: image` into the App or its Stack and build it again, or release it to an environment of one machine",
			a.App, a.RunNumber, env.Name, env.Cluster))
	case a.Runtime != nil && a.Runtime.Base != "" && a.Runtime.Base == base && stack.Runtime.ClusterBase != "":
		return delivery.E(delivery.Invalid, fmt.Sprintf("%s#%d was built on %s when no environment was in a cluster, and that has not what it needs in %s: build its commit again, which takes %s",
			a.App, a.RunNumber, base, env.Name, stack.Runtime.ClusterBase))
	}
	return nil
}

// workload lays the App's wishes for the Environment over its common ones. Where nothing is
// wished for it is nil; of one machine only the command before a release can be asked.
func workload(app delivery.App, env delivery.Environment, port int) *delivery.Workload {
	own := app.Environments[env.Name]
	w := app.Workload.Under(own.Workload)
	w.Manifests = delivery.ManifestSource{} // the Revision has what is there
	if env.Cluster == "" {
		w = delivery.Workload{PreDeploy: w.PreDeploy}
	}
	if !w.Says() {
		return nil
	}
	if w.PreDeploy.Run != "" {
		w.PreDeploy.Timeout = delivery.Duration(w.PreDeploy.Timeout.Or(preDeployTimeout))
	}
	if env.Cluster == "" {
		return &w
	}
	w.Grace = delivery.Duration(w.Grace.Or(delivery.DefaultGrace))
	if s := &w.Autoscale; s.Max > 0 {
		s.Min = min(cmp.Or(s.Min, max(own.Replicas, 1)), s.Max)
		s.CPU = cmp.Or(s.CPU, cpuTarget)
	}
	if w.Ingress.Host != "" {
		w.Ingress.Path = cmp.Or(w.Ingress.Path, "/")
	}
	if m := &w.Metrics; *m != (delivery.Metrics{}) {
		m.Port, m.Path = cmp.Or(m.Port, port), cmp.Or(m.Path, "/metrics")
	}
	w.Security.RunAsUser = cmp.Or(w.Security.RunAsUser, delivery.DefaultUser)
	return &w
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
