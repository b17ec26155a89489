package delivery

import (
	"fmt"
	"slices"
	"time"
)

// Facts about a release's approval.
type (
	// ApprovalAsked begins a round: consent is asked for what the release then is.
	ApprovalAsked struct {
		By Actor
		At time.Time
		// Offer is what the catalog says meanwhile; nil leaves the release as it is.
		Offer *Offer `json:",omitempty"`
	}
	// ApprovalGiven is one person's consent to a subject.
	ApprovalGiven struct {
		Subject Digest
		Vote    Vote
	}
	// ApprovalGranted says that nobody is waited for any more.
	ApprovalGranted struct{ At time.Time }
	// ApprovalReopened says that the policies ask for more than when it was granted.
	ApprovalReopened struct{ At time.Time }
	// ApprovalVoided says that what was consented to is not what would be released.
	ApprovalVoided struct {
		Cause Cause
		At    time.Time
	}
	// ReleaseRejected ends a release that somebody does not consent to.
	ReleaseRejected struct{ By Cancellation }
	// ReleaseExpired ends a release that waited too long.
	ReleaseExpired struct {
		Cause Cause
		At    time.Time
	}
	// ReviewClosed ends the review that an emergency leaves behind.
	ReviewClosed struct{ By Cancellation }
)

func (ApprovalAsked) Name() string    { return "approval.asked" }
func (ApprovalGiven) Name() string    { return "approval.given" }
func (ApprovalGranted) Name() string  { return "approval.granted" }
func (ApprovalReopened) Name() string { return "approval.reopened" }
func (ApprovalVoided) Name() string   { return "approval.voided" }
func (ReleaseRejected) Name() string  { return "release.rejected" }
func (ReleaseExpired) Name() string   { return "release.expired" }
func (ReviewClosed) Name() string     { return "review.closed" }

// applyApproval folds the facts of this file; ok is false for others.
func (r *Release) applyApproval(e Event) (ok bool, err error) {
	switch e := e.(type) {
	case ApprovalAsked:
		return true, r.ask(e)
	case ApprovalGiven:
		return true, r.give(e)
	case ApprovalGranted:
		return true, r.whileAsked("be granted", func(a *Approval) {
			if a.GrantedAt.IsZero() {
				a.GrantedAt = e.At
			}
		}, func(a Approval) error {
			if len(a.Votes) == 0 {
				return E(Conflict, "cannot be granted: nobody has approved")
			}
			return nil
		})
	case ApprovalReopened:
		return true, r.whileAsked("be asked for again", func(a *Approval) { a.reopen(e.At) })
	case ApprovalVoided:
		return true, r.void(e)
	case ReleaseRejected:
		return true, r.endWaiting("reject", ReleaseIsRejected, e.By.cause("release.rejected"), e.By.At)
	case ReleaseExpired:
		return true, r.endWaiting("expire", ReleaseIsExpired, &e.Cause, e.At)
	case ReviewClosed:
		return true, r.review(e)
	}
	return false, nil
}

func (r *Release) ask(e ApprovalAsked) error {
	if r.State != ReleaseIsProposed {
		return r.refuse("ask for approval")
	}
	if a := r.Approval; a != nil && a.Void == nil {
		return E(Conflict, "approval is asked for already: it is waited for")
	}
	round := 1
	if r.Approval != nil {
		round = r.Approval.Round + 1
	}
	if o := e.Offer; o != nil {
		r.Revision, r.Strategy, r.Bake = o.Revision, o.Strategy, o.Bake
	}
	r.Approval = &Approval{Subject: r.Subject(), Round: round, AskedAt: e.At, AskedBy: e.By}
	return nil
}

func (r *Release) give(e ApprovalGiven) error {
	return r.whileAsked("approve", func(a *Approval) {
		if !a.by(e.Vote.Actor) { // or it is a second click
			a.Votes = append(slices.Clone(a.Votes), e.Vote)
		}
	}, func(a Approval) error {
		if a.Subject != e.Subject {
			return E(Conflict, "what is released has changed since you looked: look again, and approve what it is now")
		}
		return nil
	})
}

// reopen begins another round, which people are told of, with the votes there are.
func (a *Approval) reopen(at time.Time) {
	if !a.GrantedAt.IsZero() {
		a.GrantedAt, a.AskedAt, a.Round = time.Time{}, at, a.Round+1
	}
}

func (a Approval) by(actor Actor) bool {
	return slices.ContainsFunc(a.Votes, func(v Vote) bool { return v.Actor == actor })
}

// whileAsked changes a copy of the approval of a release that waits for it.
func (r *Release) whileAsked(verb string, change func(*Approval), checks ...func(Approval) error) error {
	switch a := r.Approval; {
	case r.State != ReleaseIsProposed:
		return r.refuse(verb)
	case a == nil:
		return E(Conflict, fmt.Sprintf("cannot %s: nobody's approval is asked for", verb))
	case a.Void != nil:
		return E(Conflict, fmt.Sprintf("cannot %s: %s; %s", verb, a.Void.Text, a.Void.Next))
	}
	for _, check := range checks {
		if err := check(*r.Approval); err != nil {
			return err
		}
	}
	a := *r.Approval
	change(&a)
	r.Approval = &a
	return nil
}

func (r *Release) void(e ApprovalVoided) error {
	if r.Approval != nil && r.Approval.Void != nil {
		return nil
	}
	return r.whileAsked("be void", func(a *Approval) {
		cause := e.Cause
		a.Void, a.GrantedAt = &cause, time.Time{}
	})
}

// endWaiting ends a release that has not started.
func (r *Release) endWaiting(verb string, state ReleaseState, cause *Cause, at time.Time) error {
	if r.State == state {
		return nil
	}
	if r.State != ReleaseIsProposed {
		return r.refuse(verb)
	}
	r.State, r.Cause, r.FinishedAt = state, cause, at
	return nil
}
