package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func testHooks(t *testing.T, db Database) {
	b := start(t, db)
	ctx := t.Context()
	first, other, second := newHook("1", "main"), newHook("x", "dev"), newHook("2", "main")
	for _, h := range []*delivery.Hook{first, other, second} {
		b.commit(delivery.Change{Hooks: []*delivery.Hook{h}})
	}
	b.refuse(delivery.Change{Hooks: []*delivery.Hook{newHook("1", "main")}}) // a redelivery

	same(b, false)(b.EarlierHook(ctx, *first))
	same(b, true)(b.EarlierHook(ctx, *second))
	same(b, false)(b.EarlierHook(ctx, *other))
	same(b, "2")(b.LaterHook(ctx, *first))
	same(b, "")(b.LaterHook(ctx, *second))

	first.State = delivery.HookExpanded
	b.commit(delivery.Change{Hooks: []*delivery.Hook{first}})
	same(b, false)(b.EarlierHook(ctx, *second))
	same(b, "2")(b.LaterHook(ctx, *first))
}

func testHeads(t *testing.T, db Database) {
	b := start(t, db)
	head := func(branch, sha string, at time.Time) delivery.Head {
		return delivery.Head{Repo: "git/a", Branch: branch, SHA: sha, At: at}
	}
	same(b, []delivery.Head(nil))(b.Heads(t.Context(), "git/a"))
	b.commit(delivery.Change{Heads: []delivery.Head{head("test", "", epoch), head("dev", "a", epoch), {Repo: "git/b", Branch: "dev", SHA: "c", At: epoch}}})
	b.commit(delivery.Change{Heads: []delivery.Head{head("dev", "b", epoch.Add(time.Second))}})
	same(b, []delivery.Head{head("dev", "b", epoch.Add(time.Second)), head("test", "", epoch)})(b.Heads(t.Context(), "git/a"))

	first, other, second := newHook("1", "main"), newHook("x", "dev"), newHook("2", "main")
	for _, h := range []*delivery.Hook{first, other, second} {
		b.commit(delivery.Change{Hooks: []*delivery.Hook{h}})
	}
	any := *newHook("", "main")
	same(b, []delivery.Hook{*second, *first})(b.PushedTo(t.Context(), any, 10))
	same(b, []delivery.Hook{*second})(b.PushedTo(t.Context(), any, 1))
	same(b, []delivery.Hook{*first})(b.PushedTo(t.Context(), *second, 10))
	same(b, []delivery.Hook(nil))(b.PushedTo(t.Context(), *first, 10))
	same(b, []delivery.Hook{*second})(b.NewestHooks(t.Context()))
	b.commit(delivery.Change{Hooks: []*delivery.Hook{newHook(delivery.ForgeReconciler+"-1", "main")}})
	same(b, []delivery.Hook{*second})(b.NewestHooks(t.Context()))
}

func testOlderQueued(t *testing.T, db Database) {
	b := start(t, db)
	pushed := func(app, env string) *delivery.Run {
		r := NewRun(newID(), app, env)
		r.Hook = "h"
		b.commit(delivery.Change{Runs: []*delivery.Run{r}})
		return r
	}
	_, err := b.NewestPushed(t.Context(), "shop", "dev")
	b.wantKind(delivery.NotFound, err)
	first, second := pushed("shop", "dev"), pushed("shop", "dev")
	b.commit(delivery.Change{Runs: []*delivery.Run{NewRun(newID(), "shop", "dev")}}) // by a person
	pushed("shop", "prod")
	pushed("till", "dev")
	same(b, *second)(b.NewestPushed(t.Context(), "shop", "dev"))
	running := pushed("shop", "dev")
	b.apply(running, delivery.JobAdmitted{Job: "build", At: epoch})
	b.commit(delivery.Change{Runs: []*delivery.Run{running}})
	newest := pushed("shop", "dev")
	pushed("shop", "dev")

	same(b, []delivery.RunID{first.ID, second.ID})(b.OlderQueued(t.Context(), *newest))
	b.apply(first, delivery.RunSuperseded{By: newest.ID, At: epoch})
	b.commit(delivery.Change{Runs: []*delivery.Run{first}})
	same(b, []delivery.RunID{second.ID})(b.OlderQueued(t.Context(), *newest))
	same(b, []delivery.RunID(nil))(b.OlderQueued(t.Context(), *second))
}

func testSlots(t *testing.T, db Database) {
	b := start(t, db)
	at := epoch
	queue := func(lane int, team string) *delivery.Run {
		at = at.Add(time.Second)
		r := NewRun(newID(), "shop", "dev")
		r.Lane, r.Team, r.CreatedAt = lane, team, at
		b.commit(delivery.Change{Runs: []*delivery.Run{r}})
		return r
	}
	slot := func(r *delivery.Run, since time.Time) delivery.Slot {
		return delivery.Slot{Run: r.ID, Job: "build", Team: r.Team, Lane: r.Lane, Since: since}
	}
	want := func(now time.Time, limit int, active, waiting []delivery.Slot) {
		t.Helper()
		gotActive, gotWaiting, err := b.Slots(t.Context(), now, limit)
		b.must(err)
		if diff := cmp.Diff([][]delivery.Slot{active, waiting}, [][]delivery.Slot{gotActive, gotWaiting}); diff != "" {
			t.Errorf("slots (-want +got):\n%s", diff)
		}
	}
	want(epoch, 2, nil, nil)
	a1, a2, a3 := queue(1, "a"), queue(1, "a"), queue(1, "a")
	b1, p1, n1 := queue(1, "b"), queue(9, "a"), queue(-1, "")
	waiting := func(runs ...*delivery.Run) (all []delivery.Slot) {
		for _, r := range runs {
			all = append(all, slot(r, r.CreatedAt))
		}
		return all
	}
	want(at, 2, nil, waiting(n1, a1, a2, b1, p1))
	want(at, 9, nil, waiting(n1, a1, a2, a3, b1, p1))

	b.apply(a1, delivery.JobAdmitted{Job: "build", At: at})
	b.commit(delivery.Change{Runs: []*delivery.Run{a1}})
	want(at, 1, []delivery.Slot{slot(a1, at)}, waiting(n1, a2, b1, p1))

	b.apply(a1, delivery.AttemptClaimed{Job: "build", Attempt: 1, TokenHash: "h", At: at})
	b.commit(delivery.Change{Runs: []*delivery.Run{a1}})
	want(at, 1, []delivery.Slot{slot(a1, at)}, waiting(n1, a2, b1, p1))

	// A lost attempt waits for its pause, and then has its old place.
	b.apply(a1, delivery.AttemptLost{Job: "build", Attempt: 1, RetryAfter: 1500 * time.Microsecond, At: at})
	b.commit(delivery.Change{Runs: []*delivery.Run{a1}})
	want(at, 1, nil, waiting(n1, a2, b1, p1))
	want(at.Add(1500*time.Microsecond), 1, nil, waiting(n1, a1, b1, p1))

	for _, r := range []*delivery.Run{a1, n1, p1} {
		b.apply(r, delivery.CancelRequested{By: delivery.System(), At: at})
		b.commit(delivery.Change{Runs: []*delivery.Run{r}})
	}
	want(at.Add(time.Hour), 9, nil, waiting(a2, a3, b1))
}

func testWaitingReleases(t *testing.T, db Database) {
	b := start(t, db)
	first, second, elsewhere := newRelease("shop", "dev"), newRelease("shop", "dev"), newRelease("shop", "prod")
	b.commit(delivery.Change{Releases: []*delivery.Release{second, elsewhere, first}})
	same(b, []delivery.ReleaseID{first.ID, second.ID})(b.WaitingReleases(t.Context(), "shop", "dev"))
	first.State = delivery.ReleaseRolling
	b.commit(delivery.Change{Releases: []*delivery.Release{first}})
	same(b, []delivery.ReleaseID{second.ID})(b.WaitingReleases(t.Context(), "shop", "dev"))
}

func testOpenReleases(t *testing.T, db Database) {
	b := start(t, db)
	open := func() (ids []delivery.ReleaseID, err error) {
		all, err := b.OpenReleases(t.Context())
		for _, r := range all {
			ids = append(ids, r.ID)
			if r.Version == 0 {
				t.Errorf("%s without its version", r.ID)
			}
		}
		return ids, err
	}
	same(b, []delivery.ReleaseID(nil))(open())
	first, second, elsewhere := newRelease("shop", "dev"), newRelease("shop", "dev"), newRelease("shop", "prod")
	b.commit(delivery.Change{Releases: []*delivery.Release{second, elsewhere, first}})
	same(b, []delivery.ReleaseID{first.ID, second.ID, elsewhere.ID})(open())
	for _, s := range []delivery.ReleaseState{delivery.ReleaseRolling, delivery.ReleasePaused, delivery.ReleaseDeployed} {
		first.State = s
		b.commit(delivery.Change{Releases: []*delivery.Release{first}})
		want := []delivery.ReleaseID{first.ID, second.ID, elsewhere.ID}
		if s.Terminal() {
			want = want[1:]
		}
		same(b, want)(open())
	}
	second.State = delivery.ReleaseCanceled
	b.commit(delivery.Change{Releases: []*delivery.Release{second}})
	same(b, []delivery.ReleaseID{elsewhere.ID})(open())
}

func testArtifacts(t *testing.T, db Database) {
	b := start(t, db)
	ctx := t.Context()
	_, err := b.LatestArtifact(ctx, "shop", "dev")
	b.wantKind(delivery.NotFound, err)

	built := func(env string, digest delivery.Digest) delivery.Artifact {
		r := NewRun(newID(), "shop", env)
		b.commit(delivery.Change{Runs: []*delivery.Run{r}})
		b.apply(r, succeed(digest)...)
		b.commit(delivery.Change{Runs: []*delivery.Run{r}, Artifacts: []delivery.Artifact{*r.Artifact}})
		return *r.Artifact
	}
	first := built("dev", "sha256:a")
	second := built("dev", "sha256:b")
	again := built("prod", "sha256:a") // the same content for another environment
	queued := NewRun(newID(), "shop", "dev")
	b.commit(delivery.Change{Runs: []*delivery.Run{queued}})

	same(b, first)(b.Artifact(ctx, "shop", "sha256:a"))
	_, err = b.Artifact(ctx, "till", "sha256:a")
	b.wantKind(delivery.NotFound, err)
	same(b, second)(b.LatestArtifact(ctx, "shop", "dev"))
	same(b, again)(b.LatestArtifact(ctx, "shop", "prod"))
}

func testDocuments(t *testing.T, db Database) {
	b := start(t, db)
	seen := map[int64]bool{}
	change := func(c ...delivery.DocumentChange) []delivery.DocumentChange {
		t.Helper()
		b.commit(delivery.Change{Documents: c})
		v, err := b.CatalogVersion(t.Context())
		b.must(err)
		if seen[v] {
			t.Fatalf("the catalog had version %d before", v)
		}
		seen[v] = true
		return c
	}
	shop := delivery.Document{Kind: "App", Name: "shop", Manager: "dir", Spec: []byte(`{"a":1}`)}
	stack := delivery.Document{Kind: "Stack", Name: "go"}
	c := change(delivery.DocumentChange{Document: shop}, delivery.DocumentChange{Document: stack})
	stale := c[0]
	if stale.Document.Version != 1 {
		t.Fatalf("a new document has version %d, want 1", stale.Document.Version)
	}
	c[0].Document.Spec = []byte(`{"a":2}`)
	c = change(c[0])
	b.refuse(delivery.Change{Documents: []delivery.DocumentChange{stale}})
	stale.Delete = true
	b.refuse(delivery.Change{Documents: []delivery.DocumentChange{stale}})

	shop, stack.Version = c[0].Document, 1
	stack.Spec = []byte("null") // no spec is written as null
	same(b, []delivery.Document{shop, stack})(b.Documents(t.Context()))
	change(delivery.DocumentChange{Document: shop, Delete: true})
	same(b, []delivery.Document{stack})(b.Documents(t.Context()))
	shop.Version = 0
	change(delivery.DocumentChange{Document: shop})
}
