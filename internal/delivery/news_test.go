package delivery_test

import (
	"slices"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// newsOf folds facts into a release and lists what people are told.
func newsOf(t *testing.T, r delivery.Release, facts ...delivery.Event) (told []delivery.ChatEvent, last delivery.Note) {
	t.Helper()
	tell := func(before, after delivery.Release) {
		for _, n := range after.NewsOf(before) {
			told, last = append(told, n.Event), n.Note
		}
	}
	tell(delivery.Release{}, r)
	for _, f := range facts {
		next, err := r.Apply(f)
		if err != nil {
			t.Fatalf("%s: %v", f.Name(), err)
		}
		tell(r, next)
		r = next
	}
	return told, last
}

func TestNewsOfReleases(t *testing.T) {
	bob := delivery.Actor{Kind: delivery.ActorUser, Name: "bob"}
	proposed := delivery.Release{
		ID: "rel-1", App: "shop", Env: "prod", Kind: delivery.ReleaseDeploy, State: delivery.ReleaseIsProposed, By: bob,
		Revision: delivery.Revision{ID: "rev-2", RunNumber: 12, Commit: delivery.Commit{SHA: "abc"}},
	}
	rollback, urgent := proposed, proposed
	rollback.Kind = delivery.ReleaseRollback
	urgent.Emergency = &delivery.Emergency{Incident: "INC-7"}
	base := &delivery.Revision{ID: "rev-1", RunNumber: 11}
	started := delivery.ReleaseStarted{Base: base, At: t0}
	ready, ended := delivery.BatchReady{At: t0}, delivery.ReleaseEnded{State: delivery.ReleaseDeployed, At: t0}
	failed := delivery.BatchFailed{Cause: delivery.Because("version.failed", nil), At: t0}
	back := func(s delivery.ReleaseState) delivery.Event { return delivery.ReleaseEnded{State: s, At: t0} }
	abort := delivery.AbortRequested{By: delivery.Cancellation{By: bob, Reason: "no", At: t0}}
	for name, c := range map[string]struct {
		r     delivery.Release
		facts []delivery.Event
		want  []delivery.ChatEvent
	}{
		"deployed":     {proposed, []delivery.Event{started, ready, ended, ended}, []delivery.ChatEvent{"started", "finished"}},
		"rolled back":  {rollback, []delivery.Event{started, ready, ended}, []delivery.ChatEvent{"started", "rolledBack"}},
		"failed":       {proposed, []delivery.Event{started, failed, back(delivery.ReleaseFailed)}, []delivery.ChatEvent{"started", "failed"}},
		"aborted":      {proposed, []delivery.Event{started, abort, abort, back(delivery.ReleaseAborted)}, []delivery.ChatEvent{"started", "aborted"}},
		"rejected":     {proposed, []delivery.Event{delivery.ReleaseRejected{By: delivery.Cancellation{By: bob, Reason: "no", At: t0}}}, []delivery.ChatEvent{"rejected"}},
		"canceled":     {proposed, []delivery.Event{delivery.ReleaseWithdrawn{By: delivery.Cancellation{By: bob, At: t0}}}, nil},
		"an emergency": {urgent, []delivery.Event{started, ready, ended}, []delivery.ChatEvent{"emergency", "started", "finished"}},
	} {
		told, last := newsOf(t, c.r, c.facts...)
		if !slices.Equal(told, c.want) {
			t.Errorf("%s: told %v, want %v", name, told, c.want)
		}
		if len(told) > 0 && (last.Version != "#12" || last.By != bob || last.Emergency != c.r.Emergency) {
			t.Errorf("%s: %+v", name, last)
		}
		if name == "failed" && (last.Cause == nil || last.Cause.Code != "version.failed" || !slices.Equal(last.Mention, []string{"bob"})) {
			t.Errorf("%s: %+v", name, last)
		}
	}
}

func TestNewsOfApprovals(t *testing.T) {
	r := delivery.Release{ID: "rel-1", App: "shop", Env: "prod", State: delivery.ReleaseIsProposed}
	busy, missing := delivery.Cause{Code: "target.busy"}, delivery.Cause{Code: "approval.missing", Text: "2 approvals are missing"}
	if n, asks := r.ApprovalNews([]delivery.Cause{busy}); asks {
		t.Errorf("%+v", n)
	}
	n, asks := r.ApprovalNews([]delivery.Cause{busy, missing})
	if !asks || n.Event != delivery.ChatApproval || n.Note.Cause.Text != missing.Text {
		t.Errorf("%v %+v", asks, n)
	}
	again := r
	for round, part := range map[int]string{1: "", 2: "2"} {
		again.Approval = &delivery.Approval{Round: round}
		if n, _ := again.ApprovalNews([]delivery.Cause{missing}); n.Part != part {
			t.Errorf("round %d: part %q", round, n.Part)
		}
	}
	m := delivery.NewMessage("room", n, t0)
	if m.ID != "room/release/rel-1/approval" || m.ID != delivery.MessageID("room", r.Ref(), delivery.ChatApproval, "") {
		t.Errorf("id %s", m.ID)
	}
}

func TestNewsOfRuns(t *testing.T) {
	run := newRun()
	run.Commit.Author, run.Commit.Email = "Ann", "ann@example.com"
	if news := run.NewsOf(delivery.Run{}); len(news) != 0 {
		t.Errorf("a new run: %v", news)
	}
	for state, want := range map[delivery.JobState]int{
		delivery.JobFailed: 1, delivery.JobErrored: 1, delivery.JobCanceled: 0, delivery.JobSucceeded: 0, delivery.JobRunning: 0,
	} {
		after := run
		after.Jobs = slices.Clone(run.Jobs)
		after.Jobs[0].State = state
		news := after.NewsOf(run)
		if len(news) != want {
			t.Errorf("%s: %v", state, news)
		}
		if want == 1 && !slices.Equal(news[0].Note.Mention[:2], []string{"ann@example.com", "Ann"}) {
			t.Errorf("%s: mentioned are %v", state, news[0].Note.Mention)
		}
		if again := after.NewsOf(after); len(again) != 0 {
			t.Errorf("%s twice: %v", state, again)
		}
	}
}

func TestChannelTells(t *testing.T) {
	c := delivery.Channel{
		Events: []delivery.ChatEvent{delivery.ChatFailed}, Scope: delivery.Selector{Environments: []string{"prod"}, Teams: []string{"trade"}},
		Mentions: map[string]string{"ann@example.com": "ou_1", "bob": "ou_2"},
	}
	shop, blog := delivery.App{Name: "shop", Team: "trade"}, delivery.App{Name: "blog"}
	for _, w := range []struct {
		ev   delivery.ChatEvent
		app  delivery.App
		env  string
		want bool
	}{
		{delivery.ChatFailed, shop, "prod", true}, {delivery.ChatFinished, shop, "prod", false},
		{delivery.ChatFailed, shop, "dev", false}, {delivery.ChatFailed, blog, "prod", false},
	} {
		if got := c.Tells(w.ev, w.app, w.env); got != w.want {
			t.Errorf("%+v: %v", w, got)
		}
	}
	if !(delivery.Channel{}).Tells(delivery.ChatStarted, blog, "dev") {
		t.Error("a channel without a choice is told everything")
	}
	if got := c.Mention([]string{"", "eve", "bob", "ann@example.com"}); got != "ou_2" {
		t.Errorf("mentioned is %q", got)
	}
	if got := (delivery.ClockTime(8*60 + 5)).String(); got != "08:05" {
		t.Error(got)
	}
	var at delivery.ClockTime
	for _, bad := range []string{"8:05", "24:00", "08:60", "08:05:00", ""} {
		if at.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is taken for %s", bad, at)
		}
	}
}
