package delivery_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func apply(t *testing.T, r delivery.Run, events ...delivery.Event) delivery.Run {
	t.Helper()
	for _, e := range events {
		next, err := r.Apply(e)
		if err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
		r = next
	}
	return r
}

// What the first attempt's commit made of the plan holds for later attempts, whatever
// they say.
func TestTheFirstRefinementStays(t *testing.T) {
	refined := func(attempt int, step string) delivery.PlanRefined {
		return delivery.PlanRefined{Job: build, Attempt: attempt, At: t0, Plan: delivery.Plan{Steps: []delivery.PlanStep{{Name: "checkout"}, {Name: step}}}}
	}
	running := delivery.Step{Name: "checkout", State: delivery.StepRunning, StartedAt: t0}
	r := apply(t, newRun(),
		delivery.JobAdmitted{Job: build, At: t0},
		delivery.AttemptClaimed{Job: build, Attempt: 1, TokenHash: "a", At: t0},
		delivery.StepReported{Job: build, Attempt: 1, Seq: 1, Step: running, At: t0},
		refined(1, "lint"), refined(1, "other"))
	if got := r.Jobs[0].Steps; len(got) != 2 || got[0].State != delivery.StepRunning || got[1].Name != "lint" || got[1].State != delivery.StepPending {
		t.Fatalf("steps are %+v", got)
	}
	r = apply(t, r,
		delivery.AttemptLost{Job: build, Attempt: 1, At: t0},
		delivery.JobAdmitted{Job: build, At: t0},
		delivery.AttemptClaimed{Job: build, Attempt: 2, TokenHash: "b", At: t0},
		refined(2, "other"))
	if got := r.Jobs[0].Steps; r.Plan.Steps[1].Name != "lint" || len(got) != 2 || got[0].State != delivery.StepPending || got[1].Name != "lint" {
		t.Errorf("plan is %+v, steps %+v", r.Plan, got)
	}
	if _, err := r.Apply(refined(1, "lint")); !errors.Is(err, delivery.ErrGone) {
		t.Errorf("the attempt before is answered %v", err)
	}
}

func TestChangesOf(t *testing.T) {
	many := make([]string, 501)
	for name, tc := range map[string]struct {
		push delivery.Push
		want bool
	}{
		"all are known":  {delivery.Push{Paths: []string{"a"}, PathsComplete: true}, true},
		"none is":        {delivery.Push{PathsComplete: true}, true},
		"some are":       {delivery.Push{Paths: []string{"a"}}, false},
		"they are many":  {delivery.Push{Paths: many, PathsComplete: true}, false},
		"they are large": {delivery.Push{Paths: []string{string(make([]byte, 40<<10))}, PathsComplete: true}, false},
	} {
		if got := delivery.ChangesOf(tc.push) != nil; got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestMatchBranch(t *testing.T) {
	for _, tc := range []struct {
		pattern, branch string
		want            bool
	}{
		{"dev", "dev", true},
		{"dev", "dev2", false},
		{"*", "", true},
		{"dev*", "dev", true},
		{"feature/*", "feature/a/b", true},
		{"*-jdk8", "release-jdk8", true},
		{"*-jdk8", "-jdk", false},
		{"a*a", "a", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"*+debug", "feature/x+debug", true},
	} {
		if got := delivery.MatchBranch(tc.pattern, tc.branch); got != tc.want {
			t.Errorf("%q fits %q: %v", tc.branch, tc.pattern, got)
		}
	}
}

// An attempt that is started in an image waits for the commit's files to choose it.
func TestImageIsChosenBeforeTheStart(t *testing.T) {
	r := newRun()
	r.Plan.Open = true
	r = apply(t, r, delivery.JobAdmitted{Job: build, At: t0})
	due := func(images bool) []delivery.Action {
		actions, again := r.Next(t0, delivery.RunFacts{Limits: delivery.DefaultRunLimits(), Images: images})
		if !again.Equal(t0.Add(time.Minute)) {
			t.Errorf("images: %v: looks again at %s", images, again)
		}
		return actions
	}
	start := []delivery.Action{delivery.StartAttempt{Job: build}}
	if got := due(true); !slices.Equal(got, []delivery.Action{delivery.ChooseStack{Job: build}}) {
		t.Errorf("an open plan: %v", got)
	}
	if got := due(false); !slices.Equal(got, start) {
		t.Errorf("where the machine's tools build: %v", got)
	}
	r = apply(t, r, delivery.PlanRefined{Job: build, Attempt: 1, At: t0, Plan: delivery.Plan{Stack: "go-1.26", Steps: []delivery.PlanStep{{Name: "checkout"}, {Name: "build"}}}})
	if got := due(true); !slices.Equal(got, start) || r.Jobs[0].State != delivery.JobStarting || len(r.Jobs[0].Steps) != 2 {
		t.Errorf("once it is chosen: %v, %+v", got, r.Jobs[0])
	}
}
