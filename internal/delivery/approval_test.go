package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func votes(names ...string) []delivery.Vote {
	var all []delivery.Vote
	for _, n := range names {
		all = append(all, delivery.Vote{Voter: delivery.Voter{Actor: person(n), Groups: []string{n + "s"}, Approver: true}, At: t0})
	}
	return all
}

func subjects(list ...string) []delivery.Subject {
	var all []delivery.Subject
	for _, text := range list {
		var s delivery.Subject
		if err := s.UnmarshalText([]byte(text)); err != nil {
			panic(err)
		}
		all = append(all, s)
	}
	return all
}

func group(name string, min int, who ...string) delivery.ApprovalGroup {
	return delivery.ApprovalGroup{Name: name, Min: min, Subjects: subjects(who...)}
}

// What a waiting release does about its approval, by what is asked for and given.
func TestApprovalDecides(t *testing.T) {
	policy := delivery.ApprovalPolicy{Name: "prod", Groups: []delivery.ApprovalGroup{group("leads", 1, "user:bob", "user:carol"), group("qa", 1, "user:carol", "user:dan")}}
	second := delivery.ApprovalPolicy{Name: "web", Groups: []delivery.ApprovalGroup{group("web", 2, "everyone")}, Expiry: delivery.Duration(time.Hour)}
	asked := func(by ...string) *delivery.Approval {
		return &delivery.Approval{Round: 1, AskedAt: t0, AskedBy: ann, Votes: votes(by...)}
	}
	granted := func(a *delivery.Approval) *delivery.Approval { a.GrantedAt = t0; return a }
	void := func(a *delivery.Approval) *delivery.Approval {
		c := delivery.Because("approval.void", delivery.Args{"what": "strategy", "release": "release-1"})
		a.Void = &c
		return a
	}
	const begins = "record release.started, record target.taken, record desired.changed"
	for name, tc := range map[string]struct {
		policies []delivery.ApprovalPolicy
		approval *delivery.Approval
		lane     *delivery.Emergency
		live     *delivery.Offer
		after    time.Duration
		due      string
		blocked  string
	}{
		"no policy":           {due: begins, blocked: "[]"},
		"not asked":           {policies: []delivery.ApprovalPolicy{policy}, due: "record approval.asked", blocked: "[approval.missing]"},
		"nobody yet":          {policies: []delivery.ApprovalPolicy{policy}, approval: asked(), due: "look again later", blocked: "[approval.missing]"},
		"one of two":          {policies: []delivery.ApprovalPolicy{policy}, approval: asked("carol"), due: "look again later", blocked: "[approval.missing]"},
		"one in both":         {policies: []delivery.ApprovalPolicy{policy}, approval: asked("carol", "bob"), due: "record approval.granted, look again later", blocked: "[]"},
		"two of the same":     {policies: []delivery.ApprovalPolicy{policy}, approval: asked("bob", "ann"), due: "look again later", blocked: "[approval.missing]"},
		"granted":             {policies: []delivery.ApprovalPolicy{policy}, approval: granted(asked("carol", "bob")), due: begins, blocked: "[]"},
		"both policies":       {policies: []delivery.ApprovalPolicy{policy, second}, approval: asked("carol", "bob"), due: "look again later", blocked: "[approval.missing]"},
		"both policies met":   {policies: []delivery.ApprovalPolicy{policy, second}, approval: asked("carol", "bob", "eve", "fay"), due: "record approval.granted, look again later", blocked: "[]"},
		"the shortest expiry": {policies: []delivery.ApprovalPolicy{policy, second}, approval: asked(), after: time.Hour, due: "record release.expired", blocked: "[approval.missing]"},
		"a day":               {policies: []delivery.ApprovalPolicy{policy}, approval: asked("bob"), after: 24 * time.Hour, due: "record release.expired", blocked: "[approval.missing]"},
		"granted for a week":  {policies: []delivery.ApprovalPolicy{policy}, approval: granted(asked("carol", "bob")), after: 7 * 24 * time.Hour, due: "record release.expired", blocked: "[]"},
		"granted, and now too little": {policies: []delivery.ApprovalPolicy{policy, second}, approval: granted(asked("carol", "bob")), due: "record approval.reopened, look again later",
			blocked: "[approval.missing]"},
		"void":                  {policies: []delivery.ApprovalPolicy{policy}, approval: void(asked("carol", "bob")), due: "look again later", blocked: "[approval.void]"},
		"void, and expired":     {policies: []delivery.ApprovalPolicy{policy}, approval: void(asked("carol")), after: 25 * time.Hour, due: "record release.expired", blocked: "[approval.void]"},
		"changed":               {policies: []delivery.ApprovalPolicy{policy}, approval: granted(asked("carol", "bob")), live: &delivery.Offer{Revision: revision(3)}, due: "record approval.voided, look again later", blocked: "[]"},
		"an emergency":          {policies: []delivery.ApprovalPolicy{policy}, approval: asked("carol", "bob"), lane: &delivery.Emergency{}, due: "look again later", blocked: "[approval.missing]"},
		"an emergency anywhere": {approval: asked("carol", "bob"), lane: &delivery.Emergency{}, due: "look again later", blocked: "[approval.missing]"},
		"an old emergency":      {approval: asked("carol", "bob"), lane: &delivery.Emergency{}, after: time.Hour, due: "record release.expired", blocked: "[approval.missing]"},
		"break glass":           {policies: []delivery.ApprovalPolicy{policy}, lane: &delivery.Emergency{BreakGlass: true}, due: begins, blocked: "[]"},
		"an old break glass":    {policies: []delivery.ApprovalPolicy{policy}, lane: &delivery.Emergency{BreakGlass: true}, after: time.Hour, due: "record release.expired", blocked: "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelease("release-1", delivery.ReleaseDeploy, 2)
			r.Approval, r.Emergency = tc.approval, tc.lane
			if r.Approval != nil {
				r.Approval.Subject = r.Subject()
			}
			f := delivery.ReleaseFacts{Approval: delivery.ApprovalFacts{Policies: tc.policies, Protected: true, Live: tc.live}}
			now := t0.Add(tc.after)
			actions, again := r.Next(now, f)
			if got := describe(actions, !again.IsZero()); got != tc.due {
				t.Errorf("due: %s, want %s", got, tc.due)
			}
			codes := []string{}
			for _, c := range r.Blockers(now, f) {
				codes = append(codes, c.Code)
				if c.Text == "" || c.Next == "" {
					t.Errorf("%s says %q, next %q", c.Code, c.Text, c.Next)
				}
			}
			if got := fmt.Sprint(codes); got != tc.blocked {
				t.Errorf("blocked by %s, want %s", got, tc.blocked)
			}
			for _, a := range actions { // what is due is accepted
				if rec := a.(delivery.Record); rec.On == r.Ref() {
					if _, err := r.Apply(rec.Event); err != nil {
						t.Errorf("%s: %v", rec.Event.Name(), err)
					}
				}
			}
		})
	}
}

// The emergency lane asks for two people, one of them a tech lead, unless a policy has
// groups of its own.
func TestWhoApprovesAnEmergency(t *testing.T) {
	lead := delivery.Voter{Actor: bob, Roles: []delivery.Role{delivery.RoleTechLead}, Approver: true}
	met := func(f delivery.ApprovalFacts, voters ...delivery.Voter) bool {
		r := newRelease("release-1", delivery.ReleaseDeploy, 2)
		r.Emergency, r.Approval = &delivery.Emergency{}, &delivery.Approval{Subject: r.Subject(), AskedAt: t0, AskedBy: ann}
		for _, v := range voters {
			r.Approval.Votes = append(r.Approval.Votes, delivery.Vote{Voter: v})
		}
		return r.Standing(f).Met
	}
	prod := delivery.ApprovalFacts{Protected: true}
	for name, tc := range map[string]struct {
		voters []delivery.Voter
		want   bool
	}{
		"nobody":               {nil, false},
		"a lead":               {[]delivery.Voter{lead}, false},
		"two others":           {[]delivery.Voter{{Actor: carol, Approver: true}, {Actor: person("dan"), Approver: true}}, false},
		"a lead and another":   {[]delivery.Voter{{Actor: carol, Approver: true}, lead}, true},
		"a lead and anybody":   {[]delivery.Voter{{Actor: carol}, lead}, false},
		"a lead and who asked": {[]delivery.Voter{{Actor: ann, Approver: true}, lead}, false},
		"a lead and a program": {[]delivery.Voter{{Actor: delivery.Actor{Kind: delivery.ActorService, Name: "ci"}, Approver: true}, lead}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := met(prod, tc.voters...); got != tc.want {
				t.Errorf("met: %v", got)
			}
		})
	}
	own := delivery.ApprovalPolicy{Name: "prod", Groups: []delivery.ApprovalGroup{group("qa", 1, "user:dan")}, Emergency: delivery.EmergencyPolicy{Groups: []delivery.ApprovalGroup{group("duty", 1, "group:duty")}}}
	f := delivery.ApprovalFacts{Policies: []delivery.ApprovalPolicy{own}}
	if !met(f, delivery.Voter{Actor: carol, Groups: []string{"duty"}}) || met(f, delivery.Voter{Actor: person("dan")}) {
		t.Error("a policy's own groups are not what is asked for")
	}
}

func TestSubjectsOfApprovals(t *testing.T) {
	r := newRelease("release-1", delivery.ReleaseDeploy, 2)
	same := r
	same.ID, same.Reason, same.By = "release-2", "other words", bob
	if r.Subject() != same.Subject() {
		t.Error("who asks, and why, is not what is asked")
	}
	for name, change := range map[string]func(*delivery.Release){
		"app":         func(r *delivery.Release) { r.Revision.App = "blog" },
		"environment": func(r *delivery.Release) { r.Revision.Env = "pre" },
		"image":       func(r *delivery.Release) { r.Revision.Artifact = "sha256:1" },
		"config":      func(r *delivery.Release) { r.Revision.ID = "rev-9" },
		"strategy":    func(r *delivery.Release) { r.Strategy = delivery.Strategy{} },
		"bake":        func(r *delivery.Release) { r.Bake = delivery.Duration(time.Hour) },
	} {
		other := r
		change(&other)
		if r.Subject() == other.Subject() {
			t.Errorf("another %s is the same subject", name)
		}
	}
}
