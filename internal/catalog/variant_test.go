package catalog

import (
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestBranchesMeet(t *testing.T) {
	for _, tc := range []struct {
		a, b, want string
		ok         bool
	}{
		{"dev", "dev", "dev", true},
		{"dev", "test", "", false},
		{"*+debug", "release*", "release+debug", true},
		{"*+debug", "*+arm", "", false},
		{"*a", "b*", "ba", true},
		{"*", "", "", true},
		{"a*b*c", "axc", "", false},
		{"a*c", "*b*", "abc", true},
	} {
		got, ok := delivery.BranchesMeet(tc.a, tc.b)
		if got != tc.want || ok != tc.ok || ok && !(delivery.MatchBranch(tc.a, got) && delivery.MatchBranch(tc.b, got)) {
			t.Errorf("%q and %q meet in %q: %v", tc.a, tc.b, got, ok)
		}
	}
}

func TestVariantsAreChecked(t *testing.T) {
	const head = "apiVersion: shiplock/v1\nkind: Stack\nmetadata: {name: s}\nspec:\n  language: c\n  build: {steps: [{name: build, run: make}]}\n  runtime: {base: b}\n  variants:\n"
	for name, tc := range map[string]struct{ yaml, want string }{
		"good":         {"    - {name: a, branch: '*+a'}\n    - {name: b, branch: '*+b', build: {steps: [{name: scan, run: x, after: build}]}}\n", ""},
		"unchosen":     {"    - {name: a}\n", "9:7: nothing chooses this variant"},
		"twice":        {"    - {name: a, branch: a}\n    - {name: a, branch: b}\n", `another variant has the name "a" already`},
		"ambiguous":    {"    - {name: a, branch: '*+a'}\n    - {name: b, branch: 'dev*'}\n", "variants a and b could both be chosen on a branch like dev+a"},
		"unknown step": {"    - {name: a, branch: a, build: {steps: [{name: biuld, timeout: 1m}]}}\n", `the stack has no step "biuld": did you mean "build"?`},
		"no anchor":    {"    - {name: a, branch: a, build: {steps: [{name: x, run: x, after: tset}]}}\n", `there is no step "tset" before this one`},
		"bad pattern":  {"    - {name: a, branch: 'a**'}\n", "is not a pattern of branches"},
	} {
		_, err := Parse("s.yaml", []byte(head+tc.yaml))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two labels may meet in one App only.
func TestVariantsMeetInAnApp(t *testing.T) {
	stack := delivery.Stack{Name: "s", Language: "c", Build: delivery.Build{Steps: []delivery.StackStep{{Name: "build", Run: "make"}}}, Variants: []delivery.Variant{
		{Name: "a", Labels: map[string]string{"x": "1"}}, {Name: "b", Labels: map[string]string{"y": "1"}}, {Name: "c", Branch: "dev"},
	}}
	for name, tc := range map[string]struct {
		labels map[string]string
		want   string
	}{
		"one":  {map[string]string{"x": "1"}, ""},
		"both": {map[string]string{"x": "1", "y": "1"}, "App/shop: spec.labels: of Stack s, variants a and b could both be chosen: let only one of them fit"},
	} {
		app := delivery.App{Name: "shop", Repo: "a/b", Stack: "s", Labels: tc.labels}
		_, err := Plan(nil, []delivery.Document{StackDocument(stack), AppDocument(app)}, "m", false)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || err.Error() != tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEnvironmentsOfBranches(t *testing.T) {
	set, err := NewSet(0, []delivery.Document{EnvironmentDocument(delivery.Environment{Name: "dev", Branch: "dev", Branches: []string{"dev+*"}})})
	if err != nil {
		t.Fatal(err)
	}
	for branch, want := range map[string]int{"dev": 1, "dev+debug": 1, "dev2": 0, "release+x": 0, "release": 1} {
		if got := len(set.EnvironmentsOf(delivery.Push{Branch: branch})); got != want {
			t.Errorf("%s is built for %d environments", branch, got)
		}
	}
}
