package delivery

import (
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Facts about a Target.
type (
	// ReleaseTook gives a release the Target.
	ReleaseTook struct{ Release ReleaseID }
	// DesiredChanged is a new wish; the Target gives it the next generation.
	DesiredChanged struct{ Desired Desired }
	// DesiredApplied says that the deployer accepted a generation, maybe once more.
	DesiredApplied struct {
		Generation int64
		At         time.Time
	}
	// TargetObserved is what the deployer saw.
	TargetObserved struct{ Observed Observed }
	// ReleaseLeft ends a release's hold on the Target. Deployed is nil unless it
	// ended well. Desired is what the Target keeps wishing.
	ReleaseLeft struct {
		Release   ReleaseID
		Deployed  *Deployed
		Desired   Desired
		BakeUntil time.Time
		// RolledBack is the revision that a rollback left behind.
		RolledBack RevisionID
	}
	// BakeEnded lets the old version go.
	BakeEnded struct{}
	// TargetPaused stops releases from starting and batches from advancing.
	TargetPaused struct{ By Cancellation }
	// TargetResumed undoes TargetPaused.
	TargetResumed struct{}
)

func (ReleaseTook) Name() string    { return "target.taken" }
func (DesiredChanged) Name() string { return "desired.changed" }
func (DesiredApplied) Name() string { return "desired.applied" }
func (TargetObserved) Name() string { return "target.observed" }
func (ReleaseLeft) Name() string    { return "target.left" }
func (BakeEnded) Name() string      { return "bake.ended" }
func (TargetPaused) Name() string   { return "target.paused" }
func (TargetResumed) Name() string  { return "target.resumed" }

// maxHistory bounds a Target's history.
const maxHistory = 20

// Same tells whether two wishes ask for the same thing; generations do not count.
func (d Desired) Same(o Desired) bool {
	return revisionID(d.Stable) == revisionID(o.Stable) && revisionID(d.Canary) == revisionID(o.Canary) &&
		d.Share == o.Share && d.Warm == o.Warm && d.Prepare == o.Prepare && d.Retry == o.Retry && d.Replicas == o.Replicas && d.RestartedAt.Equal(o.RestartedAt)
}

func revisionID(r *Revision) RevisionID {
	if r == nil {
		return ""
	}
	return r.ID
}

// Settled tells whether the newest observation is about the newest wish, and the
// deployer has nothing left to do for it.
func (t Target) Settled() bool {
	return t.Applied == t.Desired.Generation && t.Observed.Generation == t.Desired.Generation && !t.Observed.Behind
}

// healthy tells whether all that is seen is.
func (t Target) healthy() bool {
	return !slices.ContainsFunc(t.Observed.Versions, func(v ObservedVersion) bool { return !v.Healthy() })
}

// behind tells whether the deployer has something left to do for the newest wish.
func (t Target) behind() bool {
	return t.Observed.Behind && t.Observed.Generation == t.Desired.Generation
}

// toldAgain is when a deployer that is behind may be told again: at once at first, and
// then ever less often, since what it does may be undone each time.
func (t Target) toldAgain() time.Time {
	if t.Told == 0 {
		return t.ToldAt
	}
	return t.ToldAt.Add(min(time.Second<<min(t.Told-1, 10), time.Minute))
}

// TargetFacts is what a Target's Next looks at.
type TargetFacts struct {
	// Waiting are the proposed releases that wait for this Target.
	Waiting []ReleaseID
}

// Next says what is due. Whatever woke the Target, what the deployer sees is read
// again: reading is cheap, and watches say only that something changed. A wish
// that is not seen yet, or a version that is not healthy during a release, is looked at
// again even when no watch says a word: some judgements are made by time alone.
func (t Target) Next(now time.Time, f TargetFacts) (actions []Action, again time.Time) {
	if !t.Settled() || t.Active != "" && !t.healthy() {
		again = now.Add(settleCheck)
	}
	switch {
	case t.Desired.Generation == 0:
	case t.Applied < t.Desired.Generation || t.Observed.Generation == lostGeneration:
		actions = append(actions, ApplyDesired{})
	case t.behind() && !now.Before(t.toldAgain()):
		actions = append(actions, ApplyDesired{}, ObserveTarget{})
	case t.behind():
		actions, again = append(actions, ObserveTarget{}), earliest(again, t.toldAgain())
	default:
		actions = append(actions, ObserveTarget{})
	}
	if t.Active != "" {
		return append(actions, Wake{Ref: Ref{KindRelease, string(t.Active)}}), again
	}
	for _, id := range f.Waiting {
		actions = append(actions, Wake{Ref: Ref{KindRelease, string(id)}})
	}
	if t.BakeUntil.IsZero() || now.Before(t.BakeUntil) {
		return actions, earliest(again, t.BakeUntil)
	}
	return append(actions, Record{t.Ref(), BakeEnded{}}), again
}

// settleCheck is how often a wish that is not seen yet is looked at, and how long
// a deployer that accepted one may know nothing of it before it is told again.
const settleCheck = 10 * time.Second

// lostGeneration marks an observation by a deployer that forgot the Target.
const lostGeneration = -1

// Apply folds a fact into the Target.
func (t Target) Apply(e Event) (Target, error) {
	switch e := e.(type) {
	case ReleaseTook:
		return t.take(e)
	case DesiredChanged:
		return t.wish(e.Desired), nil
	case DesiredApplied:
		if e.Generation < t.Applied {
			return t, nil
		}
		if e.Generation == t.Applied && t.behind() {
			t.Told, t.ToldAt = t.Told+1, e.At
		}
		t.Applied = e.Generation
		if t.Observed.Generation == lostGeneration {
			t.Observed.Generation = 0
		}
		return t, nil
	case TargetObserved:
		return t.observe(e.Observed), nil
	case ReleaseLeft:
		return t.leave(e)
	case BakeEnded:
		if t.Active != "" || t.BakeUntil.IsZero() {
			return t, nil
		}
		t.BakeUntil = time.Time{}
		return t.wish(Desired{Stable: t.Desired.serving(), RestartedAt: t.Desired.RestartedAt, Replicas: t.Desired.Replicas}), nil
	case TargetPaused:
		by := e.By
		t.Paused = &by
		return t, nil
	case TargetResumed:
		t.Paused = nil
		return t, nil
	}
	return t, E(Internal, fmt.Sprintf("a target does not know the fact %T", e))
}

func (t Target) take(e ReleaseTook) (Target, error) {
	if t.Active != "" && t.Active != e.Release {
		return t, E(Conflict, t.Key()+" is held by another release")
	}
	t.Active, t.BakeUntil = e.Release, time.Time{}
	return t, nil
}

func (t Target) wish(d Desired) Target {
	if t.Desired.Generation > 0 && t.Desired.Same(d) {
		return t
	}
	d.Generation = t.Desired.Generation + 1
	t.Desired, t.Told, t.ToldAt = d, 0, time.Time{}
	return t
}

// observe takes a newer observation; one about an older wish than the deployer has
// accepted is late. A deployer that knows nothing of a Target that it showed before
// forgot it; one that never showed it may only be slow, and gets settleCheck.
func (t Target) observe(o Observed) Target {
	switch seen := t.Observed; {
	case o.Generation >= t.Applied:
		if !o.same(seen) {
			t.Observed = o
		}
	case o.Generation > 0 || seen.Generation == lostGeneration:
	case seen.Generation == 0 && seen.At.IsZero():
		t.Observed.At = o.At
	case seen.Generation > 0 || !o.At.Before(seen.At.Add(settleCheck)):
		t.Observed = Observed{Generation: lostGeneration, At: o.At}
	}
	if !t.Observed.Behind {
		t.Told, t.ToldAt = 0, time.Time{}
	}
	return t
}

func (t Target) leave(e ReleaseLeft) (Target, error) {
	if t.Active != e.Release {
		return t, E(Conflict, t.Key()+" is not held by this release")
	}
	t.Active, t.BakeUntil = "", e.BakeUntil
	if e.Deployed != nil {
		t.History = slices.Clone(t.History)
		for i := range t.History {
			if t.History[i].Revision.ID == e.RolledBack {
				t.History[i].RolledBack = true
			}
		}
		t.History = append(t.History, *e.Deployed)
		if extra := len(t.History) - maxHistory; extra > 0 {
			t.History = t.History[extra:]
		}
	}
	return t.wish(e.Desired), nil
}

// same compares two observations but for their times.
func (o Observed) same(p Observed) bool {
	o.At, p.At = time.Time{}, time.Time{}
	return reflect.DeepEqual(o, p)
}

// serving returns the revision that takes all traffic, or the stable one.
func (d Desired) serving() *Revision {
	if d.Canary != nil && d.Share == 100 {
		return d.Canary
	}
	return d.Stable
}
