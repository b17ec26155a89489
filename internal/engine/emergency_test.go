package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/store"
)

const incident = "https://incidents.example.com/7"

// emergency asks for one of what runs in dev.
func (w *world) emergency(p engine.Principal, glass bool) (delivery.Release, error) {
	r, err := w.CreateRelease(w.t.Context(), p, engine.CreateRelease{
		App: "shop", Env: "prod", From: "dev", Reason: "nobody can pay",
		Emergency: &delivery.Emergency{Incident: incident, BreakGlass: glass},
	})
	synctest.Wait()
	return r, err
}

func (w *world) reviews() []delivery.Release {
	w.t.Helper()
	all, err := w.store.Releases(w.t.Context(), store.ReleaseFilter{UnderReview: true, Limit: 10})
	w.must(err)
	return all
}

// leads makes lee a tech lead of everything.
func (w *world) leads() {
	w.apply(document("RoleBinding", "leads", `{"role":"techlead","subjects":["user:lee"],"scope":{"everything":true}}`))
}

func TestEmergencyNeedsItsReason(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		ask := func(reason, link string) error {
			_, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "prod", From: "dev", Reason: reason, Emergency: &delivery.Emergency{Incident: link}})
			return err
		}
		w.refused(ask("", incident), delivery.Invalid, "an emergency needs its reason")
		w.refused(ask("down", ""), delivery.Invalid, "an emergency needs the link of its incident")
		w.refused(ask("down", "javascript:alert(1)"), delivery.Invalid, "an emergency needs the link of its incident")
	})
}

// Two people, one of them a tech lead, and not the one who asks. It leaves a review,
// which somebody else closes.
func TestEmergencyLane(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.leads()
		w.apply(document("ApprovalPolicy", "prod", twoGroups)) // which is about other days
		r, err := w.emergency(who("ann"), false)
		w.must(err)
		w.wantWait(r.ID, "waits for 1 more of tech-leads (role:techlead), 1 more of a-second-person (everyone); expires in 1h")
		w.refused(w.approve(r.ID, who("ann")), delivery.Denied, "nobody approves his own request")
		w.must(w.approve(r.ID, who("kim")))
		w.wantWait(r.ID, "1 more of tech-leads")
		w.must(w.approve(r.ID, who("lee")))
		w.wantRelease(r.ID, delivery.ReleasePaused)
		_, err = w.CloseReview(t.Context(), who("kim"), r.ID, "all well")
		w.refused(err, delivery.Conflict, "the release is paused, and not over")
		w.must(w.command(r.ID, delivery.CmdReleaseFull))
		if all := w.reviews(); len(all) != 1 || all[0].ID != r.ID {
			t.Fatalf("reviews: %+v", all)
		}
		_, err = w.CloseReview(t.Context(), who("ann"), r.ID, "all well")
		w.refused(err, delivery.Denied, "whoever asked for an emergency does not review it")
		_, err = w.CloseReview(t.Context(), who("kim"), r.ID, " ")
		w.refused(err, delivery.Invalid, "say with --note")
		_, err = w.CloseReview(t.Context(), who("kim"), r.ID, "the lock was too wide")
		w.must(err)
		if all := w.reviews(); len(all) != 0 {
			t.Errorf("reviews: %+v", all)
		}
		if em := w.release(r.ID).Emergency; em.Review == nil || em.Review.Reason != "the lock was too wide" {
			t.Errorf("emergency: %+v", em)
		}
	})
}

// It is good for once, and for an hour, approved or not.
func TestEmergencyIsShort(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.leads()
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		r, err := w.emergency(who("ann"), false)
		w.must(err)
		w.must(w.approve(r.ID, who("kim")))
		w.must(w.approve(r.ID, who("lee")))
		w.pass(time.Hour - time.Second)
		w.wantWait(r.ID, "paused")
		w.pass(time.Second)
		w.wantExpired(r.ID, "emergency.expired")
		if all := w.reviews(); len(all) != 0 {
			t.Errorf("it never started, and leaves %+v", all)
		}
		_, err = w.Ask(t.Context(), admin(), r.ID)
		w.refused(err, delivery.Conflict, "an emergency is good for once")
	})
}

// Nobody is asked, and everybody is told.
func TestBreakGlass(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		r, err := w.emergency(who("ann"), true)
		w.must(err)
		w.wantRelease(r.ID, delivery.ReleasePaused)
		if all := w.reviews(); len(all) != 1 {
			t.Errorf("reviews: %+v", all)
		}
		a := w.audit()[0]
		if a.Command != delivery.CmdBreakGlass || !strings.Contains(a.Detail, "nobody can pay ("+incident+")") {
			t.Errorf("audit: %+v", a)
		}
		developer := engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: "dan"}}
		w.apply(document("RoleBinding", "dan", `{"role":"developer","subjects":["user:dan"],"scope":{"everything":true}}`))
		_, err = w.emergency(developer, true)
		w.refused(err, delivery.Denied, "dan may not emergency.break-glass")
	})
}

// An emergency that waits is not replaced by daily business.
func TestNothingReplacesAnEmergency(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		r, err := w.emergency(who("ann"), false)
		w.must(err)
		other := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.wantRelease(r.ID, delivery.ReleaseIsProposed)
		again, err := w.emergency(who("ann"), true)
		w.must(err)
		w.wantRelease(r.ID, delivery.ReleaseSuperseded)
		w.wantRelease(other, delivery.ReleaseSuperseded)
		w.wantRelease(again.ID, delivery.ReleaseIsProposed)
	})
}

// Whom a policy names may approve without a role that lets him do anything but read; who
// may not read is told nothing.
func TestPoliciesLetPeopleApprove(t *testing.T) {
	approving(t, `{"groups":[{"name":"qa","subjects":["group:qa"]}]}`, func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		kim := engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: "kim"}, Grants: delivery.Grants{Groups: []string{"qa"}}}
		w.refused(w.approve(id, kim), delivery.Denied, "kim may not release.approve on "+string(id))
		w.apply(document("RoleBinding", "qa", `{"role":"viewer","subjects":["group:qa"],"scope":{"everything":true}}`))
		w.must(w.approve(id, kim))
		w.wantRelease(id, delivery.ReleasePaused)
		if a := w.audit()[0]; a.Rule != "ApprovalPolicy/prod qa" || a.Actor.Name != "kim" {
			t.Errorf("audit: %+v", a)
		}
	})
}
