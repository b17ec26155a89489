package delivery

import (
	"fmt"
	"slices"
	"strings"
)

// Decision is whether an Actor may do a command to an object, and by what.
type Decision struct {
	Allowed bool    `json:"allowed"`
	Actor   Actor   `json:"actor"`
	Command Command `json:"command"`
	Object  Object  `json:"object"`
	// Binding names the RoleBinding that allows it, and Role what that gives.
	Binding string `json:"binding,omitempty"`
	Role    Role   `json:"role,omitempty"`
	// Rule is what the audit says: "system", "hook", "administrator", or the binding
	// with its role, as "RoleBinding/web-owners: owner".
	Rule string `json:"rule,omitempty"`
	// Why is empty for what is allowed; else it says who may.
	Why string `json:"why,omitempty" text:"ours"`
}

// Err is nil when the Decision allows, and Denied otherwise.
func (d Decision) Err() error {
	if d.Allowed {
		return nil
	}
	return E(Denied, d.Why)
}

// maxAsked is how many rules and people an answer names.
const maxAsked = 3

// why says who may do what an actor may not. It names nobody to actors who may not even
// read the object, since that would tell that it exists.
func (p *Policy) why(d Decision, g Grants) string {
	if d.Allowed {
		return ""
	}
	if p.find(d.Actor, g.Groups, CmdRead, d.Object) == nil {
		return fmt.Sprintf("%s may not %s on %s: ask an administrator for a role there", d.Actor, d.Command, d.Object)
	}
	people, rules := p.who(d.Command, d.Object)
	if len(people) == 0 {
		return fmt.Sprintf("%s may not %s on %s: only an administrator may", d.Actor, d.Command, d.Object)
	}
	if d.Command == CmdReleaseCreate && p.Decide(d.Actor, g, CmdEmergencyRequest, d.Object).Allowed {
		return fmt.Sprintf("%s may not %s on %s: %s may (%s), or ask for the emergency lane", d.Actor, d.Command, d.Object, people, rules)
	}
	return fmt.Sprintf("%s may not %s on %s: %s may (%s)", d.Actor, d.Command, d.Object, people, rules)
}

// who lists the subjects of the rules that allow a command, and those rules.
func (p *Policy) who(cmd Command, on Object) (people, rules string) {
	var subjects, names []string
	for r := range p.all.near(on) {
		if !r.allows(cmd, on) || len(names) == maxAsked {
			continue
		}
		names = append(names, r.label())
		for _, s := range r.Subjects {
			if name := s.String(); !slices.Contains(subjects, name) {
				subjects = append(subjects, name)
			}
		}
	}
	if len(subjects) > maxAsked {
		subjects = append(subjects[:maxAsked], "…")
	}
	return strings.Join(subjects, ", "), strings.Join(names, "; ")
}
