package runner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func after(s delivery.PlanStep, needs ...string) delivery.PlanStep {
	s.Needs = needs
	return s
}

// meet waits until the other side is there too, which two steps in a row never are.
func meet(mine, theirs string) string {
	return fmt.Sprintf("touch %s; i=0; until [ -e %s ]; do i=$((i+1)); [ $i -lt 1000 ] || exit 9; sleep 0.01; done; echo met", mine, theirs)
}

// Steps that do not need each other run at the same time; one that needs both begins
// when both have ended.
func TestStepsRunInParallel(t *testing.T) {
	t.Parallel()
	s := serve(t, script("first", "echo first"),
		after(script("a", meet("a", "b")+"; touch a.over"), "first"), after(script("b", meet("b", "a")+"; touch b.over"), "first"),
		after(script("both", "ls a.over b.over"), "a", "b"))
	launch(t, s).exit(t)
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeSucceeded || len(steps) != 4 {
		t.Fatalf("%+v, log %q", finish.Cause, s.text("err"))
	}
	if steps["both"].StartedAt.Before(steps["a"].FinishedAt) || steps["both"].StartedAt.Before(steps["b"].FinishedAt) || steps["a"].StartedAt.Before(steps["first"].FinishedAt) {
		t.Errorf("%+v", steps)
	}
	for _, l := range s.lines {
		if l.Text == "met" && l.Step != "a" && l.Step != "b" {
			t.Errorf("line %+v", l)
		}
	}
	running, most := 0, 0
	for _, r := range s.reports {
		if r.Step != nil {
			running += map[delivery.StepState]int{delivery.StepRunning: 1, delivery.StepSucceeded: -1}[r.Step.State]
			most = max(most, running)
		}
	}
	if most != 2 {
		t.Errorf("%d steps at once", most)
	}
}

// A step that fails stops the others gracefully, and what needs it never begins.
func TestFailureStopsTheOthers(t *testing.T) {
	t.Parallel()
	s := serve(t, script("first", "true"),
		after(script("long", "trap 'echo bye; exit 0' TERM; touch up; while :; do sleep 0.01; done"), "first"),
		after(script("bad", "until [ -e up ]; do sleep 0.01; done; echo oops >&2; exit 4"), "first"),
		after(script("next", "echo next"), "bad"))
	launch(t, s).exit(t)
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeFailed || finish.Cause.Step != "bad" || *finish.Cause.Exit != 4 {
		t.Errorf("%+v", finish.Cause)
	}
	long := steps["long"]
	if long.State != delivery.StepCanceled || long.Cause.Code != "step.stopped" || long.Cause.Args["other"] != "bad" || !slices.Contains(s.text("out"), "bye") {
		t.Errorf("%+v, %q", long, s.text("out"))
	}
	if _, began := steps["next"]; began || steps["bad"].State != delivery.StepFailed {
		t.Errorf("%+v", steps)
	}
}

// What one step leaves behind is gone with it, and what another one still runs is
// left alone. A process that was killed may be there for a moment as a zombie, which
// kill -0 would take for one that lives.
func TestParallelStepsClearTheirOwn(t *testing.T) {
	t.Parallel()
	s := serve(t, script("first", "true"),
		after(script("quick", "(setsid sleep 300 & echo $! >left) ; until [ -s left ] && [ -e up ]; do sleep 0.01; done"), "first"),
		after(script("slow", "(setsid sleep 300 & echo $! >kept); touch up; until [ -e looked ]; do sleep 0.01; done; kill -0 $(cat kept); echo alive"), "first"),
		after(script("look", `case "$(cut -d " " -f 3 /proc/$(cat left)/stat 2>/dev/null)" in ""|Z) ;; *) echo left ;; esac; touch looked`), "quick"))
	r := launch(t, s)
	pids := append(r.pids(t, "left", 1), r.pids(t, "kept", 1)...)
	r.exit(t)
	finish, _ := s.end()
	if out := s.text("out"); finish.Outcome != api.OutcomeSucceeded || !slices.Equal(out, []string{"alive"}) {
		t.Errorf("%+v, %q", finish.Cause, out)
	}
	for _, pid := range pids {
		if !gone(pid) {
			t.Errorf("process %d lives on", pid)
		}
	}
}

func TestAtMostSoManyAtOnce(t *testing.T) {
	t.Parallel()
	steps := []delivery.PlanStep{script("first", "true")}
	for i := range 8 {
		steps = append(steps, after(script(fmt.Sprint("s", i), "sleep 0.05"), "first"))
	}
	skipped := after(script("no", "exit 1"), "first")
	skipped.Skip = "not today"
	s := serve(t, append(steps, skipped, after(script("goes-on", "true"), "no"))...)
	launch(t, s).exit(t)
	finish, ended := s.end()
	if finish.Outcome != api.OutcomeSucceeded || len(ended) != 10 {
		t.Errorf("%+v, %d steps", finish.Cause, len(ended))
	}
	running, most := 0, 0
	for _, r := range s.reports {
		if r.Step == nil {
			continue
		}
		running += map[delivery.StepState]int{delivery.StepRunning: 1, delivery.StepSucceeded: -1}[r.Step.State]
		most = max(most, running)
	}
	if most < 2 || most > 4 {
		t.Errorf("%d steps at once", most)
	}
}

func TestCancelReachesAllSteps(t *testing.T) {
	t.Parallel()
	loop := func(name string) string { return "touch " + name + "; while :; do sleep 0.01; done" }
	s := serve(t, script("first", "true"), after(script("a", loop("a")), "first"), after(script("b", loop("b")+"; until [ -e a ]; do :; done"), "first"))
	r := launch(t, s)
	until(t, "both steps", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		for _, x := range s.reports {
			if x.Step != nil && x.Step.State == delivery.StepRunning && strings.ContainsAny(x.Step.Name, "ab") {
				n++
			}
		}
		s.cancel = n == 2
		return s.cancel
	})
	r.exit(t)
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeCanceled || steps["a"].State != delivery.StepCanceled || steps["b"].State != delivery.StepCanceled {
		t.Errorf("%s, %+v", finish.Outcome, steps)
	}
}
