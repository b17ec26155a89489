package standard

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const manifestsTimeout = 2 * time.Minute

// manifestFolders are the folders with the App's own manifests, of all Environments: an
// artifact that is made for one may be released to another one. Only a build with
// sources and an artifact has any.
func manifestFolders(in Input) []delivery.ManifestFolder {
	if in.Stack.Build.Checkout == delivery.CheckoutNone || imagePlan(in) == nil {
		return nil
	}
	needed := ""
	if in.Environment.Cluster != "" {
		needed = in.Environment.Name
	}
	var list []delivery.ManifestFolder
	for _, env := range slices.Sorted(maps.Keys(in.App.Environments)) {
		if path := in.App.Environments[env].Workload.Manifests.Path; path != "" {
			f := delivery.ManifestFolder{Env: env, Path: path}
			if env == needed {
				f.Needed, needed = env, ""
			}
			list = append(list, f)
		}
	}
	if path := in.App.Workload.Manifests.Path; path != "" {
		list = append(list, delivery.ManifestFolder{Env: delivery.AnyEnvironment, Path: path, Needed: needed})
	}
	return list
}

func manifestStep(app string) delivery.PlanStep {
	return delivery.PlanStep{
		Name: string(delivery.StepManifests), Kind: delivery.StepManifests, Timeout: delivery.Duration(manifestsTimeout),
		Why: fmt.Sprintf("App %s: workload.manifests", app),
	}
}

// manifests are the App's own for the Environment. One machine has no use for them.
func manifests(a delivery.Artifact, env delivery.Environment) string {
	if env.Cluster == "" {
		return ""
	}
	return a.ManifestsFor(env.Name)
}

// LacksManifests tells whether the App has manifests of its own for the Environment and
// the artifact none: it was built before the App said so.
func LacksManifests(a delivery.Artifact, app delivery.App, env delivery.Environment) bool {
	own := app.Workload.Under(app.Environments[env.Name].Workload)
	return env.Cluster != "" && own.Manifests.Path != "" && a.ManifestsFor(env.Name) == ""
}
