package standard

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func builtins(t testing.TB) *catalog.Set {
	t.Helper()
	set, err := catalog.NewSet(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func input(t testing.TB, stack string) Input {
	set := builtins(t)
	return Input{
		App:         delivery.App{Name: "shop", Repo: "mall/shop", Path: "services/shop", Stack: stack},
		Stack:       set.Stacks[stack],
		Environment: set.Environments["dev"],
		Commit:      delivery.Commit{SHA: "1f0e3dad99908345f7439f8ffabdffc4cd0a1b7e"},
	}
}

func mustPlan(t interface{ Fatal(...any) }, in Input) delivery.Plan {
	p, err := Plan(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanGolden(t *testing.T) {
	for _, stack := range []string{"go-1.26", "go-1.22", "java-17", "java-8", "nodejs-20"} {
		t.Run(stack, func(t *testing.T) {
			got := strings.Join(Explain(mustPlan(t, input(t, stack))), "\n") + "\n"
			golden := "testdata/" + stack + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryStepHasReasonAndLimit(t *testing.T) {
	for stack := range builtins(t).Stacks {
		p := mustPlan(t, input(t, stack))
		var sum delivery.Duration
		for _, s := range p.Steps {
			if s.Why == "" || s.Timeout <= 0 {
				t.Errorf("%s: step %s has reason %q and limit %s", stack, s.Name, s.Why, s.Timeout)
			}
			sum += s.Timeout
		}
		if p.Timeout != sum {
			t.Errorf("%s: the job's limit is %s, its steps' %s", stack, p.Timeout, sum)
		}
	}
}

func TestPlanIsDeterministic(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := input(t, rapid.SampledFrom([]string{"go-1.26", "nodejs-20"}).Draw(r, "stack"))
		in.App.Name = rapid.StringMatching(`[a-z]{1,8}`).Draw(r, "app")
		in.App.Path = rapid.StringMatching(`([a-z]{1,4}(/[a-z]{1,4})?)?`).Draw(r, "path")
		in.Stack.Build.Steps[0].Env = rapid.MapOf(rapid.StringMatching(`[A-Z]{1,3}`), rapid.String()).Draw(r, "env")
		first := mustPlan(r, in)
		in.Commit.SHA = "another"
		if diff := cmp.Diff(first, mustPlan(r, in)); diff != "" {
			r.Fatalf("equal inputs, another plan:\n%s", diff)
		}
		var copied delivery.Plan
		raw, err := json.Marshal(first)
		if err == nil {
			err = json.Unmarshal(raw, &copied)
		}
		if err != nil || copied.Digest != first.Digest || len(copied.Steps) != len(first.Steps) {
			r.Fatalf("the plan does not survive storage: %v", err)
		}
	})
}

func TestDigestChangesWithItsInputs(t *testing.T) {
	seen := map[delivery.Digest]string{mustPlan(t, input(t, "go-1.26")).Digest: "nothing"}
	for name, change := range map[string]func(*Input){
		"app name":     func(in *Input) { in.App.Name = "blog" },
		"repo":         func(in *Input) { in.App.Repo = "mall/other" },
		"path":         func(in *Input) { in.App.Path = "" },
		"environment":  func(in *Input) { in.Environment.Name = "prod" },
		"stack name":   func(in *Input) { in.Stack.Name, in.App.Stack = "x", "x" },
		"build image":  func(in *Input) { in.Stack.Build.Image = "golang:1" },
		"tools":        func(in *Input) { in.Stack.Build.Tools = nil },
		"output":       func(in *Input) { in.Stack.Build.Output = "dist" },
		"step run":     func(in *Input) { in.Stack.Build.Steps[0].Run = "make" },
		"step name":    func(in *Input) { in.Stack.Build.Steps[0].Name = "make" },
		"step env":     func(in *Input) { in.Stack.Build.Steps[0].Env = map[string]string{"A": "1"} },
		"step limit":   func(in *Input) { in.Stack.Build.Steps[0].Timeout++ },
		"step tests":   func(in *Input) { in.Stack.Build.Steps[0].Tests = "tap" },
		"one step":     func(in *Input) { in.Stack.Build.Steps = in.Stack.Build.Steps[:1] },
		"base":         func(in *Input) { in.Stack.Runtime.Base = "base:2" },
		"cluster":      func(in *Input) { in.Clustered = delivery.Environment{Name: "prod", Cluster: "east"} },
		"added files":  func(in *Input) { in.Stack.Runtime.With = "{registry}/shiplock/serve:1" },
		"home":         func(in *Input) { in.Stack.Runtime.Home = "/srv" },
		"start script": func(in *Input) { in.Stack.Runtime.Start = "#!/bin/sh\nexec ./other\n" },
		"port":         func(in *Input) { in.Stack.Runtime.Port = 9090 },
	} {
		in := input(t, "go-1.26")
		change(&in)
		d := mustPlan(t, in).Digest
		if other, twice := seen[d]; twice {
			t.Errorf("changing %s gives the same digest as changing %s", name, other)
		}
		seen[d] = name
	}
}

func TestPlanRefuses(t *testing.T) {
	missing := input(t, "go-1.26")
	missing.Stack = delivery.Stack{}
	empty := input(t, "go-1.26")
	empty.Stack.Build.Steps = nil
	for want, in := range map[string]Input{`"go-1.26", which is not in the catalog`: missing, "has no build steps": empty} {
		if _, err := Plan(in); delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

// A stack without a base image makes none, and one may do without the source.
func TestPlanOfABareStack(t *testing.T) {
	in := input(t, "go-1.26")
	in.Stack.Build.Checkout, in.Stack.Runtime.Base = delivery.CheckoutNone, ""
	in.Stack.Build.Steps = in.Stack.Build.Steps[:1]
	p := mustPlan(t, in)
	if len(p.Steps) != 1 || p.Steps[0].Kind != delivery.StepRun || p.Image != nil {
		t.Errorf("plan is %+v", p)
	}
	if p.Path != "" {
		t.Errorf("it is built in %s, which is not there", p.Path)
	}
}
