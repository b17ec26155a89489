package delivery

import (
	"slices"
	"time"
)

// Approval is what became of a release's request for consent.
type Approval struct {
	// Subject is what was asked for; consent to it is consent to nothing else.
	Subject Digest `json:"subject"`
	// Round counts the requests, from 1; one that stricter policies reopen is another.
	Round   int       `json:"round"`
	AskedAt time.Time `json:"askedAt"`
	AskedBy Actor     `json:"askedBy"`
	// Votes are the consents to the subject, in order; one that is reopened keeps them.
	Votes []Vote `json:"votes,omitempty"`
	// GrantedAt is when the last one came that was needed.
	GrantedAt time.Time `json:"grantedAt,omitzero"`
	// Void says why the votes count no more.
	Void *Cause `json:"void,omitempty"`
}

// Vote is one person's consent.
type Vote struct {
	Voter
	At time.Time `json:"at"`
	// Rule says by which groups it was allowed: "ApprovalPolicy/prod tech-leads".
	Rule string `json:"rule"`
	Note string `json:"note,omitempty"`
}

// Offer is what is asked consent for, as the catalog has it at one time.
type Offer struct {
	Revision Revision
	Strategy Strategy
	Bake     Duration
}

// ApprovalFacts is what decides on consents, as it is now.
type ApprovalFacts struct {
	// Policies are those that match, by name.
	Policies []ApprovalPolicy
	// Protected is the Environment's.
	Protected bool
	// Live is what the release would be if it were made now; nil is as it was made.
	Live *Offer
}

// Subject is the immutable thing that people consent to.
func (r Release) Subject() Digest { return r.offer().subject() }

func (r Release) offer() Offer { return Offer{r.Revision, r.Strategy, r.Bake} }

func (o Offer) subject() Digest {
	return HashJSON(struct {
		App, Env string
		Artifact Digest
		Revision RevisionID
		Strategy Strategy
		Bake     Duration
	}{o.Revision.App, o.Revision.Env, o.Revision.Artifact, o.Revision.ID, o.Strategy, o.Bake})
}

// ApprovedBy tells whether somebody has consented in this round.
func (r Release) ApprovedBy(a Actor) bool {
	return r.Approval != nil && r.Approval.Void == nil && r.Approval.by(a)
}

// approvalRule is one group of one policy that has to be met.
type approvalRule struct {
	policy string
	group  ApprovalGroup
	bar    ApprovalBar
}

func (a approvalRule) String() string { return "ApprovalPolicy/" + a.policy + " " + a.group.Name }

// builtinPolicy is what rules are by when no policy says so.
const builtinPolicy = "built-in"

// rules are what has to be met for a release to start; none means that it needs nobody.
func (f ApprovalFacts) rules(r Release) []approvalRule {
	switch {
	case r.Kind != ReleaseDeploy, r.Emergency != nil && r.Emergency.BreakGlass:
		return nil
	case r.Emergency != nil:
		return f.emergencyRules()
	}
	var all []approvalRule
	for _, p := range f.Policies {
		all = append(all, p.rules(p.Groups)...)
	}
	return all
}

func (f ApprovalFacts) emergencyRules() []approvalRule {
	var all []approvalRule
	for _, p := range f.Policies {
		all = append(all, p.rules(p.Emergency.Groups)...)
	}
	if len(all) > 0 {
		return all
	}
	bar := ApprovalBar{}
	if len(f.Policies) > 0 {
		bar = f.Policies[0].Bar
	}
	return ApprovalPolicy{Name: builtinPolicy, Bar: bar}.rules(emergencyGroups())
}

func (p ApprovalPolicy) rules(groups []ApprovalGroup) []approvalRule {
	all := make([]approvalRule, len(groups))
	for i, g := range groups {
		all[i] = approvalRule{p.Name, g, p.Bar}
	}
	return all
}

// bars says why somebody may not speak for a rule; "" when he may.
func (f ApprovalFacts) bars(rule approvalRule, r Release, v Voter) string {
	on := func(flag *bool) bool { return flag == nil && f.Protected || flag != nil && *flag }
	switch {
	case on(rule.bar.Requester) && (v.Actor == r.By || r.Approval != nil && v.Actor == r.Approval.AskedBy):
		return "requester"
	case on(rule.bar.Author) && v.wrote(r.Revision.Commit):
		return "author"
	case on(rule.bar.Builder) && r.BuiltBy != nil && v.Actor == *r.BuiltBy:
		return "builder"
	}
	return ""
}

// expiry is how long a request may wait for its answer: the shortest of the policies'.
func (f ApprovalFacts) expiry() time.Duration {
	shortest := time.Duration(0)
	for _, p := range f.Policies {
		if d := p.Expiry.Or(ApprovalExpiry); shortest == 0 || d < shortest {
			shortest = d
		}
	}
	return Duration(shortest).Or(ApprovalExpiry)
}

// emergencyLife is how long an emergency release may wait for its start.
func (f ApprovalFacts) emergencyLife() time.Duration {
	shortest := time.Duration(0)
	for _, p := range f.Policies {
		if d := p.Emergency.Expiry.Or(EmergencyExpiry); shortest == 0 || d < shortest {
			shortest = d
		}
	}
	return Duration(shortest).Or(EmergencyExpiry)
}

// GroupStanding is how far one group is.
type GroupStanding struct {
	Policy string `json:"policy"`
	Name   string `json:"name"`
	Min    int    `json:"min"`
	Have   int    `json:"have"`
	// Who are those whom the policy names.
	Who []string `json:"who,omitempty"`
}

// Standing is how a request for consent stands.
type Standing struct {
	Groups []GroupStanding `json:"groups"`
	// Met tells that nobody is waited for.
	Met bool `json:"met"`
	// Expires is when the request, or a granted approval, is too old; zero is never.
	Expires time.Time `json:"expires,omitzero"`
}

// Standing judges the votes by the policies as they are now.
func (r Release) Standing(f ApprovalFacts) Standing {
	rules := f.rules(r)
	var votes []Vote
	if r.Approval != nil && r.Approval.Void == nil {
		votes = r.Approval.Votes
	}
	needs := make([]int, len(rules))
	for i, rule := range rules {
		needs[i] = rule.group.min()
	}
	have := seats(needs, len(votes), func(group, person int) bool {
		_, in := votes[person].in(rules[group].group)
		return in && f.bars(rules[group], r, votes[person].Voter) == ""
	})
	s := Standing{Met: slices.Equal(have, needs), Groups: make([]GroupStanding, len(rules)), Expires: r.expires(f)}
	for i, rule := range rules {
		s.Groups[i] = GroupStanding{Policy: rule.policy, Name: rule.group.Name, Min: needs[i], Have: have[i], Who: rule.group.who()}
	}
	return s
}

// who names those whom a group has, as people know them.
func (g ApprovalGroup) who() []string {
	var names []string
	for _, s := range g.Subjects {
		if s.Kind == SubjectUser {
			names = append(names, s.Name)
			continue
		}
		names = append(names, s.String())
	}
	for _, role := range g.Roles {
		names = append(names, "role:"+string(role))
	}
	return names
}

// expires is when a proposed release has waited too long.
func (r Release) expires(f ApprovalFacts) time.Time {
	var at time.Time
	if a := r.Approval; a != nil && len(f.rules(r)) > 0 {
		if at = a.AskedAt.Add(f.expiry()); !a.GrantedAt.IsZero() {
			at = a.GrantedAt.Add(GrantedFor)
		}
	}
	if r.Emergency != nil {
		at = earliest(at, r.CreatedAt.Add(f.emergencyLife()))
	}
	return at
}
