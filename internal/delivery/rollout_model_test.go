package delivery_test

import (
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"pgregory.net/rapid"
)

// rollout is a small engine around one Target, its releases and a deployer. Like
// the real one it looks at an aggregate only when a change, a Wake, a timer or a
// watch woke it, so a lost wake-up shows as a release that never ends.
type rollout struct {
	t        rapid.TB
	now      time.Time
	target   delivery.Target
	releases []*delivery.Release
	deployer *deployerModel
	woken    []delivery.Ref
	timers   map[delivery.Ref]time.Time
	script   []cue
	wishes   []delivery.Desired
}

// cue is something that a person does at a time.
type cue struct {
	at time.Time
	do func(*rollout)
}

func newRollout(t rapid.TB) *rollout {
	return &rollout{
		t: t, now: t0, target: delivery.Target{App: "shop", Env: "prod"},
		deployer: &deployerModel{conduct: map[delivery.RevisionID]conduct{}},
		timers:   map[delivery.Ref]time.Time{},
	}
}

// offer proposes a release of a revision, as a person or an environment does.
func (w *rollout) offer(r delivery.Release) *delivery.Release {
	r.CreatedAt = w.now
	w.releases = append(w.releases, &r)
	w.wake(r.Ref())
	return &r
}

// tell folds a person's command; a refusal is the person's to read.
func (w *rollout) tell(r *delivery.Release, e delivery.Event) error {
	next, err := r.Apply(e)
	if err == nil {
		*r = next
		w.wake(r.Ref())
	}
	return err
}

func (w *rollout) tellTarget(e delivery.Event) {
	w.record(delivery.Record{On: w.target.Ref(), Event: e})
	w.wake(w.target.Ref())
}

func (w *rollout) wake(ref delivery.Ref) {
	if !slices.Contains(w.woken, ref) {
		w.woken = append(w.woken, ref)
	}
}

// run plays until nothing is due any more, or the limit of model time.
func (w *rollout) run(limit time.Duration) {
	w.t.Helper()
	end := w.now.Add(limit)
	for {
		w.quiet()
		w.checkQuiet()
		next := w.nextTime()
		if next.IsZero() || next.After(end) {
			w.now = end
			return
		}
		w.advance(next)
	}
}

// quiet works off what was woken. With the world standing still that has to end.
func (w *rollout) quiet() {
	w.t.Helper()
	const enough = 200
	for n := 0; len(w.woken) > 0; n++ {
		if n > enough {
			w.t.Fatalf("livelock at +%s: %v is woken again and again\n%s", w.now.Sub(t0), w.woken, text(w.t, w.target))
		}
		ref := w.woken[0]
		w.woken = w.woken[1:]
		delete(w.timers, ref)
		var actions []delivery.Action
		var again time.Time
		if ref == w.target.Ref() {
			actions, again = w.target.Next(w.now, delivery.TargetFacts{Waiting: w.waiting()})
		} else if r := w.release(ref); r != nil {
			actions, again = r.Next(w.now, delivery.ReleaseFacts{Target: w.target, NewerWaiting: w.newer(r)})
		}
		if !again.IsZero() {
			w.timers[ref] = again
		}
		for _, a := range actions {
			w.do(a)
		}
		w.check()
	}
}

func (w *rollout) do(a delivery.Action) {
	w.t.Helper()
	switch a := a.(type) {
	case delivery.Record:
		w.record(a)
	case delivery.Wake:
		w.wake(a.Ref)
	case delivery.ApplyDesired, delivery.ObserveTarget:
		if !w.deployer.answers(w.now) {
			w.timers[w.target.Ref()] = w.now.Add(5 * time.Second) // put off
			return
		}
		if _, observe := a.(delivery.ObserveTarget); observe {
			w.record(delivery.Record{On: w.target.Ref(), Event: delivery.TargetObserved{Observed: w.deployer.observe(w.now)}})
			return
		}
		if !w.deployer.apply(w.now, w.target.Desired) {
			w.t.Fatalf("the deployer was given the old generation %d", w.target.Desired.Generation)
		}
		w.record(delivery.Record{On: w.target.Ref(), Event: delivery.DesiredApplied{Generation: w.target.Desired.Generation}})
	}
}

// record folds a fact and wakes what it changed. A machine's own fact is never
// refused.
func (w *rollout) record(rec delivery.Record) {
	w.t.Helper()
	var before, after string
	if rec.On == w.target.Ref() {
		next, err := w.target.Apply(rec.Event)
		if err != nil {
			w.t.Fatalf("+%s: %s: %v", w.now.Sub(t0), rec.Event.Name(), err)
		}
		before, after = text(w.t, w.target), text(w.t, next)
		w.checkWish(rec.Event, next)
		w.target = next
	} else {
		r := w.release(rec.On)
		next, err := r.Apply(rec.Event)
		if err != nil {
			w.t.Fatalf("+%s: %s: %v", w.now.Sub(t0), rec.Event.Name(), err)
		}
		before, after = text(w.t, r), text(w.t, next)
		*r = next
	}
	if before != after {
		w.wake(rec.On)
	}
}

// checkWish holds the order in which wishes may follow each other.
func (w *rollout) checkWish(e delivery.Event, next delivery.Target) {
	w.t.Helper()
	was, is := w.target.Desired, next.Desired
	if is.Generation == was.Generation {
		return
	}
	w.wishes = append(w.wishes, is)
	if left, ok := e.(delivery.ReleaseLeft); ok && left.Deployed == nil && was.Canary != nil && is.Stable != nil {
		if was.Share != 0 || !w.target.Settled() {
			w.t.Errorf("a version was let go while it had %d %% of the traffic (settled: %v)", was.Share, w.target.Settled())
		}
	}
}

// check holds after every decision.
func (w *rollout) check() {
	w.t.Helper()
	for _, r := range w.releases {
		checkRelease(w.t, *r)
		active := !r.State.Terminal() && r.State != delivery.ReleaseIsProposed
		if active != (w.target.Active == r.ID) {
			w.t.Fatalf("%s is %s, and the Target is held by %q", r.ID, r.State, w.target.Active)
		}
		if r.Kind == delivery.ReleaseRollback && r.State == delivery.ReleaseFailed {
			w.t.Fatalf("a rollback failed")
		}
	}
}

// checkQuiet holds whenever nothing more is due at this instant.
func (w *rollout) checkQuiet() {
	w.t.Helper()
	for _, r := range w.releases {
		if r.ID != w.target.Active || r.Kind != delivery.ReleaseDeploy || r.Base == nil || r.Base.ID == r.Revision.ID {
			continue
		}
		share := 0
		if r.Ending == nil {
			share = r.Steps()[r.Batch].Percent
		}
		if d := w.target.Desired; d.Canary == nil || d.Canary.ID != r.Revision.ID || d.Stable.ID != r.Base.ID || d.Share != share {
			w.t.Errorf("+%s: %s wants %d %% and the wish is %s", w.now.Sub(t0), r.ID, share, text(w.t, d))
		}
	}
}

func (w *rollout) nextTime() time.Time {
	var next time.Time
	consider := func(at time.Time) {
		if at.After(w.now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, at := range w.timers {
		consider(at)
	}
	for _, at := range w.deployer.changes() {
		consider(at)
	}
	for _, c := range w.script {
		consider(c.at)
	}
	return next
}

func (w *rollout) advance(to time.Time) {
	from := w.now
	w.now = to
	w.deployer.pass(from, to)
	for ref, at := range w.timers {
		if !at.After(to) {
			w.wake(ref)
		}
	}
	for _, at := range w.deployer.changes() {
		if at.After(from) && !at.After(to) {
			w.wake(w.target.Ref())
		}
	}
	for _, c := range w.script {
		if c.at.After(from) && !c.at.After(to) {
			c.do(w)
		}
	}
}

func (w *rollout) release(ref delivery.Ref) *delivery.Release {
	for _, r := range w.releases {
		if r.Ref() == ref {
			return r
		}
	}
	return nil
}

func (w *rollout) waiting() (ids []delivery.ReleaseID) {
	for _, r := range w.releases {
		if r.State == delivery.ReleaseIsProposed {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// newer is the newest waiter behind r, when both are automatic.
func (w *rollout) newer(r *delivery.Release) delivery.ReleaseID {
	at := slices.Index(w.releases, r)
	for i := len(w.releases) - 1; i > at; i-- {
		if n := w.releases[i]; n.Automatic && r.Automatic && n.State == delivery.ReleaseIsProposed {
			return n.ID
		}
	}
	return ""
}
