package delivery

import (
	"slices"
	"strings"
)

// Voter is somebody as approvals see him: what his log-in says, and for whom else he
// may speak. It is kept with his vote, and policies judge it as they are later.
type Voter struct {
	Actor  Actor    `json:"actor"`
	Groups []string `json:"groups,omitempty"`
	// Roles are those for the App in the Environment.
	Roles []Role `json:"roles,omitempty"`
	// Approver tells that a role lets the voter approve there.
	Approver bool `json:"approver,omitempty"`
	// Known are further names: a full name, an e-mail address.
	Known []string `json:"known,omitempty"`
	// For are those whose delegation the voter holds.
	For []Lent `json:"for,omitempty"`
}

// Lent is somebody's place that a voter takes.
type Lent struct {
	From       Subject  `json:"from"`
	Delegation string   `json:"delegation"`
	Groups     []string `json:"groups,omitempty"`
	Roles      []Role   `json:"roles,omitempty"`
}

// in tells whether the voter may speak for a group, and by which delegation if not as
// himself.
func (v Voter) in(g ApprovalGroup) (by string, ok bool) {
	if slices.ContainsFunc(g.Subjects, v.is) || shared(g.Roles, v.Roles) {
		return "", true
	}
	for _, l := range v.For {
		if slices.ContainsFunc(g.Subjects, func(s Subject) bool { return s.lent(l) }) || shared(g.Roles, l.Roles) {
			return l.Delegation, true
		}
	}
	return "", false
}

// is tells whether the voter is meant. A program is only where it is named: nobody is
// two people by a token of his own.
func (v Voter) is(s Subject) bool {
	return s.Is(v.Actor, v.Groups) && (v.Actor.Kind == ActorUser || s.Kind == SubjectService) && (s.Kind != SubjectEveryone || v.Approver)
}

func (s Subject) lent(l Lent) bool {
	return s == l.From || s.Kind == SubjectGroup && slices.Contains(l.Groups, s.Name)
}

func shared(a, b []Role) bool {
	return slices.ContainsFunc(a, func(r Role) bool { return slices.Contains(b, r) })
}

// wrote tells whether the voter is the author of a commit, as far as names tell.
func (v Voter) wrote(c Commit) bool {
	for _, name := range append([]string{v.Actor.Name}, v.Known...) {
		local, _, _ := strings.Cut(c.Email, "@")
		if name != "" && (strings.EqualFold(name, c.Author) || strings.EqualFold(name, c.Email) || strings.EqualFold(name, local)) {
			return true
		}
	}
	return false
}
