package delivery_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const build = "build"

func newRun() delivery.Run {
	plan := delivery.Plan{
		Steps:   []delivery.PlanStep{{Name: "checkout"}, {Name: "test", Needs: []string{"checkout"}}},
		Reads:   []string{"shiplock.yaml"},
		Timeout: delivery.Duration(20 * time.Minute),
	}
	r := delivery.NewRun("run-1", delivery.App{Name: "shop"}, delivery.Environment{Name: "dev"},
		delivery.Commit{SHA: "c0ffee", Branch: "dev"}, delivery.Repo{ProjectID: "7"}, plan, delivery.System(), t0)
	r.Number, r.Hook = 1, "hook-1"
	return r
}

// runEvents are all facts about a run, in every relation to the current attempt
// and to the number of its last report.
func runEvents() []event[delivery.Run] {
	job := func(f func(delivery.Job) delivery.Event) func(delivery.Run) delivery.Event {
		return func(r delivery.Run) delivery.Event { return f(r.Jobs[0]) }
	}
	claim := func(token string, back int) func(delivery.Run) delivery.Event {
		return job(func(j delivery.Job) delivery.Event {
			if token == "theirs" && j.State == delivery.JobStarting {
				return nil // whoever comes first is the claim's holder
			}
			return delivery.AttemptClaimed{Job: build, Attempt: j.Attempt - back, TokenHash: token, At: t0}
		})
	}
	waits := func(c *delivery.Cause, back int) func(delivery.Run) delivery.Event {
		return job(func(j delivery.Job) delivery.Event {
			return delivery.AttemptWaits{Job: build, Attempt: j.Attempt - back, Cause: c, At: t0}
		})
	}
	report := func(ahead int64, back int, step string) func(delivery.Run) delivery.Event {
		return job(func(j delivery.Job) delivery.Event {
			s := nextStep(j)
			if step != "" {
				s.Name = step
			}
			return delivery.StepReported{Job: build, Attempt: j.Attempt - back, Seq: j.Seq + ahead, Step: s, At: t0}
		})
	}
	finish := func(o delivery.JobState, ahead int64, back int) func(delivery.Run) delivery.Event {
		return job(func(j delivery.Job) delivery.Event {
			e := delivery.JobFinished{Job: build, Attempt: j.Attempt - back, Seq: j.Seq + ahead, Outcome: o, At: t0}
			if o == delivery.JobSucceeded {
				e.Artifact = &delivery.Artifact{Digest: "sha256:a"}
			}
			return e
		})
	}
	repeat := func(o delivery.JobState) func(delivery.Run) delivery.Event {
		return func(r delivery.Run) delivery.Event {
			if !r.State().Terminal() {
				return nil
			}
			return finish(o, 0, 0)(r)
		}
	}
	verdict := func(o delivery.JobState) func(delivery.Run) delivery.Event {
		return job(func(j delivery.Job) delivery.Event {
			return delivery.JobFinished{Job: build, Attempt: j.Attempt, Outcome: o, At: t0}
		})
	}
	lost := func(final bool, back int) func(delivery.Run) delivery.Event {
		return job(func(j delivery.Job) delivery.Event {
			return delivery.AttemptLost{Job: build, Attempt: j.Attempt - back, Final: final, Cause: delivery.Cause{Text: "node lost"}, RetryAfter: time.Second, At: t0}
		})
	}
	seen := func(back int) func(delivery.Run) delivery.Event {
		return job(func(j delivery.Job) delivery.Event {
			return delivery.AttemptSeen{Job: build, Attempt: j.Attempt - back, At: t0}
		})
	}
	// refine adds a step that runs beside the other.
	refine := func(back int, added string) func(delivery.Run) delivery.Event {
		return job(func(j delivery.Job) delivery.Event {
			return delivery.PlanRefined{Job: build, Attempt: j.Attempt - back, At: t0, Plan: delivery.Plan{
				Steps: []delivery.PlanStep{
					{Name: "checkout"}, {Name: "test", Needs: []string{"checkout"}},
					{Name: added, Needs: []string{"checkout"}}, {Name: "docs", Skip: "the branch is dev"},
				},
				Timeout: delivery.Duration(30 * time.Minute),
			}}
		})
	}
	fact := func(e delivery.Event) func(delivery.Run) delivery.Event {
		return func(delivery.Run) delivery.Event { return e }
	}
	return []event[delivery.Run]{
		{"job.admitted", fact(delivery.JobAdmitted{Job: build, At: t0})},
		{"attempt.waits", waits(&delivery.Cause{Code: delivery.AttemptQuota, Text: "no room"}, 0)},
		{"attempt.waits (no more)", waits(nil, 0)},
		{"attempt.waits (fenced)", waits(nil, 1)},
		{"attempt.claimed", claim("mine", 0)},
		{"attempt.claimed (another runner)", claim("theirs", 0)},
		{"attempt.claimed (fenced)", claim("mine", 1)},
		{"attempt.seen", seen(0)},
		{"attempt.seen (fenced)", seen(1)},
		{"plan.refined", refine(0, "lint")},
		{"plan.refined (otherwise)", func(r delivery.Run) delivery.Event {
			if r.Plan.Reads != nil {
				return nil
			}
			return refine(0, "other")(r)
		}},
		{"plan.refined (fenced)", refine(1, "lint")},
		{"step.reported (another at once)", func(r delivery.Run) delivery.Event {
			j := r.Jobs[0]
			for _, s := range slices.Backward(j.Steps) {
				if s.State == delivery.StepPending {
					return delivery.StepReported{Job: build, Attempt: j.Attempt, Seq: j.Seq + 1, Step: delivery.Step{Name: s.Name, State: delivery.StepRunning, StartedAt: t0}, At: t0}
				}
			}
			return nil
		}},
		{"step.reported (next)", report(1, 0, "")},
		{"step.reported (repeated)", report(0, 0, "")},
		{"step.reported (after a gap)", report(2, 0, "")},
		{"step.reported (no such step)", report(1, 0, "nowhere")},
		{"step.reported (fenced)", report(1, 1, "")},
		{"job.finished (succeeded)", finish(delivery.JobSucceeded, 1, 0)},
		{"job.finished (failed)", finish(delivery.JobFailed, 1, 0)},
		{"job.finished (canceled)", finish(delivery.JobCanceled, 1, 0)},
		{"job.finished (errored)", finish(delivery.JobErrored, 1, 0)},
		{"job.finished (succeeded, repeated)", repeat(delivery.JobSucceeded)},
		{"job.finished (failed, repeated)", repeat(delivery.JobFailed)},
		{"job.finished (canceled, repeated)", repeat(delivery.JobCanceled)},
		{"job.finished (after a gap)", finish(delivery.JobSucceeded, 2, 0)},
		{"job.finished (fenced)", finish(delivery.JobSucceeded, 1, 1)},
		{"job.finished (verdict: failed)", verdict(delivery.JobFailed)},
		{"job.finished (verdict: canceled)", verdict(delivery.JobCanceled)},
		{"attempt.lost (tries left)", lost(false, 0)},
		{"attempt.lost (last try)", lost(true, 0)},
		{"attempt.lost (fenced)", lost(true, 1)},
		{"cancel.requested", fact(delivery.CancelRequested{By: ann, At: t0})},
		{"run.superseded", fact(delivery.RunSuperseded{By: "run-2", At: t0})},
		{"run.superseded (by yet another)", func(r delivery.Run) delivery.Event {
			if r.SupersededBy == "" {
				return nil
			}
			return delivery.RunSuperseded{By: "run-3", At: t0}
		}},
		{"release.proposed", fact(delivery.ReleaseProposed{Release: "release-1"})},
		{"release.proposed (another)", func(r delivery.Run) delivery.Event {
			if r.Release == "" {
				return nil
			}
			return delivery.ReleaseProposed{Release: "release-2"}
		}},
	}
}

var (
	ann   = person("ann")
	bob   = person("bob")
	carol = person("carol")
)

func person(name string) delivery.Actor {
	return delivery.Actor{Kind: delivery.ActorUser, Name: name}
}

// nextStep is the next thing that a runner would report.
func nextStep(j delivery.Job) delivery.Step {
	for _, s := range j.Steps {
		switch s.State {
		case delivery.StepPending:
			return delivery.Step{Name: s.Name, State: delivery.StepRunning, StartedAt: t0}
		case delivery.StepRunning:
			return delivery.Step{Name: s.Name, State: delivery.StepSucceeded, StartedAt: t0, FinishedAt: t0}
		}
	}
	return j.Steps[len(j.Steps)-1]
}

func runMachine() machine[delivery.Run] {
	return machine[delivery.Run]{
		start:  []delivery.Run{newRun()},
		events: runEvents(),
		apply:  delivery.Run.Apply,
		fold:   foldRun,
		terminal: func(r delivery.Run) bool {
			return r.State().Terminal() && (r.State() != delivery.RunSucceeded || r.Release != "")
		},
		due: func(r delivery.Run) string {
			actions, again := r.Next(t0, delivery.RunFacts{Limits: delivery.DefaultRunLimits(), Automatic: true})
			if r.Jobs[0].State == delivery.JobQueued && r.Jobs[0].Attempt == 0 {
				return "waits for the admission"
			}
			return describe(actions, !again.IsZero())
		},
	}
}

// foldRun forgets how many attempts and reports there were beyond two.
func foldRun(r delivery.Run) delivery.Run {
	j := r.Jobs[0]
	j.Attempt, j.Seq = min(j.Attempt, 2), min(j.Seq, 2)
	j.Lost = nil
	r.Jobs = []delivery.Job{j}
	return r
}

func runStateName(r delivery.Run) string {
	j := r.Jobs[0]
	switch {
	case r.SupersededBy != "":
		return "superseded"
	case r.Release != "":
		return "succeeded, released"
	case j.State == delivery.JobQueued && j.Attempt > 0:
		return "queued again"
	case j.State.Active() && r.Cancel != nil:
		return string(j.State) + ", canceling"
	}
	return string(j.State)
}

const runIntro = `A run's state is derived from its jobs; a run has one job, and the job has attempts. **failed** is the user's
result, **errored** is ours after the last try, **canceled** has an actor. A report of an earlier attempt is fenced: it
is answered Gone and never changes anything.`

func TestStateRun(t *testing.T) {
	sp := explore(t, runMachine())
	sp.checkEnds(t, runStateName)
	checkPage(t, "run", "Run and Job", runIntro, tabulate(t, sp, view[delivery.Run]{title: "Run", state: runStateName}))
	t.Run("a fenced attempt changes nothing", func(t *testing.T) { checkRunFences(t, sp) })
	t.Run("the same end twice is the same value", func(t *testing.T) { checkRunEndsTwice(t, sp) })
	t.Run("Next is pure and accepted", func(t *testing.T) { checkRunNext(t, sp) })
	t.Run("statuses never go back", func(t *testing.T) { checkRunStatuses(t, sp) })
}

func checkRunFences(t *testing.T, sp space[delivery.Run]) {
	for i, s := range sp.states {
		for k, e := range sp.machine.events {
			if st := sp.steps[i][k]; strings.HasSuffix(e.name, "(fenced)") && st.refused != "Gone" {
				t.Errorf("%s in %q: %+v, want Gone", e.name, runStateName(s), st)
			}
		}
	}
}

func checkRunEndsTwice(t *testing.T, sp space[delivery.Run]) {
	for i, s := range sp.states {
		for _, ev := range sp.machine.events {
			e := ev.make(s)
			next, err := s.Apply(e)
			if e == nil || err != nil || !next.State().Terminal() || s.State().Terminal() {
				continue
			}
			twice, err := next.Apply(e)
			if _, lost := e.(delivery.AttemptLost); lost && errors.Is(err, delivery.ErrGone) {
				continue // only the server itself says so, and the attempt is no more
			}
			if err != nil || text(t, twice) != text(t, next) {
				t.Errorf("state %d: %s twice: %v", i, ev.name, err)
			}
		}
	}
}

// checkRunNext holds every Record that Next emits, at any age of the
// state, to be accepted by Apply on the same snapshot, and Next to be pure.
func checkRunNext(t *testing.T, sp space[delivery.Run]) {
	facts := delivery.RunFacts{Limits: delivery.DefaultRunLimits(), Automatic: true}
	for _, s := range sp.states {
		for _, age := range []time.Duration{0, time.Second, time.Minute, 3 * time.Minute, time.Hour} {
			now := t0.Add(age)
			before := text(t, s)
			actions, again := s.Next(now, facts)
			twice, againTwice := s.Next(now, facts)
			if text(t, actions) != text(t, twice) || !again.Equal(againTwice) || text(t, s) != before {
				t.Fatalf("Next is not pure in %q", runStateName(s))
			}
			if !again.IsZero() && !again.After(now) {
				t.Errorf("%q at +%s looks again at +%s, which is past: a hot loop", runStateName(s), age, again.Sub(t0))
			}
			for _, a := range actions {
				if r, ok := a.(delivery.Record); ok {
					if _, err := s.Apply(r.Event); err != nil {
						t.Errorf("%q at +%s: Next emits %s, and Apply says %v", runStateName(s), age, r.Event.Name(), err)
					}
				}
			}
		}
	}
}

// checkRunStatuses holds the forge to hear pending, running and one end
// in that order, whatever happens to the run.
func checkRunStatuses(t *testing.T, sp space[delivery.Run]) {
	rank := map[delivery.CommitState]int{
		delivery.CommitPending: 1, delivery.CommitRunning: 2,
		delivery.CommitSuccess: 3, delivery.CommitFailed: 3, delivery.CommitCanceled: 3,
	}
	for i, s := range sp.states {
		from := delivery.StatusOf(s).State
		for k, st := range sp.steps[i] {
			to := delivery.StatusOf(sp.states[st.to]).State
			if rank[to] < rank[from] || rank[from] == 3 && to != from {
				t.Errorf("%s: from %s back to %s", sp.machine.events[k].name, from, to)
			}
		}
	}
}

func TestOnlyAnOpenRunSupersedes(t *testing.T) {
	f := delivery.RunFacts{Limits: delivery.DefaultRunLimits(), OlderQueued: []delivery.RunID{"run-0"}}
	open := newRun()
	manual := open
	manual.Hook = ""
	canceled, err := open.Apply(delivery.CancelRequested{By: ann, At: t0})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		run  delivery.Run
		want string
	}{
		"pushed":              {open, "record run.superseded"},
		"started by a person": {manual, ""},
		"canceled":            {canceled, ""},
	} {
		actions, _ := tc.run.Next(t0, f)
		if got := describe(actions, false); got != tc.want {
			t.Errorf("%s: Next gives %q", name, got)
		}
	}
}
