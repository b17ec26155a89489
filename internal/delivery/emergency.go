package delivery

import (
	"net/url"
	"strings"
)

// Emergency says that a release takes the emergency lane: it waits for no window, and
// for approvals of its own. The release's Reason is never empty then.
type Emergency struct {
	// Incident is where what happened is written down, such as the link of a ticket.
	Incident string `json:"incident"`
	// BreakGlass tells that nobody could be reached who may approve it.
	BreakGlass bool `json:"breakGlass,omitempty"`
	// Review is what was found afterwards; nil until somebody closes it.
	Review *Cancellation `json:"review,omitempty"`
}

// Command is what asks for such a release.
func (e Emergency) Command() Command {
	if e.BreakGlass {
		return CmdBreakGlass
	}
	return CmdEmergencyRequest
}

// Check refuses an emergency that does not say what happened; nil is none.
func (e *Emergency) Check(reason string) error {
	if e == nil {
		return nil
	}
	link, err := url.Parse(e.Incident)
	switch {
	case strings.TrimSpace(reason) == "":
		return E(Invalid, "an emergency needs its reason: say with --reason what is broken")
	case err != nil || link.Scheme != "https" && link.Scheme != "http" || link.Host == "":
		return E(Invalid, "an emergency needs the link of its incident: write --incident https://…")
	}
	return nil
}

// UnderReview tells that somebody has to look at an emergency afterwards: one that began,
// or that nobody was asked about.
func (r Release) UnderReview() bool {
	return r.Emergency != nil && r.Emergency.Review == nil && (!r.StartedAt.IsZero() || r.Emergency.BreakGlass)
}

func (r *Release) review(e ReviewClosed) error {
	switch {
	case r.Emergency == nil:
		return E(Conflict, "cannot close its review: the release was no emergency")
	case r.Emergency.Review != nil:
		return nil
	case !r.State.Terminal():
		return E(Conflict, "cannot close its review: the release is "+string(r.State)+", and not over")
	case !r.UnderReview():
		return E(Conflict, "cannot close its review: the release never started, so there is nothing to look at")
	case e.By.By == r.By:
		return E(Denied, "whoever asked for an emergency does not review it: somebody else closes it")
	case strings.TrimSpace(e.By.Reason) == "":
		return E(Invalid, "say with --note what was found")
	}
	em, by := *r.Emergency, e.By
	em.Review = &by
	r.Emergency = &em
	return nil
}
