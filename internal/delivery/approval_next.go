package delivery

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// nextApproval says what is due about a waiting release's approval, and when to look
// again. While something is due the release does not start: it is looked at once more
// when that is written down.
func (r Release) nextApproval(now time.Time, f ApprovalFacts) ([]Action, time.Time) {
	s := r.Standing(f)
	if !s.Expires.IsZero() && !now.Before(s.Expires) {
		return r.record(ReleaseExpired{Cause: r.expiredCause(f), At: now}), time.Time{}
	}
	return r.record(r.approvalDue(now, f, s)), s.Expires
}

func (r Release) record(e Event) []Action {
	if e == nil {
		return nil
	}
	return []Action{Record{r.Ref(), e}}
}

func (r Release) approvalDue(now time.Time, f ApprovalFacts, s Standing) Event {
	switch a := r.Approval; {
	case len(s.Groups) == 0:
		return nil
	case a == nil:
		return ApprovalAsked{By: r.By, At: now}
	case a.Void != nil:
		return nil
	case f.Live != nil && f.Live.subject() != a.Subject:
		return ApprovalVoided{Cause: r.voidCause(*f.Live), At: now}
	case s.Met && a.GrantedAt.IsZero():
		return ApprovalGranted{At: now}
	case !s.Met && !a.GrantedAt.IsZero():
		return ApprovalReopened{At: now}
	}
	return nil
}

// Granted tells whether people have consented to all that the release is, or need not.
func (r Release) Granted(f ApprovalFacts) bool {
	s := r.Standing(f)
	return len(s.Groups) == 0 || s.Met && r.Approval != nil && (f.Live == nil || f.Live.subject() == r.Approval.Subject)
}

func (r Release) voidCause(live Offer) Cause {
	what := "configuration"
	switch {
	case live.Revision.ID != r.Revision.ID:
	case HashJSON(live.Strategy) != HashJSON(r.Strategy):
		what = "strategy"
	default:
		what = "bake"
	}
	return Because("approval.void", Args{"what": what, "release": string(r.ID)})
}

func (r Release) expiredCause(f ApprovalFacts) Cause {
	args := Args{"release": string(r.ID)}
	switch {
	case r.Emergency != nil:
		args["limit"] = Duration(f.emergencyLife()).String()
		return Because("emergency.expired", args)
	case !r.Approval.GrantedAt.IsZero():
		args["limit"] = Duration(GrantedFor).String()
		return Because("approval.stale", args)
	}
	args["limit"] = Duration(f.expiry()).String()
	return Because("approval.expired", args)
}

// approvalBlocker says whose consent is waited for; nil when nobody's is.
func (r Release) approvalBlocker(now time.Time, f ApprovalFacts) *Cause {
	s := r.Standing(f)
	if len(s.Groups) == 0 {
		return nil
	}
	if a := r.Approval; a != nil && a.Void != nil {
		return a.Void
	}
	if s.Met {
		return nil
	}
	args := Args{"release": string(r.ID)}
	if !s.Expires.IsZero() {
		args["left"] = roughly(s.Expires.Sub(now))
	}
	s.missing(args)
	c := Because("approval.missing", args)
	return &c
}

// missing names up to three groups that lack somebody, and counts the others.
func (s Standing) missing(args Args) {
	const most = 3
	n := 0
	for _, g := range s.Groups {
		if g.Have >= g.Min {
			continue
		}
		if n++; n > most {
			args["more"] = strconv.Itoa(n - most)
			continue
		}
		i := strconv.Itoa(n)
		args["n"+i], args["group"+i] = strconv.Itoa(g.Min-g.Have), g.Name
		if len(g.Who) > 0 {
			args["who"+i] = strings.Join(g.Who, ", ")
		}
	}
}

// roughly is a time in its largest unit: "23h", "40m".
func roughly(d time.Duration) string {
	switch d = max(d, 0); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours())/24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dm", max(int(d.Minutes()), 1))
}
