package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	maxGroups    = 10
	maxSubjects  = 100
	maxApprovers = 20
	maxExpiry    = 30 * 24 * time.Hour
)

func checkApprovalPolicy(name string, p delivery.ApprovalPolicy, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckLabel("an approval policy", name))
	}
	if len(p.Groups)+len(p.Emergency.Groups) == 0 {
		bad("spec.groups", "groups are missing: say who approves, like {name: tech-leads, roles: [techlead], min: 1}")
	}
	bad.selector("spec.scope", p.Scope)
	bad.groups("spec.groups", p.Groups)
	bad.groups("spec.emergency.groups", p.Emergency.Groups)
	bad.expiry("spec.expiry", p.Expiry)
	bad.expiry("spec.emergency.expiry", p.Emergency.Expiry)
}

func (bad report) expiry(path string, d delivery.Duration) {
	if d != 0 && (d.Std() < time.Minute || d.Std() > maxExpiry) {
		bad(path, fmt.Sprintf("%s is out of range: it must be 1m to 30d", d))
	}
}

func (bad report) groups(path string, groups []delivery.ApprovalGroup) {
	if len(groups) > maxGroups {
		bad(path, fmt.Sprintf("there are %d groups, and may be %d", len(groups), maxGroups))
	}
	seen := map[string]bool{}
	for i, g := range groups {
		at := fmt.Sprintf("%s[%d]", path, i)
		if g.Name == "" {
			bad(at+".name", "name is missing: people read it where a release waits, like tech-leads")
		} else {
			bad.err(at+".name", delivery.CheckLabel("a group", g.Name))
		}
		if seen[g.Name] && g.Name != "" {
			bad(at+".name", fmt.Sprintf("there is another group %q: give each its own name", clip(g.Name)))
		}
		seen[g.Name] = true
		if len(g.Subjects)+len(g.Roles) == 0 {
			bad(at, "nobody is in the group: write subjects, like group:qa or user:ann, or roles")
		}
		if len(g.Subjects) > maxSubjects {
			bad(at+".subjects", fmt.Sprintf("there are %d subjects, and may be %d: name a group", len(g.Subjects), maxSubjects))
		}
		for j, role := range g.Roles {
			bad.oneOf(fmt.Sprintf("%s.roles[%d]", at, j), string(role), roleNames()...)
		}
		bad.within(at+".min", g.Min, 0, maxApprovers)
		bad.possible(at, g)
	}
}

func roleNames() []string {
	var names []string
	for _, r := range delivery.AllRoles() {
		names = append(names, string(r))
	}
	return names
}

// possible refuses a group that can never be met, since it names fewer people.
func (bad report) possible(at string, g delivery.ApprovalGroup) {
	open := len(g.Roles) > 0 || slices.ContainsFunc(g.Subjects, func(s delivery.Subject) bool {
		return s.Kind == delivery.SubjectGroup || s.Kind == delivery.SubjectEveryone
	})
	if n := len(slices.Compact(slices.SortedFunc(slices.Values(g.Subjects), bySubject))); !open && n > 0 && g.Min > n {
		bad(at+".min", fmt.Sprintf("min is %d, and the group has %d: nobody could ever approve", g.Min, n))
	}
}

func bySubject(a, b delivery.Subject) int { return strings.Compare(a.String(), b.String()) }

func checkDelegation(name string, d delivery.Delegation, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckLabel("a delegation", name))
	}
	for field, s := range map[string]delivery.Subject{"spec.from": d.From, "spec.to": d.To} {
		switch s.Kind {
		case "":
			bad(field, "it is missing: write user:NAME or group:NAME")
		case delivery.SubjectEveryone:
			bad(field, "a delegation is between people who are named: write user:NAME or group:NAME")
		}
	}
	switch {
	case d.Until.IsZero():
		bad("spec.until", "until is missing: a delegation ends, like 2026-12-01T09:00:00+08:00")
	case !d.Since.IsZero() && !d.Since.Before(d.Until.Time):
		bad("spec.until", "it ends before it begins")
	case d.From.Kind != "" && d.From == d.To:
		bad("spec.to", "from and to are the same")
	}
	bad.selector("spec.scope", d.Scope)
}

// checkApprovals looks for what policies and delegations are for.
func (s *Set) checkApprovals(of func(kind, name string) report) {
	for _, name := range sorted(s.Approvals) {
		s.checkScope(s.Approvals[name].Scope, of(KindApprovalPolicy, name))
	}
	for _, name := range sorted(s.Delegations) {
		s.checkScope(s.Delegations[name].Scope, of(KindDelegation, name))
	}
}

func (s *Set) checkScope(scope delivery.Selector, bad report) {
	for i, env := range scope.Environments {
		if _, ok := s.Environments[env]; !ok {
			bad(fmt.Sprintf("spec.scope.environments[%d]", i), fmt.Sprintf("there is no Environment %q%s", clip(env), DidYouMean(env, keys(s.Environments))))
		}
	}
}

// ApprovalsOf returns the policies that are for an App in an Environment, by name.
func (s *Set) ApprovalsOf(a delivery.App, env string) []delivery.ApprovalPolicy {
	var all []delivery.ApprovalPolicy
	for _, name := range sorted(s.Approvals) {
		if p := s.Approvals[name]; p.Scope.Matches(a, env) {
			all = append(all, p)
		}
	}
	return all
}
