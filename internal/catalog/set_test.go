package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/delivery"
)

func app(name, repo, path string) delivery.App {
	return delivery.App{Name: name, Repo: repo, Path: path, Stack: "go-1.26"}
}

func setOf(t testing.TB, apps ...delivery.App) *Set {
	t.Helper()
	var docs []delivery.Document
	for _, a := range apps {
		docs = append(docs, AppDocument(a))
	}
	s, err := NewSet(7, docs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBuiltins(t *testing.T) {
	s := setOf(t)
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	var names []string
	for _, e := range s.Ranked() {
		names = append(names, e.Name)
	}
	if want := []string{"dev", "test", "pre", "prod"}; !slices.Equal(names, want) {
		t.Errorf("environments are %v, want %v", names, want)
	}
	for name, want := range map[string]struct {
		branch    string
		automatic bool
		kind      string
	}{
		"dev": {"dev", true, "full"}, "test": {"test", true, "full"}, "pre": {"pre", false, "full"}, "prod": {"release", false, "canary"},
	} {
		if e := s.Environments[name]; e.Branch != want.branch || e.Automatic != want.automatic || e.Strategy.Kind() != want.kind {
			t.Errorf("environment %s is %+v, want %+v", name, e, want)
		}
	}
	for _, name := range []string{"go-1.26", "go-1.22", "java-17", "java-8", "nodejs-20"} {
		if s.Stacks[name].Name != name || s.Manager(KindStack, name) != BuiltinManager {
			t.Errorf("stack %s is missing", name)
		}
	}
}

func TestStoredDocumentReplacesBuiltin(t *testing.T) {
	d := EnvironmentDocument(delivery.Environment{Name: "dev", Branch: "develop"})
	d.Manager = "console"
	s, err := NewSet(1, []delivery.Document{d})
	if err != nil {
		t.Fatal(err)
	}
	if e := s.Environments["dev"]; e.Branch != "develop" || e.Automatic {
		t.Errorf("dev is %+v", e)
	}
	if got := s.Manager(KindEnvironment, "dev"); got != "console" {
		t.Errorf("manager is %q", got)
	}
}

func TestAppsOf(t *testing.T) {
	shared := app("api", "git@git.example.com:mall/mono.git", "services/api")
	shared.Watch = []string{"libs"}
	s := setOf(t, shared, app("web", "mall/mono", "web"), app("root", "https://git.example.com/mall/mono", ""), app("other", "pay/mono", ""))
	repo := delivery.Repo{Path: "mall/mono", CloneURL: "https://git.example.com/mall/mono.git", SSHURL: "git@git.example.com:mall/mono.git"}
	for name, c := range map[string]struct {
		push delivery.Push
		want []string
	}{
		"inside of a path":  {delivery.Push{Repo: repo, Paths: []string{"services/api/main.go"}, PathsComplete: true}, []string{"api", "root"}},
		"watched":           {delivery.Push{Repo: repo, Paths: []string{"libs/x/y.go"}, PathsComplete: true}, []string{"api", "root"}},
		"beside":            {delivery.Push{Repo: repo, Paths: []string{"webby/a"}, PathsComplete: true}, []string{"root"}},
		"incomplete":        {delivery.Push{Repo: repo, Paths: []string{"webby/a"}}, []string{"api", "root", "web"}},
		"another namespace": {delivery.Push{Repo: delivery.Repo{Path: "x/mono"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, a := range s.AppsOf(c.push) {
				got = append(got, a.Name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("apps are %v, want %v", got, c.want)
			}
		})
	}
}

// The index never hides an app that delivery.Repo.Is would find.
func TestRepoKeyIsCoarserThanIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-zA-Z]{1,3}(\.git|\.GIT|@b|:c)?`)
		spell := func(label, host, path string) string {
			s := rapid.SampledFrom([]string{
				path, "/" + path, host + "/" + path, "https://" + host + "/" + path, "ssh://git@" + host + "/" + path,
				"git@" + host + ":" + path, "https://u:p@" + host + "/" + path, " " + path,
			}).Draw(t, label)
			return s + rapid.SampledFrom([]string{"", "/", ".git", ".git/", "//", " "}).Draw(t, label+" end")
		}
		host, path := word.Draw(t, "host"), word.Draw(t, "group")+"/"+word.Draw(t, "name")
		setting, pushed := spell("setting", host, path), spell("pushed", strings.ToUpper(host), path)
		if (delivery.Repo{CloneURL: pushed}).Is(setting) && repoKey(setting) != repoKey(pushed) {
			t.Fatalf("%q is %q, and their keys are %q and %q", setting, pushed, repoKey(setting), repoKey(pushed))
		}
	})
}

func TestEnvironmentsOf(t *testing.T) {
	d := EnvironmentDocument(delivery.Environment{Name: "prod-b", Branch: "release", Rank: 5})
	s, err := NewSet(1, []delivery.Document{d})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range s.EnvironmentsOf(delivery.Push{Branch: "release"}) {
		got = append(got, e.Name)
	}
	if want := []string{"prod", "prod-b"}; !slices.Equal(got, want) {
		t.Errorf("environments are %v, want %v", got, want)
	}
	if got := s.EnvironmentsOf(delivery.Push{}); len(got) != 0 {
		t.Errorf("no branch belongs to %v", got)
	}
}

func TestEnvironmentsOfTagsAndPromotion(t *testing.T) {
	s, err := NewSet(1, []delivery.Document{
		EnvironmentDocument(delivery.Environment{Name: "preview", Branch: "dev", Tags: "v*-rc?"}),
		EnvironmentDocument(delivery.Environment{Name: "pre", Tags: "v[0-9]*", Rank: 3}),
		EnvironmentDocument(delivery.Environment{Name: "prod", Branch: "release", Promote: delivery.Promotion{From: "pre"}, Rank: 4}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		push delivery.Push
		want string
	}{
		{delivery.Push{Tag: "v1.2"}, "pre"}, {delivery.Push{Tag: "v1.2-rc1"}, "preview pre"}, {delivery.Push{Tag: "dev"}, ""}, {delivery.Push{Tag: "v1/x"}, ""},
		{delivery.Push{Branch: "dev"}, "preview dev"}, {delivery.Push{Branch: "v1.2"}, ""}, {delivery.Push{Branch: "release"}, ""},
	} {
		var got []string
		for _, e := range s.EnvironmentsOf(c.push) {
			got = append(got, e.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s is built for %v, want %q", c.push.Ref(), got, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	a, b := app("shop", "mall/shop", ""), app("blog", "mall/blog", "")
	a.Stack = "go-1.27"
	a.Environments = map[string]delivery.AppEnvironment{"prd": {}, "dev": {Listen: 9000}}
	b.Environments = map[string]delivery.AppEnvironment{"prod": {Listen: 9000}}
	err := setOf(t, a, b).Check()
	want := strings.Join([]string{
		`App/shop: spec.environments.dev.listen: port 9000 already belongs to blog/prod: choose another, or leave listen out`,
		`App/shop: spec.environments.prd: there is no Environment "prd": did you mean "pre"?`,
		`App/shop: spec.stack: there is no Stack "go-1.27": did you mean "go-1.22"?`,
	}, "\n")
	if err == nil || delivery.KindOf(err) != delivery.Invalid {
		t.Fatalf("error is %v", err)
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func BenchmarkAppsOf500(b *testing.B) {
	var apps []delivery.App
	for i := range 500 {
		apps = append(apps, app(fmt.Sprintf("app-%d", i), fmt.Sprintf("https://git.example.com/mall/app-%d.git", i), ""))
	}
	s := setOf(b, apps...)
	push := delivery.Push{Repo: delivery.Repo{Path: "mall/app-250", CloneURL: "https://git.example.com/mall/app-250.git"}}
	for b.Loop() {
		if len(s.AppsOf(push)) != 1 {
			b.Fatal("not found")
		}
	}
}

func TestPromotionMustLeadToABuild(t *testing.T) {
	env := func(name, from string) delivery.Document {
		return EnvironmentDocument(delivery.Environment{Name: name, Promote: delivery.Promotion{From: from}})
	}
	for says, docs := range map[string][]delivery.Document{
		`spec.promote.from: there is no Environment "prre": did you mean "pre"?`: {env("prod", "prre")},
		"spec.promote.from: the environments promote in a circle":                {env("prod", "pre"), env("pre", "prod")},
		"": {env("prod", "pre"), env("prod-b", "prod")},
	} {
		_, err := Plan(nil, docs, "dir", false)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}
