package delivery

import (
	"fmt"
	"slices"
	"time"
)

// Facts about a Release. At is when the fact was learned.
type (
	// ReleaseStarted takes a proposed release to its first batch.
	ReleaseStarted struct {
		Base *Revision
		At   time.Time
		// Replicas is what was asked for before, instead of what the Revision says.
		Replicas int
		Window   *WindowDecision `json:",omitempty"`
	}
	// BatchReady says that the batch is healthy with this effective share.
	BatchReady struct {
		Batch, Effective int
		At               time.Time
	}
	// BatchUnready says that a ready batch no longer is; its deadline runs anew.
	BatchUnready struct {
		Batch int
		Cause *Cause
		At    time.Time
	}
	// BatchPassed goes on to the next batch.
	BatchPassed struct {
		Batch  int
		At     time.Time
		Window *WindowDecision `json:",omitempty"`
	}
	// BatchHeld says that Windows hold up the batch after this one.
	BatchHeld struct {
		Batch  int
		Cause  Cause
		Window WindowDecision
		At     time.Time
	}
	// WindowDecided is what Windows now say of a release that has not started.
	WindowDecided struct{ Window WindowDecision }
	// BatchFailed sends the release back to the old version.
	BatchFailed struct {
		Cause Cause
		At    time.Time
	}
	// ReleaseTroubled is the Cause why a rollback still tries.
	ReleaseTroubled struct {
		Cause *Cause
		At    time.Time
	}
	// ContinueRequested ends the hold of a batch.
	ContinueRequested struct {
		By     Actor
		Batch  int
		At     time.Time
		Window *WindowDecision `json:",omitempty"`
	}
	// FullRequested goes to all traffic at once.
	FullRequested struct {
		By     Actor
		At     time.Time
		Window *WindowDecision `json:",omitempty"`
	}
	// PauseRequested stops batches from advancing; health is judged all the same.
	PauseRequested struct{ By Cancellation }
	// ResumeRequested undoes PauseRequested.
	ResumeRequested struct {
		By Actor
		At time.Time
	}
	// AbortRequested sends the release back to the old version.
	AbortRequested struct {
		By Cancellation
		// Cause is why, when nobody asked for it.
		Cause  *Cause          `json:",omitempty"`
		Window *WindowDecision `json:",omitempty"`
	}
	// ReleaseWithdrawn cancels a release that has not started.
	ReleaseWithdrawn struct{ By Cancellation }
	// ReleaseReplaced ends a waiting release because a newer one waits.
	ReleaseReplaced struct {
		By    ReleaseID
		Cause Cause
		At    time.Time
	}
	// ReleaseEnded says that the Target has reached what the end asks for.
	ReleaseEnded struct {
		State ReleaseState
		At    time.Time
	}
)

func (ReleaseStarted) Name() string    { return "release.started" }
func (BatchReady) Name() string        { return "batch.ready" }
func (BatchUnready) Name() string      { return "batch.unready" }
func (BatchPassed) Name() string       { return "batch.passed" }
func (BatchHeld) Name() string         { return "batch.held" }
func (WindowDecided) Name() string     { return "window.decided" }
func (BatchFailed) Name() string       { return "batch.failed" }
func (ReleaseTroubled) Name() string   { return "release.troubled" }
func (ContinueRequested) Name() string { return "continue.requested" }
func (FullRequested) Name() string     { return "full.requested" }
func (PauseRequested) Name() string    { return "pause.requested" }
func (ResumeRequested) Name() string   { return "resume.requested" }
func (AbortRequested) Name() string    { return "abort.requested" }
func (ReleaseWithdrawn) Name() string  { return "release.canceled" }
func (ReleaseReplaced) Name() string   { return "release.superseded" }
func (ReleaseEnded) Name() string      { return "release.ended" }

// Apply folds a fact into the release. It never changes r's own slices.
func (r Release) Apply(e Event) (Release, error) {
	r.Batches = slices.Clone(r.Batches)
	var err error
	switch e := e.(type) {
	case ReleaseStarted:
		err = r.start(e)
	case BatchReady:
		err = r.ready(e)
	case BatchUnready:
		err = r.unready(e)
	case BatchPassed:
		if err = r.onlyRolling("go on"); err == nil {
			err = r.pass(e.Batch, e.At, e.Window)
		}
	case BatchHeld:
		err = r.hold(e)
	case WindowDecided:
		err = r.windowDecided(e)
	case BatchFailed:
		err = r.fail(e)
	case ReleaseTroubled:
		err = r.whileActive("have trouble", func() { r.Cause, r.progress().TroubledAt = e.Cause, e.At })
	case ContinueRequested:
		err = r.goOn(e)
	case FullRequested:
		err = r.full(e)
	case PauseRequested:
		err = r.pause(e)
	case ResumeRequested:
		err = r.resume(e)
	case AbortRequested:
		err = r.abort(e)
	case ReleaseWithdrawn:
		err = r.withdraw(e)
	case ReleaseReplaced:
		err = r.replace(e)
	case ReleaseEnded:
		err = r.end(e)
	default:
		return r.applyOther(e)
	}
	return r, err
}

func (r Release) applyOther(e Event) (Release, error) {
	ok, err := r.applyApproval(e)
	if !ok {
		err = E(Internal, fmt.Sprintf("a release does not know the fact %T", e))
	}
	return r, err
}

func (r *Release) refuse(verb string) error {
	if r.Ending != nil && !r.State.Terminal() {
		return E(Conflict, fmt.Sprintf("cannot %s: the release is going back to the old version", verb))
	}
	hint := ""
	switch {
	case verb == "abort" && r.State == ReleaseDeployed:
		hint = "; roll back instead"
	case verb == "abort" && r.State == ReleaseIsProposed:
		hint = "; cancel it instead"
	case (verb == "cancel" || verb == "reject") && r.active():
		hint = "; abort it instead"
	}
	return E(Conflict, fmt.Sprintf("cannot %s: the release is %s%s", verb, r.State, hint))
}

func (r *Release) active() bool { return r.State == ReleaseRolling || r.State == ReleasePaused }

func (r *Release) whileActive(verb string, change func()) error {
	if !r.active() || r.Ending != nil {
		return r.refuse(verb)
	}
	change()
	return nil
}

// onlyRolling refuses what the machine may not do while a person is waited for.
func (r *Release) onlyRolling(verb string) error {
	if r.State != ReleaseRolling {
		return r.refuse(verb)
	}
	return nil
}

func (r *Release) start(e ReleaseStarted) error {
	if r.State != ReleaseIsProposed {
		return r.refuse("start")
	}
	r.State, r.Base, r.StartedAt = ReleaseRolling, e.Base, e.At
	if (r.Kind == ReleaseRestart || r.Kind == ReleaseScale) && e.Base != nil {
		r.Revision = *e.Base // what runs may have changed while it waited
	}
	if r.Kind == ReleaseScale {
		r.BaseReplicas = e.Replicas
	}
	if e.Window != nil {
		r.Window = e.Window
	}
	r.begin(e.At, e.Window)
	return nil
}

// begin opens the progress record of the batch under way.
func (r *Release) begin(at time.Time, w *WindowDecision) {
	r.Batches = append(r.Batches[:min(r.Batch, len(r.Batches))], BatchProgress{Asked: r.Steps()[r.Batch].Percent, StartedAt: at, Window: w})
	if r.Cause.ofWindow() {
		r.Cause = nil
	}
	if r.Window != nil && r.Window.Closed && (w == nil || !w.Closed) {
		r.Window = w // it waits no more
	}
}

func (r *Release) ready(e BatchReady) error {
	return r.whileActive("be ready", func() {
		p := r.progress()
		if e.Batch != r.Batch || !p.ReadyAt.IsZero() {
			return
		}
		p.ReadyAt, p.Effective, r.Cause = e.At, e.Effective, nil
		if r.Steps()[r.Batch].Hold.Manual {
			r.State = ReleasePaused
		}
	})
}

func (r *Release) unready(e BatchUnready) error {
	return r.whileActive("be unready", func() {
		p := r.progress()
		if e.Batch != r.Batch || p.ReadyAt.IsZero() {
			return
		}
		p.ReadyAt, p.StartedAt, r.Cause = time.Time{}, e.At, e.Cause
		if r.Pause == nil {
			r.State = ReleaseRolling
		}
	})
}

func (r *Release) pass(batch int, at time.Time, w *WindowDecision) error {
	return r.whileActive("go on", func() {
		p, last := r.progress(), len(r.Steps())-1
		if batch != r.Batch || r.Batch == last || p.ReadyAt.IsZero() {
			return
		}
		p.PassedAt = at
		r.Batch++
		r.begin(at, w)
		if r.Pause == nil {
			r.State = ReleaseRolling
		}
	})
}

func (r *Release) goOn(e ContinueRequested) error {
	switch p := r.progress(); {
	case !r.active() || r.Ending != nil:
		return r.refuse("continue")
	case e.Batch < r.Batch:
		return nil // somebody was faster
	case e.Batch > r.Batch:
		return E(Conflict, fmt.Sprintf("cannot continue: batch %d has not begun", e.Batch+1))
	case r.Pause != nil:
		return E(Conflict, "cannot continue: the release is paused by "+r.Pause.By.String()+"; resume it first")
	case p.ReadyAt.IsZero():
		return E(Conflict, "cannot continue: the batch under way is not healthy yet")
	}
	return r.pass(e.Batch, e.At, e.Window)
}

func (r *Release) full(e FullRequested) error {
	return r.whileActive("go to full", func() {
		last := len(r.Steps()) - 1
		r.Pause = nil
		r.State = ReleaseRolling
		if r.Batch < last {
			r.progress().PassedAt = e.At
			r.Batch = last
			r.jump(e.At, e.Window)
		}
	})
}

// jump opens the last batch, leaving out those between.
func (r *Release) jump(at time.Time, w *WindowDecision) {
	steps := r.Steps()
	for len(r.Batches) < r.Batch {
		b := BatchProgress{Asked: steps[len(r.Batches)].Percent, StartedAt: at, PassedAt: at}
		r.Batches = append(r.Batches, b)
	}
	r.begin(at, w)
}

// hold notes why the next batch waits.
func (r *Release) hold(e BatchHeld) error {
	if err := r.onlyRolling("hold a batch"); err != nil {
		return err
	}
	return r.whileActive("hold a batch", func() {
		if e.Batch == r.Batch {
			cause, window := e.Cause, e.Window
			r.Cause, r.Window = &cause, &window
		}
	})
}

func (r *Release) windowDecided(e WindowDecided) error {
	if r.State != ReleaseIsProposed {
		return r.refuse("wait for a window")
	}
	window := e.Window
	r.Window = &window
	return nil
}

func (r *Release) pause(e PauseRequested) error {
	return r.whileActive("pause", func() {
		if r.Pause == nil {
			by := e.By
			r.Pause, r.State = &by, ReleasePaused
		}
	})
}

func (r *Release) resume(e ResumeRequested) error {
	if r.Pause == nil && r.State == ReleasePaused && r.Ending == nil {
		return E(Conflict, "nobody paused the release: its batch holds until somebody continues it")
	}
	return r.whileActive("resume", func() {
		r.Pause = nil
		if p := r.progress(); p.ReadyAt.IsZero() || !r.Steps()[r.Batch].Hold.Manual {
			r.State = ReleaseRolling
		}
	})
}

func (r *Release) fail(e BatchFailed) error {
	return r.whileActive("fail", func() {
		cause := e.Cause
		r.Cause = &cause
		r.Pause, r.State = nil, ReleaseRolling
		r.Ending = &Ending{State: ReleaseFailed, Cause: &cause, At: e.At}
	})
}

func (r *Release) abort(e AbortRequested) error {
	if r.Ending != nil && r.Ending.State == ReleaseAborted {
		return nil
	}
	return r.whileActive("abort", func() {
		by := e.By
		cause := e.Cause
		if cause == nil {
			cause = by.cause("release.aborted")
		}
		if e.Window != nil {
			r.Window = e.Window
		}
		r.Cause, r.Pause, r.State = cause, nil, ReleaseRolling
		r.Ending = &Ending{State: ReleaseAborted, By: &by, Cause: cause, At: by.At}
	})
}

func (r *Release) withdraw(e ReleaseWithdrawn) error {
	if r.State == ReleaseCanceled {
		return nil
	}
	if r.State != ReleaseIsProposed {
		return r.refuse("cancel")
	}
	r.State, r.Cause, r.FinishedAt = ReleaseCanceled, e.By.cause("release.canceled"), e.By.At
	return nil
}

func (r *Release) replace(e ReleaseReplaced) error {
	if r.State == ReleaseSuperseded {
		return nil
	}
	if r.State != ReleaseIsProposed {
		return r.refuse("supersede")
	}
	cause := e.Cause
	r.State, r.SupersededBy, r.Cause, r.FinishedAt = ReleaseSuperseded, e.By, &cause, e.At
	return nil
}

func (r *Release) end(e ReleaseEnded) error {
	switch {
	case r.State == e.State && r.State.Terminal():
		return nil
	case !r.active():
		return r.refuse("end")
	case r.Ending != nil && e.State != r.Ending.State:
		return r.refuse("be " + string(e.State))
	case r.Ending == nil && e.State != ReleaseDeployed:
		return r.refuse("be " + string(e.State))
	case r.State == ReleasePaused:
		return r.refuse("be " + string(e.State))
	case r.Ending == nil && (r.Batch < len(r.Steps())-1 || r.progress().ReadyAt.IsZero()):
		return E(Conflict, "cannot be deployed: the last batch is not healthy yet")
	}
	if r.Ending == nil {
		r.progress().PassedAt, r.Cause = e.At, nil
	}
	r.State, r.FinishedAt, r.Pause = e.State, e.At, nil
	return nil
}
