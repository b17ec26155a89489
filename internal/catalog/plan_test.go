package catalog

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func stored(manager string, version int64, d delivery.Document) delivery.Document {
	d.Manager, d.Version = manager, version
	return d
}

func TestPlan(t *testing.T) {
	shop := app("shop", "mall/shop", "")
	newShop := shop
	newShop.Stack, newShop.Team = "nodejs-20", "pay"
	newShop.Environments = map[string]delivery.AppEnvironment{"prod": {Variables: map[string]string{"A": "b c\n"}}}
	have := []delivery.Document{
		stored("dir", 3, AppDocument(shop)),
		stored("dir", 4, AppDocument(app("gone", "mall/gone", ""))),
		stored("dir", 5, AppDocument(app("same", "mall/same", ""))),
		stored("console", 6, AppDocument(app("foreign", "mall/foreign", ""))),
	}
	want := []delivery.Document{
		AppDocument(newShop), AppDocument(app("same", "mall/same", "")), AppDocument(app("fresh", "mall/fresh", "")),
		EnvironmentDocument(delivery.Environment{Name: "dev", Branch: "develop", Automatic: true, Rank: 1}),
	}
	diff, err := Plan(have, want, "dir", true)
	if err != nil {
		t.Fatal(err)
	}
	wantLines := []string{
		"+ App/fresh",
		"- App/gone",
		`~ App/shop  spec.environments.prod.variables.A: + "b c\n"`,
		"~ App/shop  spec.stack: go-1.26 → nodejs-20",
		"~ App/shop  spec.team: + pay",
		"+ Environment/dev  (in place of the built-in one)",
		"~ Environment/dev  spec.branch: dev → develop",
	}
	if d := cmp.Diff(wantLines, diff.Lines()); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
	if got, want := diff.Summary(), "2 created, 1 updated, 1 deleted, 1 unchanged"; got != want {
		t.Errorf("summary is %q, want %q", got, want)
	}
	type change struct {
		Ref, Manager string
		Version      int64
		Delete       bool
	}
	var changes []change
	for _, c := range diff.Changes {
		changes = append(changes, change{ref(c.Document), c.Document.Manager, c.Document.Version, c.Delete})
	}
	wantChanges := []change{{"App/fresh", "dir", 0, false}, {"App/gone", "dir", 4, true}, {"App/shop", "dir", 3, false}, {"Environment/dev", "dir", 0, false}}
	if !slices.Equal(changes, wantChanges) {
		t.Errorf("changes are %v, want %v", changes, wantChanges)
	}
	again, err := Plan(diff.applied(have), want, "dir", true)
	if err != nil || len(again.Changes) != 0 {
		t.Errorf("applying twice changes %v, %v", again.Lines(), err)
	}
}

func TestPlanWithoutPruneDeletesNothing(t *testing.T) {
	have := []delivery.Document{stored("dir", 1, AppDocument(app("shop", "mall/shop", "")))}
	if diff, err := Plan(have, nil, "dir", false); err != nil || len(diff.Changes) != 0 {
		t.Errorf("changes are %v, %v", diff.Changes, err)
	}
}

func TestPlanRefuses(t *testing.T) {
	stack := delivery.Stack{
		Name: "own", Language: "c", Build: delivery.Build{Steps: []delivery.StackStep{{Name: "make", Run: "make"}}},
		Runtime: delivery.Runtime{Base: "base:1"},
	}
	user := app("user", "mall/user", "")
	user.Stack = "own"
	have := []delivery.Document{
		stored("console", 6, AppDocument(app("foreign", "mall/foreign", ""))),
		stored("dir", 1, StackDocument(stack)), stored("console", 1, AppDocument(user)),
	}
	raw := func(kind, name, spec string) delivery.Document {
		return delivery.Document{Kind: kind, Name: name, Spec: json.RawMessage(spec)}
	}
	keep := StackDocument(stack)
	for name, c := range map[string]struct {
		want    []delivery.Document
		manager string
		kind    delivery.Kind
		msg     string
	}{
		"another manager's": {[]delivery.Document{keep, AppDocument(app("foreign", "mall/x", ""))}, "dir", delivery.Conflict, `App/foreign is managed by "console": change it there`},
		"a stack in use":    {nil, "dir", delivery.Invalid, `App/user: spec.stack: there is no Stack "own"`},
		"no manager":        {nil, "", delivery.Invalid, "cannot manage"},
		"the program's own": {nil, BuiltinManager, delivery.Invalid, "cannot manage"},
		"twice":             {[]delivery.Document{keep, keep}, "dir", delivery.Invalid, "Stack/own: metadata.name: the document is there twice"},
		"unknown kind":      {[]delivery.Document{raw("Apps", "a", "{}")}, "dir", delivery.Invalid, `unknown kind "Apps": did you mean "App"?`},
		"unknown field":     {[]delivery.Document{raw("App", "a", `{"stak": "x"}`)}, "dir", delivery.Invalid, `App/a: spec: the spec cannot be read: unknown field "stak"`},
		"bad value":         {[]delivery.Document{raw("App", "a", `{"repo": "m/a", "stack": "go-1.26", "path": ".."}`)}, "dir", delivery.Invalid, `App/a: spec.path: ".." is not a relative path`},
		"no spec":           {[]delivery.Document{{Kind: "App", Name: "a"}}, "dir", delivery.Invalid, "the spec cannot be read"},
		"no name":           {[]delivery.Document{raw("App", "", `{"repo": "m/a", "stack": "go-1.26"}`)}, "dir", delivery.Invalid, "metadata.name is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			diff, err := Plan(have, c.want, c.manager, true)
			if err == nil || delivery.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.msg) {
				t.Errorf("error is %v, want %v: %s", err, c.kind, c.msg)
			}
			if len(diff.Changes) > 0 {
				t.Errorf("a refused plan changes %v", diff.Changes)
			}
		})
	}
}

// What is found without the file is shown with its line.
func TestLocate(t *testing.T) {
	data := "apiVersion: shiplock/v1\nkind: App\nmetadata: {name: shop}\nspec:\n  repo: mall/shop\n  stack: go-1.2\n  environments:\n    prud: {}\n"
	parsed, err := Parse("shop.yaml", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Plan(nil, []delivery.Document{parsed[0].Document}, "dir", false)
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("error is %v", err)
	}
	want := "shop.yaml:8:11: there is no Environment \"prud\": did you mean \"prod\"?\nshop.yaml:6:10: there is no Stack \"go-1.2\": did you mean \"go-1.22\"?"
	if got := Locate(problems, parsed).Error(); got != want {
		t.Errorf("located:\n%s\nwant:\n%s", got, want)
	}
}
