package standard

import (
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Every built-in Stack has a base with what it needs as soon as an Environment is in a
// Cluster, whichever Environment is built for, and the plan says why.
func TestBasesOfBuiltinStacks(t *testing.T) {
	for name, want := range map[string]string{
		"go-1.26":          "docker.io/library/alpine:3.22",
		"go-1.22":          "docker.io/library/alpine:3.22",
		"java-17":          "docker.io/library/eclipse-temurin:17-jre",
		"java-8":           "docker.io/library/eclipse-temurin:8-jre",
		"nodejs-20":        "docker.io/library/node:20-slim",
		"nodejs-18":        "docker.io/library/node:18-slim",
		"nodejs-20-static": "docker.io/library/alpine:3.22",
		"php-8.2":          "docker.io/library/php:8.2-fpm",
		"php-7.4":          "docker.io/library/php:7.4-fpm",
	} {
		in := input(t, name)
		if p := mustPlan(t, in); p.Image.Base != "{registry}/shiplock/base:1" || strings.Contains(p.Image.Why, "Cluster") {
			t.Errorf("%s without a cluster: %+v", name, p.Image)
		}
		in.Clustered = delivery.Environment{Name: "prod", Cluster: "east"}
		p := mustPlan(t, in)
		if p.Image.Base != want || !strings.Contains(p.Image.Why, "clusterBase, as Environment prod is in Cluster east") {
			t.Errorf("%s: %s, as %s", name, p.Image.Base, p.Image.Why)
		}
		serves := strings.Contains(p.Image.Start, ".shiplock/web")
		if adds := strings.Contains(p.Image.Dockerfile, "\nCOPY --from={registry}/shiplock/serve:1 / /\n"); adds != serves {
			t.Errorf("%s has shiplock-web: %v, and starts it: %v", name, adds, serves)
		}
	}
	for name := range builtins(t).Stacks {
		if builtins(t).Stacks[name].Runtime.ClusterBase == "" {
			t.Errorf("%s has no base for clusters", name)
		}
	}
}

// A variant's base is for clusters too, unless it says otherwise.
func TestVariantBaseInACluster(t *testing.T) {
	in := input(t, "java-17")
	in.Clustered = delivery.Environment{Name: "prod", Cluster: "east"}
	in.Stack.Variants = []delivery.Variant{{Name: "bank", Branch: "*", Runtime: delivery.Runtime{Base: "bank:1"}}}
	if p := mustPlan(t, in); p.Image.Base != "bank:1" {
		t.Errorf("the base is %s", p.Image.Base)
	}
	in.Stack.Variants[0].Runtime = delivery.Runtime{ClusterBase: "bank:2"}
	if p := mustPlan(t, in); p.Image.Base != "bank:2" {
		t.Errorf("the base is %s", p.Image.Base)
	}
}

func TestWhatRunsInACluster(t *testing.T) {
	stack := builtins(t).Stacks["java-17"]
	machine, cluster := delivery.Environment{Name: "dev"}, delivery.Environment{Name: "prod", Cluster: "east"}
	on := func(base string) delivery.Artifact {
		return delivery.Artifact{App: "shop", RunNumber: 7, Kind: delivery.ArtifactImage, Runtime: &delivery.ArtifactRuntime{Base: base}}
	}
	pack := delivery.Artifact{App: "shop", RunNumber: 7, Kind: delivery.ArtifactPackage}
	for name, tc := range map[string]struct {
		artifact delivery.Artifact
		env      delivery.Environment
		want     string // part of the refusal; "" is none
	}{
		"for a cluster":           {on(stack.Runtime.ClusterBase), cluster, ""},
		"for a cluster, on one":   {on(stack.Runtime.ClusterBase), machine, ""},
		"for one":                 {on(stack.Runtime.Base), machine, ""},
		"for one, in a cluster":   {on(stack.Runtime.Base), cluster, "shop#7 was built on {registry}/shiplock/base:1"},
		"on a base of before":     {on("docker.io/library/eclipse-temurin:11-jre"), cluster, ""},
		"from before it was kept": {delivery.Artifact{App: "shop"}, cluster, ""},
		"a package":               {pack, machine, ""},
		"a package, in a cluster": {pack, cluster, "shop#7 is a package, and prod is in the cluster east"},
	} {
		err := Runs(tc.artifact, stack, tc.env)
		if tc.want == "" && err != nil || tc.want != "" && (delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	in := input(t, "java-17")
	in.App.Artifact, in.Environment = delivery.ArtifactPackage, cluster
	if _, err := Plan(in); delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), "prod is in the cluster east") {
		t.Errorf("a build of a package for a cluster: %v", err)
	}
}
