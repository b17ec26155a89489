package delivery

import (
	"fmt"
	"slices"
	"strings"
)

// Ballot decides whether somebody may consent to a release, and returns the rules by
// which. Denied when he may not, with the reason: that comes first, so that nobody else
// learns how the release stands. Conflict when nobody is asked, or it is too late.
func (r Release) Ballot(f ApprovalFacts, v Voter) (rule string, err error) {
	rule, err = r.vote(f, v)
	if r.State != ReleaseIsProposed && KindOf(err) != Denied {
		return "", r.refuse("approve")
	}
	return rule, err
}

// vote is a Ballot whatever the state of the release.
func (r Release) vote(f ApprovalFacts, v Voter) (rule string, err error) {
	rules := f.rules(r)
	switch {
	case len(rules) == 0 && !v.Approver:
		return "", E(Denied, fmt.Sprintf("%s may not approve releases of %s: `shiplock can-i release.approve %s %s` says who may", v.Actor, TargetKey(r.App, r.Env), r.App, r.Env))
	case len(rules) == 0:
		return "", E(Conflict, "no approval is needed: no ApprovalPolicy is for "+TargetKey(r.App, r.Env)+", see `shiplock get approvalpolicies`")
	}
	var by []string
	barred := ""
	for _, one := range rules {
		delegation, in := v.in(one.group)
		if !in {
			continue
		}
		if why := f.bars(one, r, v); why != "" {
			barred = why
			continue
		}
		text := one.String()
		if delegation != "" {
			text += " by Delegation/" + delegation
		}
		by = append(by, text)
	}
	switch {
	case len(by) > 0:
		return strings.Join(slices.Compact(by), ", "), nil
	case barred != "":
		return "", E(Denied, refusalOf(barred, v.Actor))
	}
	return "", E(Denied, fmt.Sprintf("%s is in none of the groups that may approve: %s", v.Actor, groupNames(rules)))
}

// Unchanged refuses what differs now from what consent was asked for.
func (r Release) Unchanged(f ApprovalFacts) error {
	if r.Approval == nil || f.Live == nil || f.Live.subject() == r.Approval.Subject {
		return nil
	}
	c := r.voidCause(*f.Live)
	return E(Conflict, "cannot approve: "+c.Text+"; "+c.Next)
}

// refusalOf says why somebody who is in a group may not approve.
func refusalOf(bar string, a Actor) string {
	switch bar {
	case "author":
		return fmt.Sprintf("%s wrote the newest commit in it, and nobody approves his own work: ask another approver", a)
	case "builder":
		return fmt.Sprintf("%s started the run that built it, and nobody approves his own work: ask another approver", a)
	}
	return fmt.Sprintf("%s asked for this release, and nobody approves his own request: ask another approver", a)
}

func groupNames(rules []approvalRule) string {
	var all []string
	for _, r := range rules {
		text := r.group.Name
		if who := r.group.who(); len(who) > 0 {
			text += " (" + strings.Join(who, ", ") + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
