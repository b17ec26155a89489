package delivery

import "time"

// Event is a fact about one aggregate. Name is its stable name in the history.
type Event interface{ Name() string }

// Action is one thing that a machine says is due. Effects act on the world
// through a port and may yield events; Record and Wake are pure.
type Action interface{ action() }

// Record folds an event into an aggregate, in the same transaction as every
// other record of the same decision.
type Record struct {
	On    Ref
	Event Event
}

// Wake asks for another aggregate's Next once the decision is committed.
type Wake struct {
	Ref Ref
	At  time.Time // zero: at once
}

// ChooseStack refines an open Plan by the commit's own files before the job's current
// attempt is started.
type ChooseStack struct{ Job string }

// StartAttempt starts the job's current attempt; idempotent by its key.
type StartAttempt struct{ Job string }

// ObserveAttempt asks the executor whether the attempt is alive.
type ObserveAttempt struct{ Job string }

// StopAttempt ends the attempt's process or pod; idempotent.
type StopAttempt struct{ Job string }

// ExpandHook matches the push with the catalog and creates its runs.
type ExpandHook struct{}

// WithdrawPushes cancels what is queued for a branch that was deleted.
type WithdrawPushes struct{}

// ProposeRelease makes a release of a successful run.
type ProposeRelease struct{ Artifact Artifact }

// ApplyDesired tells the deployer the Target's wish.
type ApplyDesired struct{}

// ObserveTarget reads what the deployer sees.
type ObserveTarget struct{}

// SendStatus tells the forge a run's status.
type SendStatus struct{ Status CommitStatus }

func (Record) action()         {}
func (Wake) action()           {}
func (ChooseStack) action()    {}
func (StartAttempt) action()   {}
func (ObserveAttempt) action() {}
func (StopAttempt) action()    {}
func (ExpandHook) action()     {}
func (WithdrawPushes) action() {}
func (ProposeRelease) action() {}
func (ApplyDesired) action()   {}
func (ObserveTarget) action()  {}
func (SendStatus) action()     {}

// earliest returns the earlier of two times, of which zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
