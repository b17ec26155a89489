package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// who is a person in groups, who may do everything: approvals ask for more than that.
func who(name string, groups ...string) engine.Principal {
	return engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: name}, Grants: delivery.Grants{Admin: true, Groups: groups}}
}

const twoGroups = `{"scope":{"environments":["prod"]},"groups":[{"name":"tech-leads","subjects":["group:leads"]},{"name":"qa","subjects":["group:qa","user:kim"]}]}`

// approving is inProd, but that prod asks for consent by a policy.
func approving(t *testing.T, policy string, story func(t *testing.T, w *world)) {
	t.Helper()
	inProd(t, func(t *testing.T, w *world) {
		w.apply(document("ApprovalPolicy", "prod", policy))
		story(t, w)
	})
}

func (w *world) approve(id delivery.ReleaseID, p engine.Principal) error {
	_, err := w.Approve(w.t.Context(), p, id, engine.Consent{})
	synctest.Wait()
	return err
}

// wantBlocked wants exactly one blocker, that says something.
func (w *world) wantWait(id delivery.ReleaseID, says string) {
	w.t.Helper()
	why, err := w.Blockers(w.t.Context(), w.release(id))
	w.must(err)
	if len(why) != 1 || !strings.Contains(why[0].Text, says) || why[0].Next == "" {
		w.t.Fatalf("it waits because of %+v, want …%s…", why, says)
	}
}

func (w *world) wantExpired(id delivery.ReleaseID, code string) {
	w.t.Helper()
	if r := w.wantRelease(id, delivery.ReleaseIsExpired); r.Cause == nil || r.Cause.Code != code {
		w.t.Errorf("it expired because of %+v, want %s", r.Cause, code)
	}
}

func TestApprovedReleaseStartsByItself(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.wantWait(id, "waits for 1 more of tech-leads (group:leads), 1 more of qa (group:qa, kim); expires in 24h")
		w.refused(w.approve(id, who("ann", "leads", "qa")), delivery.Denied, "ann asked for this release, and nobody approves his own request")
		w.refused(w.approve(id, who("eve", "others")), delivery.Denied, "eve is in none of the groups that may approve: tech-leads (group:leads), qa (group:qa, kim)")
		w.must(w.approve(id, who("lee", "leads", "qa")))
		w.must(w.approve(id, who("lee", "leads", "qa"))) // a second click
		w.wantWait(id, "waits for 1 more of qa")
		w.must(w.approve(id, who("kim")))
		r := w.wantRelease(id, delivery.ReleasePaused) // its first batch holds
		if n := len(r.Approval.Votes); n != 2 || r.Approval.Votes[0].Rule != "ApprovalPolicy/prod tech-leads, ApprovalPolicy/prod qa" || r.Approval.GrantedAt.IsZero() {
			t.Errorf("approval: %+v", r.Approval)
		}
		w.must(w.approve(id, who("lee", "leads"))) // late, and no news
		w.refused(w.approve(id, who("max", "qa")), delivery.Conflict, "the release is paused")
		_, err := w.Reject(t.Context(), who("kim"), id, "no")
		w.refused(err, delivery.Conflict, "cannot reject: the release is paused; abort it instead")
		if a := w.audit()[0]; a.Command != delivery.CmdReleaseApprove || a.Rule != "ApprovalPolicy/prod qa" {
			t.Errorf("audit: %+v", a)
		}
	})
}

// One person is one person, in however many groups he is.
func TestAPersonCountsOnce(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.must(w.approve(id, who("lee", "leads", "qa")))
		w.wantWait(id, "1 more of qa")
		w.must(w.approve(id, who("bob", "leads"))) // lee now counts as qa
		w.wantRelease(id, delivery.ReleasePaused)
	})
}

func TestRollbackNeedsNoApproval(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.must(w.command(w.create(engine.CreateRelease{Env: "prod", From: "dev"}), delivery.CmdReleaseFull))
		w.apply(document("ApprovalPolicy", "prod", twoGroups))
		w.wantRelease(w.rollBack("prod", ""), delivery.ReleaseDeployed)
	})
}

func TestRejectedRelease(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		reject := func(p engine.Principal, reason string) error {
			_, err := w.Reject(t.Context(), p, id, reason)
			return err
		}
		w.refused(reject(who("kim"), ""), delivery.Invalid, "say with --reason why")
		w.refused(reject(who("eve"), "no"), delivery.Denied, "eve is in none of the groups")
		w.must(reject(who("kim"), "tests are red"))
		w.must(reject(who("kim"), "tests are red"))
		if r := w.wantRelease(id, delivery.ReleaseIsRejected); r.Cause.Text != "rejected by kim: tests are red" || r.FinishedAt.IsZero() {
			t.Errorf("rejected: %+v", r)
		}
		w.refused(w.approve(id, who("lee", "leads")), delivery.Conflict, "cannot approve: the release is rejected")
		_, err := w.Ask(t.Context(), admin(), id)
		w.refused(err, delivery.Conflict, "the release is rejected: make a new one")
	})
}

// What nobody answers expires; what is granted lasts through what it waits for, and not
// for ever.
func TestApprovalsExpire(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev", Reason: "the new basket"})
		w.must(w.approve(id, who("lee", "leads")))
		w.pass(24*time.Hour - time.Second)
		w.wantWait(id, "expires in 1m")
		w.pass(time.Second)
		w.wantExpired(id, "approval.expired")
		again, err := w.Ask(t.Context(), who("bob"), id)
		w.must(err)
		synctest.Wait()
		if again.ID == id || again.Reason != "the new basket" || again.By.Name != "bob" || again.Revision.Artifact != digest("b") || len(w.release(again.ID).Approval.Votes) != 0 {
			t.Errorf("asked again: %+v", again)
		}
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		w.must(w.approve(again.ID, who("lee", "leads")))
		w.must(w.approve(again.ID, who("kim")))
		w.pass(7*24*time.Hour - time.Second)
		w.wantWait(again.ID, "shop/prod is paused by ann")
		w.pass(time.Second)
		w.wantExpired(again.ID, "approval.stale")
	})
}

func TestAGrantedApprovalLastsUntilItsRelease(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.must(w.approve(id, who("lee", "leads")))
		w.must(w.approve(id, who("kim")))
		w.pass(3 * 24 * time.Hour)
		w.wantRelease(id, delivery.ReleaseIsProposed)
		w.must(w.ResumeTarget(t.Context(), admin(), "shop", "prod"))
		synctest.Wait()
		w.wantRelease(id, delivery.ReleasePaused)
	})
}

// What is asked about is what is released: when the catalog says something else, all
// votes are void until somebody asks again, about what it then is.
func TestChangesVoidApprovals(t *testing.T) {
	for name, change := range map[string]delivery.Document{
		"the configuration": app("shop", `,"environments":{"prod":{"variables":{"MODE":"fast"}}}`),
		"the strategy":      app("shop", `,"environments":{"prod":{"strategy":{"batches":[{"percent":50,"hold":"manual"}]}}}`),
	} {
		t.Run(name, func(t *testing.T) {
			approving(t, twoGroups, func(t *testing.T, w *world) {
				w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
				id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
				saw := w.release(id).Approval.Subject
				w.must(w.approve(id, who("lee", "leads")))
				w.must(w.approve(id, who("kim")))
				w.apply(change)
				w.pass(time.Second)
				why, err := w.Blockers(t.Context(), w.release(id))
				if err != nil || len(why) != 2 || !strings.Contains(why[1].Text, "the approvals are void: "+name+" has changed") || !strings.Contains(why[1].Next, "shiplock release ask") {
					t.Fatalf("it waits because of %+v (%v)", why, err)
				}
				w.refused(w.approve(id, who("bob", "leads")), delivery.Conflict, "the approvals are void")
				w.must(w.ResumeTarget(t.Context(), admin(), "shop", "prod"))
				w.pass(time.Second)
				w.wantRelease(id, delivery.ReleaseIsProposed)
				_, err = w.Ask(t.Context(), admin(), id)
				w.must(err)
				_, err = w.Approve(t.Context(), who("bob", "leads"), id, engine.Consent{Subject: saw})
				w.refused(err, delivery.Conflict, "what is released has changed since you looked")
				w.must(w.approve(id, who("bob", "leads")))
				w.must(w.approve(id, who("kim")))
				r := w.wantRelease(id, delivery.ReleasePaused)
				if r.Approval.Round != 2 || r.Approval.Subject == saw || r.Approval.Subject != r.Subject() {
					t.Errorf("approval: %+v", r.Approval)
				}
				if name == "the configuration" && r.Revision.Config.Variables["MODE"] != "fast" {
					t.Errorf("it runs with %v", r.Revision.Config.Variables)
				}
			})
		})
	}
}

// Another image is another release, which nobody has consented to. It does not take the
// place of one that they have, until they do.
func TestANewImageIsAskedForAnew(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		first := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.build("shop", "pre", "c")
		asked := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("c")})
		w.wantRelease(first, delivery.ReleaseSuperseded) // it was not approved either
		w.must(w.approve(asked, who("lee", "leads")))
		w.must(w.approve(asked, who("kim")))
		w.build("shop", "pre", "d")
		newer := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("d")})
		w.wantRelease(asked, delivery.ReleaseIsProposed)
		if a := w.release(newer).Approval; a == nil || len(a.Votes) != 0 {
			t.Errorf("the new image has %+v", a)
		}
		w.must(w.approve(newer, who("lee", "leads")))
		w.wantRelease(asked, delivery.ReleaseIsProposed)
		w.must(w.approve(newer, who("kim")))
		w.wantRelease(asked, delivery.ReleaseSuperseded)
	})
}

func TestBars(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.apply(document("ApprovalPolicy", "prod", `{"scope":{"environments":["prod"]},"groups":[{"name":"people","subjects":["everyone"]}]}`))
		h := push("h1", "shop", "pre", "c")
		h.Push.Author, h.Push.Email = "Lee Chan", "lee@example.com"
		w.receive(h)
		w.claim().succeed(digest("c"))
		id := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("c")})
		w.refused(w.approve(id, who("lee")), delivery.Denied, "lee wrote the newest commit in it")
		w.must(w.command(id, delivery.CmdReleaseCancel))

		run, err := w.StartRun(t.Context(), who("max"), engine.StartRun{App: "shop", Env: "pre", SHA: strings.Repeat("ab", 20)})
		w.must(err)
		synctest.Wait()
		w.claim().succeed(digest("d"))
		id = w.create(engine.CreateRelease{Env: "prod", Run: run.Number})
		w.refused(w.approve(id, who("max")), delivery.Denied, "max started the run that built it")
		w.refused(w.approve(id, who("ann")), delivery.Denied, "ann asked for this release")
		ci := engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorService, Name: "ci"}, Grants: delivery.Grants{Admin: true}}
		w.refused(w.approve(id, ci), delivery.Denied, "service:ci is in none of the groups")
		w.apply(document("ApprovalPolicy", "prod", `{"scope":{"environments":["prod"]},"groups":[{"name":"people","subjects":["everyone"]}],"bar":{"requester":false,"author":false,"builder":false}}`))
		w.must(w.approve(id, who("ann")))
		w.wantRelease(id, delivery.ReleasePaused)
	})
}

func TestDelegation(t *testing.T) {
	approving(t, `{"scope":{"environments":["prod"]},"groups":[{"name":"owner","subjects":["user:kim"]},{"name":"qa","subjects":["group:qa"]}]}`, func(t *testing.T, w *world) {
		now := time.Now()
		at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
		w.apply(document("Delegation", "holiday", fmt.Sprintf(`{"from":"user:kim","to":"user:bob","since":%q,"until":%q}`, at(time.Hour), at(3*time.Hour))))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.refused(w.approve(id, who("bob")), delivery.Denied, "bob is in none of the groups") // not yet
		w.pass(time.Hour)
		w.must(w.approve(id, who("bob", "qa")))
		if v := w.release(id).Approval.Votes[0]; v.Rule != "ApprovalPolicy/prod owner by Delegation/holiday, ApprovalPolicy/prod qa" || v.Actor.Name != "bob" {
			t.Errorf("vote: %+v", v)
		}
		w.pass(time.Second)
		w.wantWait(id, "1 more of qa") // once, in whose name ever
		w.must(w.approve(id, who("max", "qa")))
		w.wantRelease(id, delivery.ReleasePaused)
		w.must(w.command(id, delivery.CmdReleaseAbort))
		w.pass(2 * time.Hour)
		id = w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.refused(w.approve(id, who("bob")), delivery.Denied, "bob is in none of the groups") // not any more
	})
}

// People who click at once are all counted, and an approval and a rejection at once have
// one winner.
func TestConcurrentAnswers(t *testing.T) {
	approving(t, `{"scope":{"environments":["prod"]},"groups":[{"name":"people","subjects":["everyone"],"min":8}]}`, func(t *testing.T, w *world) {
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		var clicks sync.WaitGroup
		for i := range 16 {
			clicks.Go(func() {
				if _, err := w.Approve(t.Context(), who(fmt.Sprintf("p%d", i/2)), id, engine.Consent{}); err != nil {
					t.Error(err)
				}
			})
		}
		clicks.Wait()
		synctest.Wait()
		var names []string
		for _, v := range w.release(id).Approval.Votes {
			names = append(names, v.Actor.Name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != "p0 p1 p2 p3 p4 p5 p6 p7" || w.release(id).Approval.GrantedAt.IsZero() {
			t.Errorf("votes of %s", got)
		}
	})
	approving(t, `{"scope":{"environments":["prod"]},"groups":[{"name":"people","subjects":["everyone"]}]}`, func(t *testing.T, w *world) {
		for range 10 {
			id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
			var yes, no error
			var clicks sync.WaitGroup
			clicks.Go(func() { _, yes = w.Approve(t.Context(), who("lee"), id, engine.Consent{}) })
			clicks.Go(func() { _, no = w.Reject(t.Context(), who("kim"), id, "no") })
			clicks.Wait()
			w.pass(time.Second)
			switch r := w.release(id); r.State {
			case delivery.ReleaseIsRejected:
				w.must(no)
			case delivery.ReleasePaused:
				w.must(yes)
				w.refused(no, delivery.Conflict, "cannot reject")
				w.must(w.command(id, delivery.CmdReleaseAbort))
				w.pass(time.Second)
			default:
				t.Fatalf("it is %s: %v, %v", r.State, yes, no)
			}
		}
	})
}

// A policy that comes, goes or changes while releases wait holds at once.
func TestPoliciesAreJudgedAsTheyAre(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.wantWait(id, "paused")
		w.apply(document("ApprovalPolicy", "prod", `{"groups":[{"name":"people","subjects":["everyone"]}]}`))
		w.pass(time.Second)
		w.must(w.approve(id, who("lee")))
		w.wantWait(id, "paused")
		w.pass(25 * time.Hour)
		w.apply(document("ApprovalPolicy", "prod", `{"groups":[{"name":"people","subjects":["everyone"],"min":2}]}`))
		w.pass(time.Second)
		if a := w.wantRelease(id, delivery.ReleaseIsProposed).Approval; !a.GrantedAt.IsZero() || len(a.Votes) != 1 {
			t.Errorf("approval: %+v", a)
		}
		w.must(w.ResumeTarget(t.Context(), admin(), "shop", "prod"))
		w.pass(time.Second)
		w.wantWait(id, "waits for 1 more of people (everyone); expires in 23h")
		w.must(w.approve(id, who("kim")))
		w.wantRelease(id, delivery.ReleasePaused)
	})
}

// A person is known by his account's e-mail address, and lends the groups that it has.
func TestAccountsInApprovals(t *testing.T) {
	approving(t, `{"scope":{"environments":["prod"]},"groups":[{"name":"qa","subjects":["group:qa"]}]}`, func(t *testing.T, w *world) {
		add := func(u api.AddUser) {
			_, _, err := w.AddUser(t.Context(), admin(), u)
			w.must(err)
		}
		add(api.AddUser{Name: "kim", Email: "k.larsen@example.com", Groups: []string{"qa"}})
		add(api.AddUser{Name: "bob"})
		h := push("h1", "shop", "pre", "c")
		h.Push.Author, h.Push.Email = "Kim Larsen", "K.Larsen@example.com"
		w.receive(h)
		w.claim().succeed(digest("c"))
		id := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("c")})
		w.refused(w.approve(id, who("kim", "qa")), delivery.Denied, "kim wrote the newest commit in it")
		w.refused(w.approve(id, who("bob")), delivery.Denied, "bob is in none of the groups")
		w.apply(document("Delegation", "holiday", fmt.Sprintf(`{"from":"user:kim","to":"user:bob","until":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))))
		w.must(w.approve(id, who("bob")))
		w.wantRelease(id, delivery.ReleasePaused)
	})
}
