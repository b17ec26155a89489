package delivery

import (
	"fmt"
	"time"
)

// ReleaseFacts is what a Release's Next looks at beside the release.
type ReleaseFacts struct {
	Target Target
	// NewerWaiting is a newer release that waits for the same Target, if any.
	NewerWaiting ReleaseID
	// Windows are what they say at the moment of the decision.
	Windows WindowStatus
	// Place is where it stands among those that wait for the same opening, if known.
	Place    Place
	Approval ApprovalFacts
	// Required is how what the Environment requires stands.
	Required RequirementFacts
}

// defaultDeadline limits the time that one batch may take to become healthy.
const defaultDeadline = 5 * time.Minute

// Blockers lists why a proposed release may not start now; none means it may.
// UI, CLI and cards show this same list.
func (r Release) Blockers(now time.Time, f ReleaseFacts) []Cause {
	var why []Cause
	if t := f.Target; t.Active != "" && t.Active != r.ID {
		why = append(why, Because("target.busy", Args{"target": t.Key(), "release": string(t.Active)}))
	}
	if p := f.Target.Paused; p != nil && r.Kind != ReleaseRollback {
		why = append(why, Because("target.paused", Args{"target": f.Target.Key(), "by": p.By.String()}))
	}
	if r.older(f.Target) {
		why = append(why, r.olderCause(f.Target))
	}
	if closed := r.windowBlocker(now, f); closed != nil {
		why = append(why, *closed)
	}
	if c, _ := r.requirementBlocker(now, f.Required); c != nil {
		why = append(why, *c)
	}
	if c := r.approvalBlocker(now, f.Approval); c != nil {
		why = append(why, *c)
	}
	return why
}

func (r Release) older(t Target) bool {
	running := t.Running()
	return r.Kind == ReleaseDeploy && running != nil && r.Revision.RunNumber < running.Revision.RunNumber
}

func (r Release) olderCause(t Target) Cause {
	running := t.Running().Revision.RunNumber
	return Because("release.older", Args{"target": t.Key(), "run": fmt.Sprint(r.Revision.RunNumber), "running": fmt.Sprint(running)})
}

// Next says what is due for the release, and when to look again.
func (r Release) Next(now time.Time, f ReleaseFacts) ([]Action, time.Time) {
	switch {
	case r.State == ReleaseIsProposed:
		return r.nextProposed(now, f)
	case r.State.Terminal():
		return nil, time.Time{}
	case f.Target.Active != r.ID:
		return nil, time.Time{} // its Target belongs to another release: stale
	case r.Ending != nil:
		return r.nextEnding(now, f.Target), time.Time{}
	}
	if stop := r.stopByWindow(now, f.Windows); stop != nil {
		return stop, time.Time{}
	}
	actions, again := r.nextBatch(now, f)
	return actions, soonest(again, r.windowEdge(f.Windows))
}

func (r Release) nextProposed(now time.Time, f ReleaseFacts) ([]Action, time.Time) {
	if f.NewerWaiting != "" {
		cause := Because("release.superseded", Args{"by": string(f.NewerWaiting)})
		return r.record(ReleaseReplaced{By: f.NewerWaiting, At: now, Cause: cause}), time.Time{}
	}
	if r.Automatic && r.older(f.Target) {
		return r.record(ReleaseReplaced{By: f.Target.Running().Release, At: now, Cause: r.olderCause(f.Target)}), time.Time{}
	}
	due, again := r.nextApproval(now, f.Approval)
	if len(due) > 0 {
		return due, again
	}
	if len(r.Blockers(now, f)) > 0 {
		decided, edge := r.waitForWindow(now, f)
		_, proved := r.requirementBlocker(now, f.Required)
		return decided, soonest(soonest(again, edge), proved)
	}
	return r.begins(now, f), time.Time{}
}

// begins starts a release that nothing keeps.
func (r Release) begins(now time.Time, f ReleaseFacts) []Action {
	var base *Revision
	if d := f.Target.Running(); d != nil {
		base = &d.Revision
	}
	started := r
	started.State, started.Base = ReleaseRolling, base
	return []Action{
		Record{r.Ref(), ReleaseStarted{Base: base, Replicas: f.Target.Desired.Replicas, At: now, Window: r.Decide(now, f.Windows)}},
		Record{f.Target.Ref(), ReleaseTook{Release: r.ID}},
		Record{f.Target.Ref(), DesiredChanged{Desired: started.want(f.Target, now)}},
	}
}

// waitForWindow keeps what Windows say of a release that waits, for whatever reason, and
// looks again when they say something else.
func (r Release) waitForWindow(now time.Time, f ReleaseFacts) ([]Action, time.Time) {
	d := r.Decide(now, f.Windows)
	if d == nil || d.Waived {
		return nil, time.Time{}
	}
	var actions []Action
	if !r.Window.same(*d) {
		actions = []Action{Record{r.Ref(), WindowDecided{Window: *d}}}
	}
	if d.waits(now) {
		return actions, d.again(now)
	}
	return actions, r.windowEdge(f.Windows)
}

// want returns the wish for the batch under way. What other machines set on the
// wish, it leaves alone.
func (r Release) want(t Target, startedAt time.Time) Desired {
	d := t.Desired
	if r.Kind == ReleaseScale {
		d.Replicas = r.Replicas
		return d
	}
	rev := r.Revision
	d.Warm, d.Prepare = r.warm(), ""
	if r.prepares() > 0 {
		d.Prepare = r.ID
	}
	switch {
	case r.Kind == ReleaseRestart:
		d.Stable, d.Canary, d.Share, d.RestartedAt = r.Base, nil, 0, startedAt
	case r.Base == nil:
		d.Stable, d.Canary, d.Share = nil, &rev, 100
	case r.Base.ID == rev.ID:
		d.Stable, d.Canary, d.Share = &rev, nil, 0
	case r.Kind == ReleaseRollback && revisionID(d.Stable) == rev.ID && d.Canary != nil:
		d.Share, d.Warm = 0, t.Desired.Warm // the old version is still there: going back is a switch of traffic
	default:
		d.Stable, d.Canary, d.Share = r.Base, &rev, r.Steps()[r.Batch].Percent
	}
	return d
}

// warm tells whether the old version stays as it is until the release is over: when
// versions share the traffic, or when going back is to be quick for a while.
func (r Release) warm() bool {
	return r.Kind == ReleaseDeploy && (len(r.Steps()) > 1 || r.Bake > 0)
}

// prepares is how long the command before the first instance may take; zero is none.
func (r Release) prepares() time.Duration {
	w := r.Revision.Config.Workload
	if r.Kind != ReleaseDeploy || w == nil || w.PreDeploy.Run == "" {
		return 0
	}
	return w.PreDeploy.Timeout.Or(DefaultPreDeploy)
}

func (r Release) nextBatch(now time.Time, f ReleaseFacts) ([]Action, time.Time) {
	t := f.Target
	if want := r.want(t, r.StartedAt); !want.Same(t.Desired) {
		return []Action{Record{t.Ref(), DesiredChanged{Desired: want}}}, time.Time{}
	}
	p := r.Batches[r.Batch]
	seen := t.Observed.Of(r.Revision.ID)
	deadline := p.StartedAt.Add(r.limit())
	switch {
	case t.Settled() && seen != nil && seen.Failed:
		return r.trouble(now, t, seen, Because("version.failed", nil))
	case t.Settled() && seen.Healthy():
		return r.nextReady(now, f, *seen)
	case !p.ReadyAt.IsZero():
		var cause *Cause
		if seen != nil {
			cause = seen.Cause
		}
		return []Action{Record{r.Ref(), BatchUnready{Batch: r.Batch, Cause: cause, At: now}}}, time.Time{}
	case !now.Before(deadline):
		return r.trouble(now, t, seen, r.lateCause(t))
	}
	return nil, deadline
}

// limit is how long the batch under way may take to become healthy.
func (r Release) limit() time.Duration {
	limit := r.Strategy.Deadline.Or(defaultDeadline)
	if r.Batch == 0 {
		limit += r.prepares()
	}
	return limit
}

// lateCause says why a batch passed its deadline: the version, or the deployer.
func (r Release) lateCause(t Target) Cause {
	args := Args{"limit": r.limit().String(), "target": t.Key()}
	if !t.Settled() {
		return Because("deployer.silent", args)
	}
	return Because("batch.deadline", args)
}

// retryEvery is how often a rollback wishes anew for a version that does not come.
const retryEvery = 15 * time.Second

// trouble fails a deploy or restart. A rollback never fails by itself: it says why
// and wishes again, since a deployer may have given the version up.
func (r Release) trouble(now time.Time, t Target, seen *ObservedVersion, otherwise Cause) ([]Action, time.Time) {
	cause := otherwise
	if seen != nil && seen.Cause != nil {
		cause = *seen.Cause
	}
	if r.Kind != ReleaseRollback {
		return []Action{Record{r.Ref(), BatchFailed{Cause: cause, At: now}}}, time.Time{}
	}
	since := r.Batches[r.Batch].TroubledAt
	switch due := since.Add(retryEvery); {
	case since.IsZero():
		return []Action{Record{r.Ref(), ReleaseTroubled{Cause: &cause, At: now}}}, now.Add(retryEvery)
	case now.Before(due):
		return nil, due
	}
	again := t.Desired
	again.Retry++
	return []Action{
		Record{r.Ref(), ReleaseTroubled{Cause: &cause, At: now}},
		Record{t.Ref(), DesiredChanged{Desired: again}},
	}, now.Add(retryEvery)
}

func (r Release) nextReady(now time.Time, f ReleaseFacts, seen ObservedVersion) ([]Action, time.Time) {
	t := f.Target
	p, steps := r.Batches[r.Batch], r.Steps()
	var actions []Action
	if p.ReadyAt.IsZero() {
		actions = append(actions, Record{r.Ref(), BatchReady{Batch: r.Batch, Effective: seen.Effective, At: now}})
		p.ReadyAt = now
	}
	last := r.Batch == len(steps)-1
	hold := steps[r.Batch].Hold
	holdOver := p.ReadyAt.Add(hold.For.Std())
	switch {
	case r.Pause != nil || t.Paused != nil && r.Kind != ReleaseRollback || hold.Manual:
		return actions, time.Time{} // a person goes on
	case now.Before(holdOver):
		return actions, holdOver
	case !last:
		if held, again, waits := r.holdBatch(now, f); waits {
			return append(actions, held...), again
		}
		return append(actions, Record{r.Ref(), BatchPassed{Batch: r.Batch, At: now, Window: r.Decide(now, f.Windows)}}), time.Time{}
	}
	return append(actions, r.deployed(now, t)...), time.Time{}
}

// deployed ends a release well. After a deploy the old version is kept for the
// bake, so that a rollback within it is a switch.
func (r Release) deployed(now time.Time, t Target) []Action {
	if r.Kind == ReleaseScale {
		return r.scaled(ReleaseDeployed, now, t)
	}
	rev := r.Revision
	left := ReleaseLeft{
		Release:  r.ID,
		Deployed: &Deployed{Revision: rev, Release: r.ID, At: now},
		Desired:  Desired{Stable: &rev, RestartedAt: t.Desired.RestartedAt, Replicas: r.keptReplicas(t)},
	}
	if r.Kind == ReleaseRollback {
		left.RolledBack = revisionID(r.Base)
	}
	if r.Kind == ReleaseDeploy && r.Bake > 0 && t.Desired.Canary != nil && t.Desired.Stable != nil {
		left.Desired, left.BakeUntil = t.Desired, now.Add(r.Bake.Std())
		left.Desired.Prepare, left.Desired.Replicas = "", r.keptReplicas(t)
	}
	return []Action{
		Record{r.Ref(), ReleaseEnded{State: ReleaseDeployed, At: now}},
		Record{t.Ref(), left},
	}
}

// keptReplicas is the number that a person has asked for, unless the catalog has another
// one than when that version came: then the catalog counts again.
func (r Release) keptReplicas(t Target) int {
	if r.Kind == ReleaseDeploy && r.Base != nil && r.Base.Config.Replicas != r.Revision.Config.Replicas {
		return 0
	}
	return t.Desired.Replicas
}

// scaled ends a scale: no version comes or goes, and one that is kept warm stays so for
// another bake.
func (r Release) scaled(state ReleaseState, now time.Time, t Target) []Action {
	left := ReleaseLeft{Release: r.ID, Desired: t.Desired}
	if t.Desired.Canary != nil && t.Desired.Stable != nil {
		left.BakeUntil = now.Add(r.Bake.Std())
	}
	return []Action{Record{r.Ref(), ReleaseEnded{State: state, At: now}}, Record{t.Ref(), left}}
}

// unscale goes back to the number before, and waits for nothing.
func (r Release) unscale(now time.Time, t Target) []Action {
	back := t.Desired
	if back.Replicas = r.BaseReplicas; !back.Same(t.Desired) {
		return []Action{Record{t.Ref(), DesiredChanged{Desired: back}}}
	}
	return r.scaled(r.Ending.State, now, t)
}

// nextEnding takes the traffic back first, and then lets the new version go.
func (r Release) nextEnding(now time.Time, t Target) []Action {
	if r.Kind == ReleaseScale {
		return r.unscale(now, t)
	}
	back := Desired{Stable: r.Base, Warm: t.Desired.Warm, RestartedAt: t.Desired.RestartedAt, Replicas: t.Desired.Replicas}
	if r.Base != nil && r.Base.ID != r.Revision.ID {
		rev := r.Revision
		back.Canary = &rev
	}
	if !back.Same(t.Desired) {
		return []Action{Record{t.Ref(), DesiredChanged{Desired: back}}}
	}
	if !t.Settled() {
		return nil
	}
	return []Action{
		Record{r.Ref(), ReleaseEnded{State: r.Ending.State, At: now}},
		Record{t.Ref(), ReleaseLeft{Release: r.ID, Desired: Desired{Stable: r.Base, RestartedAt: t.Desired.RestartedAt, Replicas: t.Desired.Replicas}}},
	}
}
