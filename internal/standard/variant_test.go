package standard

import (
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func withVariants() Input {
	in := plain()
	in.Stack.Variants = []delivery.Variant{
		{Name: "bank", Labels: map[string]string{"tier": "bank"}, Runtime: delivery.Runtime{Base: "bank:1", Port: 9090}},
		{Name: "debug", Branch: "*+debug", Build: delivery.VariantBuild{
			Env:    map[string]string{"CFLAGS": "-g"},
			Output: "debug",
			Steps:  []delivery.StepChange{{Name: "build", Run: "make debug\n"}, {Name: "scan", Run: "make scan\n", After: "build"}},
		}},
	}
	return in
}

func TestVariants(t *testing.T) {
	for name, tc := range map[string]struct {
		branch string
		labels map[string]string
		want   string
	}{
		"none":                  {"dev", nil, ""},
		"by branch":             {"dev+debug", nil, "debug, as branch dev+debug fits *+debug"},
		"by label":              {"dev", map[string]string{"tier": "bank"}, "bank, as the app's label tier is bank"},
		"the branch goes first": {"x+debug", map[string]string{"tier": "bank"}, "debug, as branch x+debug fits *+debug"},
		"another value":         {"dev", map[string]string{"tier": "front"}, ""},
	} {
		in := withVariants()
		in.Commit.Branch, in.App.Labels = tc.branch, tc.labels
		p := mustPlan(t, in)
		got := ""
		if p.Variant != "" {
			got = p.Variant + ", as " + p.VariantWhy
		}
		if got != tc.want || tc.want != "" && !slices.Contains(Explain(p), "variant  "+tc.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestVariantDiffers(t *testing.T) {
	in := withVariants()
	in.Commit.Branch = "dev+debug"
	p := mustPlan(t, in)
	text := strings.Join(Explain(p), "\n")
	for _, want := range []string{
		"   make debug\n", `   CFLAGS="-g"`, "3. scan", "ADD debug/ /home/services/", "its run: Stack plain: variant debug", "Stack plain: variant debug: added here",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan does not say %q:\n%s", want, text)
		}
	}
	in.Commit.Branch = "dev"
	plainly := mustPlan(t, in)
	if plainly.Digest == p.Digest || plainly.Image.Base != "base:1" || plainly.Image.Source != "start_env" {
		t.Errorf("the stack itself has changed: %+v", plainly.Image)
	}
	in.App.Labels = map[string]string{"tier": "bank"}
	if bank := mustPlan(t, in); bank.Image.Base != "bank:1" || bank.Image.Port != 9090 || bank.Image.Start != "exec ./app\n" {
		t.Errorf("%+v", bank.Image)
	}
}

func TestPackagePlan(t *testing.T) {
	in := plain()
	in.App.Artifact = delivery.ArtifactPackage
	p := mustPlan(t, in)
	last := p.Steps[len(p.Steps)-1]
	if last.Kind != delivery.StepPublish || p.Image.Artifact != delivery.ArtifactPackage || p.Image.Base != "" || p.Image.Dockerfile != "" || p.Image.Home == "" {
		t.Errorf("last step %+v, artifact %+v", last, p.Image)
	}
	text := strings.Join(Explain(p), "\n")
	if !strings.Contains(text, "artifact: App shop") || !strings.Contains(text, "package shop: what is in start_env/, to run in /home/services") {
		t.Errorf("the plan says\n%s", text)
	}
	in.Stack.Runtime.Base, in.Stack.Runtime.Artifact, in.App.Artifact = "", delivery.ArtifactPackage, ""
	if p := mustPlan(t, in); p.Image == nil || p.Image.Artifact != delivery.ArtifactPackage {
		t.Error("a stack without a base makes no package")
	}
}

// What runs is what was built, whatever became of the Stack.
func TestRevisionOfAnArtifact(t *testing.T) {
	in := plain()
	a := delivery.Artifact{App: "shop", Digest: "sha256:a", Runtime: &delivery.ArtifactRuntime{Home: "/srv", Port: 7, Logs: "x/*"}}
	c := Revision(a, in.App, in.Stack, in.Environment).Config
	if c.Home != "/srv" || c.Port != 7 || c.Logs != "x/*" {
		t.Errorf("%+v", c)
	}
	a.Runtime = nil
	if c := Revision(a, in.App, in.Stack, in.Environment).Config; c.Port != 8080 {
		t.Errorf("%+v", c)
	}
}
