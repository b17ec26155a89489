package delivery_test

import (
	"errors"
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"pgregory.net/rapid"
)

// runnerConduct is how one attempt's runner behaves; zero times mean never.
type runnerConduct struct {
	claimsAfter time.Duration
	endsAfter   time.Duration // from the claim
	outcome     delivery.JobState
	diesAfter   time.Duration // from the claim, with its pod
	silentAfter time.Duration // from the claim, while the pod lives on
	deaf        bool          // does not end when it is told to
}

var (
	good    = runnerConduct{claimsAfter: time.Second, endsAfter: 5 * time.Minute, outcome: delivery.JobSucceeded}
	bad     = runnerConduct{claimsAfter: time.Second, endsAfter: time.Minute, outcome: delivery.JobFailed}
	dies    = runnerConduct{claimsAfter: time.Second, diesAfter: time.Minute}
	silent  = runnerConduct{claimsAfter: time.Second, silentAfter: time.Minute, endsAfter: 20 * time.Minute, outcome: delivery.JobSucceeded}
	endless = runnerConduct{claimsAfter: time.Second}
	deaf    = runnerConduct{claimsAfter: time.Second, deaf: true}
	absent  = runnerConduct{}
)

// attempt is a pod and its runner.
type attempt struct {
	run     delivery.RunID
	number  int
	conduct runnerConduct
	started time.Time
	claimed time.Time
	over    bool
}

const heartbeat = 30 * time.Second

// farm is a small engine around runs, the admission and an executor, on a clock
// of one second.
type farm struct {
	t        rapid.TB
	now      time.Time
	capacity int
	limits   delivery.RunLimits
	runs     []*delivery.Run
	conducts map[delivery.RunID][]runnerConduct // per attempt; the last one goes on
	attempts []*attempt
	woken    []delivery.Ref
	timers   map[delivery.Ref]time.Time
	gone     int
}

func newFarm(t rapid.TB, capacity int) *farm {
	return &farm{
		t: t, now: t0, capacity: capacity, limits: delivery.DefaultRunLimits(),
		conducts: map[delivery.RunID][]runnerConduct{}, timers: map[delivery.Ref]time.Time{},
	}
}

// add queues a run; its first wake of the admission is committed with it.
func (f *farm) add(id delivery.RunID, conducts ...runnerConduct) *delivery.Run {
	r := newRun()
	r.ID, r.CreatedAt = id, f.now
	f.runs, f.conducts[id] = append(f.runs, &r), conducts
	f.wake(r.Ref())
	f.wake(delivery.AdmissionRef)
	return &r
}

func (f *farm) wake(ref delivery.Ref) {
	if !slices.Contains(f.woken, ref) {
		f.woken = append(f.woken, ref)
	}
}

// play lets time pass second by second until every run ended, or the limit.
func (f *farm) play(limit time.Duration) {
	f.t.Helper()
	for end := f.now.Add(limit); f.now.Before(end) && slices.ContainsFunc(f.runs, func(r *delivery.Run) bool { return !r.State().Terminal() }); {
		f.quiet()
		f.now = f.now.Add(time.Second)
		for _, a := range f.attempts {
			f.live(a)
		}
		for ref, at := range f.timers {
			if !at.After(f.now) {
				f.wake(ref)
			}
		}
	}
	f.quiet()
}

func (f *farm) quiet() {
	f.t.Helper()
	for n := 0; len(f.woken) > 0; n++ {
		if n > 1000 {
			f.t.Fatalf("livelock: %v is woken again and again", f.woken)
		}
		ref := f.woken[0]
		f.woken = f.woken[1:]
		delete(f.timers, ref)
		if ref == delivery.AdmissionRef {
			f.do(nil, delivery.Admission{}.Next(f.now, f.slots()))
			continue
		}
		r := f.run(ref)
		actions, again := r.Next(f.now, delivery.RunFacts{Limits: f.limits})
		if !again.IsZero() {
			f.timers[ref] = again
		}
		f.do(r, actions)
	}
}

func (f *farm) slots() delivery.AdmissionFacts {
	facts := delivery.AdmissionFacts{Capacity: f.capacity}
	for _, r := range f.runs {
		s := delivery.Slot{Run: r.ID, Job: build, Team: r.Team, Lane: r.Lane, Since: r.CreatedAt}
		switch j := r.Jobs[0]; {
		case j.State.Active():
			facts.Active = append(facts.Active, s)
		case j.State == delivery.JobQueued && !j.RetryAt.After(f.now):
			facts.Waiting = append(facts.Waiting, s)
		}
	}
	if len(facts.Active) > f.capacity {
		f.t.Fatalf("%d jobs are active, and there is room for %d", len(facts.Active), f.capacity)
	}
	return facts
}

func (f *farm) do(r *delivery.Run, actions []delivery.Action) {
	f.t.Helper()
	for _, a := range actions {
		switch a := a.(type) {
		case delivery.Record:
			if a.On != delivery.AdmissionRef {
				if err := f.fold(f.run(a.On), a.Event); err != nil {
					f.t.Fatalf("%s: %v", a.Event.Name(), err)
				}
			}
		case delivery.Wake:
			f.wake(a.Ref)
		case delivery.StartAttempt:
			f.start(r)
		case delivery.StopAttempt:
			if at := f.attempt(r); at != nil && !at.conduct.deaf {
				at.over = true
			}
		case delivery.ObserveAttempt:
			if at := f.attempt(r); (at == nil || at.over) && r.Jobs[0].State.Active() {
				_ = f.fold(r, r.Lost(r.Jobs[0], f.now, f.limits, delivery.Cause{Code: "attempt.gone", Text: "the pod is gone"}))
				f.wake(delivery.AdmissionRef)
			}
		}
	}
}

func (f *farm) fold(r *delivery.Run, e delivery.Event) error {
	next, err := r.Apply(e)
	if err != nil {
		return err
	}
	if r.State().Terminal() && text(f.t, next) != text(f.t, r) {
		f.t.Fatalf("%s changed a run that was %s", e.Name(), r.State())
	}
	if text(f.t, next) != text(f.t, r) {
		f.wake(r.Ref())
	}
	*r = next
	return nil
}

func (f *farm) start(r *delivery.Run) {
	if f.attempt(r) == nil {
		c := f.conducts[r.ID]
		n := r.Jobs[0].Attempt
		f.attempts = append(f.attempts, &attempt{run: r.ID, number: n, conduct: c[min(n, len(c))-1], started: f.now})
	}
}

// attempt finds the pod of the job's current attempt.
func (f *farm) attempt(r *delivery.Run) *attempt {
	for _, a := range f.attempts {
		if a.run == r.ID && a.number == r.Jobs[0].Attempt {
			return a
		}
	}
	return nil
}

// live is one second in the life of a runner.
func (f *farm) live(a *attempt) {
	if a.over || a.conduct.claimsAfter == 0 {
		return
	}
	r := f.run(delivery.Ref{Kind: delivery.KindRun, ID: string(a.run)})
	c, age := a.conduct, f.now.Sub(a.claimed)
	reached := func(d time.Duration) bool { return d > 0 && !a.claimed.IsZero() && age >= d }
	switch {
	case a.claimed.IsZero() && f.now.Sub(a.started) >= c.claimsAfter:
		a.claimed = f.now
		f.report(a, r, delivery.AttemptClaimed{Job: build, Attempt: a.number, TokenHash: string(a.run) + "-token", At: f.now})
	case reached(c.diesAfter):
		a.over = true
		f.wake(r.Ref()) // the executor's watch
	case reached(c.endsAfter):
		f.report(a, r, delivery.JobFinished{Job: build, Attempt: a.number, Seq: 1, Outcome: c.outcome, At: f.now})
		f.wake(delivery.AdmissionRef)
		a.over = true
	case reached(c.silentAfter):
	case !a.claimed.IsZero() && r.Cancel != nil && !c.deaf:
		f.report(a, r, delivery.JobFinished{Job: build, Attempt: a.number, Seq: 1, Outcome: delivery.JobCanceled, At: f.now})
		f.wake(delivery.AdmissionRef)
		a.over = true
	case !a.claimed.IsZero() && age%heartbeat == 0:
		f.report(a, r, delivery.AttemptSeen{Job: build, Attempt: a.number, At: f.now})
	}
}

// report sends a fact; a runner that reads Gone ends itself.
func (f *farm) report(a *attempt, r *delivery.Run, e delivery.Event) {
	if err := f.fold(r, e); errors.Is(err, delivery.ErrGone) {
		a.over = true
		f.gone++
	} else if err != nil {
		f.t.Fatalf("%s: %v", e.Name(), err)
	}
}

func (f *farm) run(ref delivery.Ref) *delivery.Run {
	for _, r := range f.runs {
		if r.Ref() == ref {
			return r
		}
	}
	f.t.Fatalf("no %s", ref)
	return nil
}
