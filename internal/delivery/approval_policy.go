package delivery

import "time"

// ApprovalPolicy says whose consent a deploy needs before it starts. Of several that
// match, each must be met, and a person counts once over all of them.
type ApprovalPolicy struct {
	Name string `json:"name"`
	// Scope is what the policy is for; empty is everything.
	Scope Selector `json:"scope,omitzero"`
	// Groups must all be met.
	Groups []ApprovalGroup `json:"groups,omitempty"`
	Bar    ApprovalBar     `json:"bar,omitzero"`
	// Expiry is how long a request waits for its answer; zero is a day.
	Expiry Duration `json:"expiry,omitempty"`
	// Emergency is asked for in place of Groups on the emergency lane.
	Emergency EmergencyPolicy `json:"emergency,omitzero"`
}

// ApprovalGroup is a number of different people of whom each may be any of those named.
type ApprovalGroup struct {
	Name string `json:"name"`
	// Subjects are people, groups and services. Everyone is whoever a role lets approve.
	Subjects []Subject `json:"subjects,omitempty"`
	// Roles are those that somebody has for the App in the Environment.
	Roles []Role `json:"roles,omitempty"`
	// Min is how many of them must approve; zero is one.
	Min int `json:"min,omitempty"`
}

func (g ApprovalGroup) min() int { return max(g.Min, 1) }

// ApprovalBar says who may not approve although a group has them. What is not set is
// true where the Environment is protected.
type ApprovalBar struct {
	// Requester made the release.
	Requester *bool `json:"requester,omitempty"`
	// Author wrote the newest commit in it.
	Author *bool `json:"author,omitempty"`
	// Builder started the run by hand that made its artifact.
	Builder *bool `json:"builder,omitempty"`
}

// EmergencyPolicy is what the emergency lane asks for. Without Groups it is two
// different people, at least one of them a tech lead.
type EmergencyPolicy struct {
	Groups []ApprovalGroup `json:"groups,omitempty"`
	// Expiry is the life of an emergency release from its request to its start; zero
	// is an hour.
	Expiry Duration `json:"expiry,omitempty"`
}

const (
	// ApprovalExpiry is how long a request waits for its answer.
	ApprovalExpiry = 24 * time.Hour
	// GrantedFor is how long a granted approval is good for while its release waits for
	// something else.
	GrantedFor = 7 * 24 * time.Hour
	// EmergencyExpiry is the life of an emergency release until it starts.
	EmergencyExpiry = time.Hour
)

// emergencyGroups are asked for when no policy that matches has its own.
func emergencyGroups() []ApprovalGroup {
	return []ApprovalGroup{
		{Name: "tech-leads", Roles: []Role{RoleTechLead}},
		{Name: "a-second-person", Subjects: []Subject{{Kind: SubjectEveryone}}},
	}
}

// Delegation lets others approve in somebody's place for a time. The delegate counts as
// himself when people are counted, and where somebody is barred.
type Delegation struct {
	Name string `json:"name"`
	// From is whose place is taken; To takes it.
	From Subject `json:"from"`
	To   Subject `json:"to"`
	// Since and Until bound it. Until is never empty.
	Since Moment   `json:"since,omitzero"`
	Until Moment   `json:"until"`
	Scope Selector `json:"scope,omitzero"`
}

// Lends tells whether somebody may approve for d.From at now.
func (d Delegation) Lends(now time.Time, a App, env string, to Actor, groups []string) bool {
	return !now.Before(d.Since.Time) && now.Before(d.Until.Time) && d.Scope.Matches(a, env) && d.To.Is(to, groups)
}
