package checkup

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// good is an installation in which everything is well.
func good() Facts {
	space := Space{Namespace: "prod"}
	return Facts{
		Database: Database{Kind: "SQLite", Took: 3 * time.Millisecond},
		Disk:     Disk{Path: "/data", Free: 50 << 30, Total: 100 << 30},
		Registry: Registry{Address: "registry.example.com/apps"},
		Builds:   &Builds{Place: Place{Host: "https://one", Version: "v1.34.4", Timed: true}, Space: Space{Namespace: "builds"}},
		InPod:    true,
		Clusters: []Cluster{{Name: "east", Place: Place{Host: "https://two", Version: "v1.30.0"}, Environments: []Environment{{"prod", space}}}},
	}
}

func TestAllIsWell(t *testing.T) {
	all := Judge(good())
	if Worst(all) != delivery.LevelOK {
		t.Errorf("%+v", all)
	}
	for _, area := range []string{"database", "disk", "registry", "builds", "cluster east", "environment prod", "hooks"} {
		if !slices.ContainsFunc(all, func(f delivery.Finding) bool { return f.Area == area }) {
			t.Errorf("nothing is said of %s", area)
		}
	}
}

// What is wrong is said, at its level, with what to mend, and in both languages.
func TestWhatIsWrong(t *testing.T) {
	away := errors.New("connection refused")
	for _, c := range []struct {
		name  string
		wrong func(*Facts)
		level delivery.Level
		area  string
		says  string
		mend  string
	}{
		{"database away", func(f *Facts) { f.Database.Err = away }, delivery.LevelBad, "database", "connection refused", "runs"},
		{"database slow", func(f *Facts) { f.Database.Took = 2 * time.Second }, delivery.LevelWarn, "database", "2s", "disk"},
		{"disk low", func(f *Facts) { f.Disk.Free = 5 << 30 }, delivery.LevelWarn, "disk", "/data", "retention"},
		{"disk full", func(f *Facts) { f.Disk.Free = 1 << 29 }, delivery.LevelBad, "disk", "/data", "retention"},
		{"disk unknown", func(f *Facts) { f.Disk = Disk{Path: "/data", Err: away} }, delivery.LevelWarn, "disk", "cannot be told", "means"},
		{"registry", func(f *Facts) { f.Registry.Err = away }, delivery.LevelBad, "registry", "registry.example.com/apps", "docs/operate/registry.md"},
		{"builds in the server's pod", func(f *Facts) { f.Builds = nil }, delivery.LevelWarn, "builds", "inside the server's pod", "--executor kubernetes"},
		{"builds away", func(f *Facts) { f.Builds.Err = away }, delivery.LevelBad, "builds", "https://one", "kubeconfig"},
		{"builds refused", func(f *Facts) { f.Builds.Refused = away }, delivery.LevelBad, "builds", "connection refused", "shiplock cluster builds"},
		{"builds' rights", func(f *Facts) { f.Builds.Missing = []string{"create pods"} }, delivery.LevelBad, "builds", "create pods", "shiplock cluster builds --server-account"},
		{"quota", func(f *Facts) { f.Builds.Quotas = []Quota{{"all", "pods", "9", "10", 0.9}} }, delivery.LevelWarn, "builds", "9 of 10 pods", "raise it"},
		{"clock", func(f *Facts) { f.Builds.Skew = -time.Minute }, delivery.LevelWarn, "builds", "1m0s", "time server"},
		{"cluster old", func(f *Facts) { f.Clusters[0].Version = "v1.29.3" }, delivery.LevelWarn, "cluster east", "v1.29.3", "1.30"},
		{"cluster away", func(f *Facts) { f.Clusters[0].Err = away }, delivery.LevelBad, "cluster east", "https://two", "kubeconfig"},
		{"environment's rights", func(f *Facts) { f.Clusters[0].Environments[0].Missing = []string{"patch deployments"} }, delivery.LevelBad, "environment prod", "patch deployments", "shiplock cluster rbac --namespace prod"},
		{"rights unknown", func(f *Facts) { f.Clusters[0].Environments[0].RightsErr = away }, delivery.LevelWarn, "environment prod", "not known", "SelfSubjectAccessReview"},
		{"namespace", func(f *Facts) { f.Clusters[0].Environments[0].Refused = away }, delivery.LevelBad, "environment prod", "namespace prod", "Create the namespace"},
		{"apps in the server's pod", func(f *Facts) { f.Local = []string{"dev"} }, delivery.LevelWarn, "environment dev", "inside the server's pod", "cluster"},
		{"hooks refused", func(f *Facts) { f.Hooks.Refused = []Refusal{{"gitlab", 3, "wrong secret"}} }, delivery.LevelWarn, "hooks", "3 deliveries of gitlab", "SHIPLOCK_HOOK_SECRET"},
		{"hooks silent", func(f *Facts) { f.Hooks.Silent = strings.Fields("a b c d e f g") }, delivery.LevelWarn, "hooks", "a, b, c, d, e, … (+2)", "webhook"},
		{"repository", func(f *Facts) { f.Hooks.Failing = []Unseen{{"team/shop", "401"}} }, delivery.LevelWarn, "hooks", "team/shop", "--clone-user"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := good()
			c.wrong(&f)
			var found []delivery.Finding
			for _, one := range Judge(f) {
				if one.Level != delivery.LevelOK {
					found = append(found, one)
				}
			}
			if len(found) != 1 {
				t.Fatalf("%d things are found: %+v", len(found), found)
			}
			got := found[0]
			if got.Level != c.level || got.Area != c.area || !strings.Contains(got.Found.Text, c.says) || !strings.Contains(got.Found.Next, c.mend) {
				t.Errorf("it is said: %s %s: %s\n%s", got.Level, got.Area, got.Found.Text, got.Found.Next)
			}
			if zh := got.Found.In(phrase.Chinese); zh.Text == got.Found.Text || zh.Next == got.Found.Next {
				t.Errorf("in Chinese it is said: %s\n%s", zh.Text, zh.Next)
			}
		})
	}
}

// On a machine of its own a server may build and run apps itself.
func TestOneMachine(t *testing.T) {
	f := good()
	f.InPod, f.Builds, f.Clusters, f.Local = false, nil, nil, []string{"dev", "prod"}
	if all := Judge(f); Worst(all) != delivery.LevelOK {
		t.Errorf("%+v", all)
	}
}

func TestReached(t *testing.T) {
	same := Answer{Server: "v1", Client: "v1", Took: 12 * time.Millisecond, Skew: 3 * time.Second}
	for _, c := range []struct {
		answer Answer
		says   []string
	}{
		{same, nil},
		{Answer{Server: "v2", Client: "v1"}, []string{"v2, and this program v1"}},
		{Answer{Server: "v1", Client: "v1", Skew: -2 * time.Minute}, []string{"differ by 2m0s"}},
	} {
		var says []string
		for _, f := range Reached(c.answer) {
			if f.Level == delivery.LevelWarn {
				says = append(says, f.Found.Text)
			}
		}
		if len(says) != len(c.says) || len(says) > 0 && !strings.Contains(says[0], c.says[0]) {
			t.Errorf("%+v: %q", c.answer, says)
		}
	}
}

func TestErrorsAreOneBearableLine(t *testing.T) {
	if got := line(fmt.Errorf("one\n two\t%s", strings.Repeat("x", 1000))); strings.ContainsAny(got, "\n\t") || len([]rune(got)) > 301 {
		t.Errorf("%d: %q", len(got), got)
	}
}
