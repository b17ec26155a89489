package standard

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func bringing(path string, own map[string]string) delivery.App {
	app := delivery.App{Name: "shop", Stack: "go-1.26", Workload: delivery.Workload{Manifests: delivery.ManifestSource{Path: path}}}
	app.Environments = map[string]delivery.AppEnvironment{}
	for env, path := range own {
		app.Environments[env] = delivery.AppEnvironment{Workload: delivery.Workload{Manifests: delivery.ManifestSource{Path: path}}}
	}
	return app
}

func TestManifestsAreReadForAllEnvironments(t *testing.T) {
	cluster := delivery.Environment{Name: "prod", Cluster: "east", Namespace: "prod"}
	for name, c := range map[string]struct {
		app  delivery.App
		env  delivery.Environment
		want []delivery.ManifestFolder
	}{
		"none":        {bringing("", nil), cluster, nil},
		"one for all": {bringing("deploy", nil), cluster, []delivery.ManifestFolder{{Path: "deploy", Needed: "prod"}}},
		"its own": {
			bringing("deploy", map[string]string{"prod": "live", "pre": "try"}), cluster,
			[]delivery.ManifestFolder{{Env: "pre", Path: "try"}, {Env: "prod", Path: "live", Needed: "prod"}, {Path: "deploy"}},
		},
		"another's own": {bringing("", map[string]string{"pre": "try"}), cluster, []delivery.ManifestFolder{{Env: "pre", Path: "try"}}},
		"one machine":   {bringing("deploy/${env}", nil), delivery.Environment{Name: "dev"}, []delivery.ManifestFolder{{Path: "deploy/${env}"}}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Plan(Input{App: c.app, Stack: builtins(t).Stacks["go-1.26"], Environment: c.env})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, p.Manifests); diff != "" {
				t.Errorf("folders (-want +got):\n%s", diff)
			}
			i := slices.IndexFunc(p.Steps, func(s delivery.PlanStep) bool { return s.Kind == delivery.StepManifests })
			if (i >= 0) != (len(c.want) > 0) {
				t.Errorf("the steps are %+v", p.Steps)
			}
		})
	}
}

// The step waits for what may make the manifests, and holds up nobody.
func TestManifestsAreReadBesideTheImage(t *testing.T) {
	p, err := Plan(Input{App: bringing("deploy", nil), Stack: builtins(t).Stacks["go-1.26"], Environment: delivery.Environment{Name: "prod"}})
	if err != nil {
		t.Fatal(err)
	}
	last := p.Steps[len(p.Steps)-2:]
	if last[0].Kind != delivery.StepManifests || last[1].Kind != delivery.StepImage || !slices.Equal(last[0].Needs, last[1].Needs) {
		t.Errorf("the last steps are %+v", last)
	}
}

func TestRevisionHasTheManifestsOfItsEnvironment(t *testing.T) {
	stack := builtins(t).Stacks["go-1.26"]
	a := delivery.Artifact{App: "shop", Digest: "sha256:1", Manifests: map[string]string{"": "all", "prod": "live"}}
	app := bringing("deploy", nil)
	for name, c := range map[string]struct {
		env  delivery.Environment
		want string
	}{
		"its own": {delivery.Environment{Name: "prod", Cluster: "east"}, "live"},
		"any":     {delivery.Environment{Name: "pre", Cluster: "east"}, "all"},
		"machine": {delivery.Environment{Name: "prod"}, ""},
	} {
		r := Revision(a, app, stack, c.env)
		if r.Config.Manifests != c.want || r.Config.Workload != nil {
			t.Errorf("%s: %q, %+v", name, r.Config.Manifests, r.Config.Workload)
		}
	}
	east := delivery.Environment{Name: "pre", Cluster: "east"}
	if LacksManifests(a, app, east) || !LacksManifests(delivery.Artifact{}, app, east) || LacksManifests(delivery.Artifact{}, bringing("", nil), east) {
		t.Error("what is missing is not told from what is not asked for")
	}
}
