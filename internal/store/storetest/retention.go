package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func digestOf(n int) delivery.Digest { return delivery.Digest(fmt.Sprintf("sha256:%064x", n)) }

// letGo is a verdict that something goes.
func letGo(kind, id string) delivery.Verdict { return delivery.Verdict{Kind: kind, ID: id, Go: true} }

func (b bench) forget(want int, verdicts ...delivery.Verdict) {
	b.t.Helper()
	n, err := b.Forget(b.t.Context(), "shop", verdicts)
	b.must(err)
	if n != want {
		b.t.Fatalf("%d of %+v went, want %d", n, verdicts, want)
	}
}

// built commits a run that succeeded.
func (b bench) built(n int) *delivery.Run {
	b.t.Helper()
	r := NewRun(newID(), "shop", "prod")
	b.commit(delivery.Change{Runs: []*delivery.Run{r}})
	b.apply(r, succeed(digestOf(n))...)
	b.commit(delivery.Change{
		Runs:          []*delivery.Run{r},
		Artifacts:     []delivery.Artifact{{App: "shop", Digest: digestOf(n), Repository: "shop", CreatedAt: epoch}},
		History:       []delivery.HistoryEntry{{Ref: r.Ref(), Version: r.Version + 1, Name: "x"}},
		Notifications: []*delivery.Notification{{ID: delivery.StatusID(r.ID)}},
	})
	return r
}

func testPast(t *testing.T, db Database) {
	b := start(t, db)
	r := b.built(1)
	open, over := newRelease("shop", "prod"), newRelease("shop", "prod")
	over.State = delivery.ReleaseDeployed
	b.commit(delivery.Change{
		Releases: []*delivery.Release{open, over},
		Targets:  []*delivery.Target{{App: "shop", Env: "prod"}, {App: "cart", Env: "prod"}},
	})
	apps, err := b.PastApps(t.Context())
	b.must(err)
	past, err := b.Past(t.Context(), "shop")
	b.must(err)
	if len(apps) != 1 || apps[0] != "shop" || len(past.Runs) != 1 || len(past.Releases) != 2 || len(past.Artifacts) != 1 ||
		len(past.Targets) != 1 || len(past.Open) != 1 || past.Open[0].ID != open.ID {
		t.Fatalf("apps %v, past %+v", apps, past)
	}
	want := delivery.PastRun{ID: r.ID, Number: 1, Env: "prod", State: delivery.RunSucceeded, Artifact: digestOf(1)}
	if past.Runs[0] != want || !past.Artifacts[0].CreatedAt.Equal(epoch) {
		t.Errorf("got %+v", past)
	}
}

func testForget(t *testing.T, db Database) {
	b := start(t, db)
	r := b.built(1)
	queued := NewRun(newID(), "shop", "prod")
	b.commit(delivery.Change{Runs: []*delivery.Run{queued}})
	b.forget(0, letGo(delivery.KeptRun, string(queued.ID)), letGo(delivery.KeptRun, newID()), delivery.Verdict{Kind: delivery.KeptRun, ID: string(r.ID)})

	// What its runs, targets and open releases name stays, whatever was judged before.
	artifact := letGo(delivery.KeptArtifact, string(digestOf(1)))
	b.forget(0, artifact)
	claim := b.wake(r.Ref())
	b.forget(0, letGo(delivery.KeptRun, string(r.ID)))
	b.commit(delivery.Change{Done: &claim})
	b.forget(1, letGo(delivery.KeptRun, string(r.ID)))
	_, err := b.Run(t.Context(), r.ID)
	b.wantKind(delivery.NotFound, err)
	if n, err := b.Notification(t.Context(), delivery.StatusID(r.ID)); err != nil || n.Version != 0 {
		t.Errorf("its notification is there: %+v, %v", n, err)
	}
	revision := delivery.Revision{App: "shop", Env: "prod", Artifact: digestOf(1)}
	rel := newRelease("shop", "prod")
	rel.Revision = revision
	b.commit(delivery.Change{Releases: []*delivery.Release{rel}})
	b.forget(0, artifact, letGo(delivery.KeptRelease, string(rel.ID)))
	target := &delivery.Target{App: "shop", Env: "prod", History: []delivery.Deployed{{Revision: revision}}}
	rel.State = delivery.ReleaseDeployed
	b.commit(delivery.Change{Releases: []*delivery.Release{rel}, Targets: []*delivery.Target{target}})
	b.forget(0, artifact)
	b.named(1, true)
	target.History = nil
	b.commit(delivery.Change{Targets: []*delivery.Target{target}})
	b.forget(2, artifact, letGo(delivery.KeptRelease, string(rel.ID)))
	b.named(1, false)
	_, err = b.Artifact(t.Context(), "shop", digestOf(1))
	b.wantKind(delivery.NotFound, err)
	_, err = b.Release(t.Context(), rel.ID)
	b.wantKind(delivery.NotFound, err)
	next := NewRun(newID(), "shop", "prod")
	b.commit(delivery.Change{Runs: []*delivery.Run{next}})
	if next.Number != 3 {
		t.Errorf("the next run is #%d", next.Number)
	}
}

func (b bench) named(n int, want bool) {
	b.t.Helper()
	got, err := b.NamesDigest(b.t.Context(), "shop", digestOf(n))
	b.must(err)
	if got != want {
		b.t.Errorf("digest %d is named: %v", n, got)
	}
}

func testForgetOldest(t *testing.T, db Database) {
	b := start(t, db)
	var hooks []*delivery.Hook
	for i := range 6 {
		h := newHook(fmt.Sprint("h", i), "main")
		h.ReceivedAt = epoch.Add(time.Duration(i) * time.Hour)
		h.State = delivery.HookExpanded
		hooks = append(hooks, h)
	}
	hooks[1].State = delivery.HookReceived
	r := NewRun(newID(), "shop", "prod")
	r.Hook = "h2"
	b.commit(delivery.Change{Hooks: hooks, Runs: []*delivery.Run{r}})
	gone, after := 0, int64(0)
	for {
		n, next, err := b.ForgetHooks(t.Context(), after, epoch.Add(100*time.Hour), 2)
		b.must(err)
		gone += n
		if after = next; next == 0 {
			break
		}
	}
	// One is not worked on yet, one has a run, and one is its repository's newest.
	if gone != 3 {
		t.Errorf("%d hooks went", gone)
	}
	for id, there := range map[string]bool{"h0": false, "h1": true, "h2": true, "h3": false, "h4": false, "h5": true} {
		if _, err := b.Hook(t.Context(), id); (err == nil) != there {
			t.Errorf("%s: %v", id, err)
		}
	}
	if n, next, err := b.ForgetHooks(t.Context(), 0, epoch, 10); n != 0 || next != 0 || err != nil {
		t.Errorf("%d, %d, %v", n, next, err)
	}
	b.must(b.ForgetTokens(t.Context(), epoch))
	target := &delivery.Target{App: "shop", Env: "prod"}
	var facts []delivery.HistoryEntry
	for v := range int64(9) {
		facts = append(facts, delivery.HistoryEntry{Ref: target.Ref(), Version: v + 1, Name: "x"})
	}
	b.commit(delivery.Change{Targets: []*delivery.Target{target}, History: facts, Audit: []delivery.AuditEntry{
		{At: epoch, Subject: "a"}, {At: epoch.Add(time.Hour), Subject: "b"}, {At: epoch.Add(2 * time.Hour), Subject: "c"},
	}})
	if n, err := b.ForgetFacts(t.Context(), target.Key(), 5, 3); n != 3 || err != nil {
		t.Errorf("%d facts, %v", n, err)
	}
	if n, err := b.ForgetFacts(t.Context(), target.Key(), 5, 3); n != 1 || err != nil {
		t.Errorf("%d facts, %v", n, err)
	}
	for _, want := range []int{1, 1, 0} {
		if n, err := b.ForgetAudit(t.Context(), epoch.Add(90*time.Minute), 1); n != want || err != nil {
			t.Errorf("%d entries, %v, want %d", n, err, want)
		}
	}
}
