package catalog

import (
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

const maxReplicas = 1000

func checkApp(name string, a delivery.App, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckAppName(name))
	}
	if a.Team != "" {
		bad.err("spec.team", delivery.CheckLabel("a team", a.Team))
	}
	bad.repo("spec.repo", a.Repo)
	if a.Path != "" {
		bad.relative("spec.path", a.Path)
	}
	for i, w := range a.Watch {
		bad.relative(fmt.Sprintf("spec.watch[%d]", i), w)
	}
	if len(a.Watch) > 0 && a.Path == "" {
		bad("spec.watch", "watch has no effect without path: every change of the repository concerns the app")
	}
	bad.artifact("spec.artifact", a.Artifact)
	if p := a.Health.Path; p != "" && p != "tcp" && (!strings.HasPrefix(p, "/") || strings.ContainsAny(p, " \r\n\t")) {
		bad("spec.health.path", fmt.Sprintf(`%q is not a health check: write a path like /healthz, or "tcp"`, clip(p)))
	}
	bad.labels("spec.labels", a.Labels)
	bad.resources("spec.build.resources", a.Build.Resources)
	for env, e := range a.Environments {
		checkAppEnvironment(env, e, bad)
	}
	checkWorkloads(a, bad)
}

func checkAppEnvironment(env string, e delivery.AppEnvironment, bad report) {
	path := join("spec.environments", env)
	bad.err(keyOf("spec.environments", env), delivery.CheckLabel("an environment", env))
	bad.variables(path+".variables", e.Variables)
	bad.resources(path+".build.resources", e.Build.Resources)
	bad.within(path+".replicas", e.Replicas, 0, maxReplicas)
	bad.within(path+".listen", e.Listen, 0, 65535)
	if e.Strategy != nil {
		bad.strategy(path+".strategy", *e.Strategy)
	}
}
