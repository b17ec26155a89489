package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func testAggregates(t *testing.T, db Database) {
	b := start(t, db)
	ctx := t.Context()
	h, r, rel := newHook("h1", "main"), NewRun(newID(), "shop", "dev"), newRelease("shop", "dev")
	target := &delivery.Target{App: "shop", Env: "dev", Applied: 3}
	n := &delivery.Notification{ID: "status/1", Sent: delivery.CommitRunning, SentAt: epoch}
	a := &delivery.Admission{Admitted: 4}
	b.commit(delivery.Change{
		Hooks: []*delivery.Hook{h}, Runs: []*delivery.Run{r}, Targets: []*delivery.Target{target},
		Releases: []*delivery.Release{rel}, Notifications: []*delivery.Notification{n}, Admission: a,
	})
	same(b, *h)(b.Hook(ctx, "h1"))
	same(b, *r)(b.Run(ctx, r.ID))
	same(b, *r)(b.RunByNumber(ctx, "shop", 1))
	same(b, *target)(b.Target(ctx, "shop", "dev"))
	same(b, *rel)(b.Release(ctx, rel.ID))
	same(b, *n)(b.Notification(ctx, n.ID))
	same(b, *a)(b.Admission(ctx))

	_, err := b.Hook(ctx, "h2")
	b.wantKind(delivery.NotFound, err)
	_, err = b.Run(ctx, "none")
	b.wantKind(delivery.NotFound, err)
	_, err = b.RunByNumber(ctx, "shop", 2)
	b.wantKind(delivery.NotFound, err)
	_, err = b.Release(ctx, "none")
	b.wantKind(delivery.NotFound, err)
	same(b, delivery.Target{App: "shop", Env: "prod"})(b.Target(ctx, "shop", "prod"))
	same(b, delivery.Notification{ID: "none"})(b.Notification(ctx, "none"))
}

// same returns a check of what a load returned.
func same[T any](b bench, want T) func(T, error) {
	return func(got T, err error) {
		b.t.Helper()
		b.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			b.t.Errorf("%T (-written +read):\n%s", want, diff)
		}
	}
}

func testCompareAndSwap(t *testing.T, db Database) {
	b := start(t, db)
	r := NewRun(newID(), "shop", "dev")
	b.commit(delivery.Change{Runs: []*delivery.Run{r}})
	if r.Version != 1 || r.Number != 1 {
		t.Fatalf("a new run has version %d and number %d, want 1 and 1", r.Version, r.Number)
	}
	stale, again := *r, *r
	b.apply(r, delivery.JobAdmitted{Job: "build", At: epoch})
	b.commit(delivery.Change{Runs: []*delivery.Run{r}})
	if r.Version != 2 {
		t.Fatalf("version %d after the second write, want 2", r.Version)
	}
	b.refuse(delivery.Change{Runs: []*delivery.Run{&stale}})
	if stale.Version != 1 {
		t.Errorf("a refused write left version %d, want 1", stale.Version)
	}
	again.Version, again.Number = 0, 0
	b.refuse(delivery.Change{Runs: []*delivery.Run{&again}}) // exists
	unknown := NewRun(newID(), "shop", "dev")
	unknown.Version = 1
	b.refuse(delivery.Change{Runs: []*delivery.Run{unknown}})
	same(b, *r)(b.Run(t.Context(), r.ID))
}

func testConcurrentSwaps(t *testing.T, db Database) {
	b := start(t, db)
	b.commit(delivery.Change{Admission: &delivery.Admission{}})
	const workers, each = 8, 10
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for done := 0; done < each; {
				a, err := b.Admission(t.Context())
				if err == nil {
					a.Admitted++
					_, err = b.Commit(t.Context(), &delivery.Change{Admission: &a})
				}
				switch {
				case err == nil:
					done++
				case delivery.KindOf(err) != delivery.Conflict:
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	same(b, delivery.Admission{Version: 1 + workers*each, Admitted: workers * each})(b.Admission(t.Context()))
}

func testNumbers(t *testing.T, db Database) {
	b := start(t, db)
	const workers, each = 8, 5
	numbers := make(chan int, 2*workers*each)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range each {
				first, second, other := NewRun(newID(), "shop", "dev"), NewRun(newID(), "shop", "prod"), NewRun(newID(), "till", "dev")
				if _, err := b.Commit(t.Context(), &delivery.Change{Runs: []*delivery.Run{first, other, second}}); err != nil {
					t.Error(err)
					return
				}
				if second.Number != first.Number+1 {
					t.Errorf("runs of one change got numbers %d and %d", first.Number, second.Number)
				}
				numbers <- first.Number
				numbers <- second.Number
			}
		})
	}
	all.Wait()
	close(numbers)
	var got []int
	for n := range numbers {
		got = append(got, n)
	}
	slices.Sort(got)
	for i, n := range got {
		if n != i+1 {
			t.Fatalf("numbers are %v, want 1 to %d without gaps", got, len(got))
		}
	}
	last, err := b.RunByNumber(t.Context(), "till", workers*each)
	b.must(err)
	if last.Number != workers*each {
		t.Errorf("loaded number %d", last.Number)
	}
}

func testAllOrNothing(t *testing.T, db Database) {
	b := start(t, db)
	claim := b.wake(ref("working"))
	b.commit(delivery.Change{Documents: []delivery.DocumentChange{{Document: delivery.Document{Kind: "App", Name: "shop"}}}})
	version, err := b.CatalogVersion(t.Context())
	b.must(err)

	h, r, rel := newHook("h1", "main"), NewRun(newID(), "shop", "dev"), newRelease("shop", "dev")
	target := &delivery.Target{App: "shop", Env: "dev"}
	b.refuse(delivery.Change{
		Hooks: []*delivery.Hook{h}, Runs: []*delivery.Run{r}, Targets: []*delivery.Target{target}, Releases: []*delivery.Release{rel},
		Artifacts: []delivery.Artifact{{App: "shop", Digest: "sha256:a"}},
		Wakes:     []delivery.Wake{{Ref: ref("other")}},
		Done:      &claim,
		Documents: []delivery.DocumentChange{
			{Document: delivery.Document{Kind: "App", Name: "till"}},
			{Document: delivery.Document{Kind: "App", Name: "shop"}}, // exists
		},
	})
	if h.Version+r.Version+target.Version+rel.Version != 0 || r.Number != 0 {
		t.Error("a refused change counted versions up or assigned a number")
	}
	_, err = b.Hook(t.Context(), "h1")
	b.wantKind(delivery.NotFound, err)
	_, err = b.Run(t.Context(), r.ID)
	b.wantKind(delivery.NotFound, err)
	_, err = b.Artifact(t.Context(), "shop", "sha256:a")
	b.wantKind(delivery.NotFound, err)
	same(b, version)(b.CatalogVersion(t.Context()))
	b.claimNone(zero)
	b.none(b.commit(delivery.Change{Done: &claim})) // it was not completed before

	first := NewRun(newID(), "shop", "dev")
	b.commit(delivery.Change{Runs: []*delivery.Run{first}})
	if first.Number != 1 {
		t.Errorf("the refused change used up a number: the first run is #%d", first.Number)
	}
}

// testGivenUp: a caller that has left already writes nothing.
func testGivenUp(t *testing.T, db Database) {
	b := start(t, db)
	ctx, cancel := context.WithCancelCause(t.Context())
	left := errors.New("the client left")
	cancel(left)
	if _, err := b.Commit(ctx, &delivery.Change{Hooks: []*delivery.Hook{newHook("h1", "main")}}); !errors.Is(err, left) {
		t.Errorf("got %v, want the context's cause", err)
	}
	_, err := b.Hook(t.Context(), "h1")
	b.wantKind(delivery.NotFound, err)
}

func testReopen(t *testing.T, db Database) {
	b := start(t, db)
	r := NewRun(newID(), "shop", "dev")
	b.commit(delivery.Change{Runs: []*delivery.Run{r}})
	b.must(b.Close())
	b.must(b.Close())
	_, err := b.Commit(t.Context(), &delivery.Change{})
	b.wantKind(delivery.Unavailable, err)

	b = start(t, db)
	same(b, *r)(b.Run(t.Context(), r.ID))
	next := NewRun(newID(), "shop", "dev")
	b.commit(delivery.Change{Runs: []*delivery.Run{r, next}})
	if r.Version != 2 || next.Number != 2 {
		t.Errorf("after a restart: version %d, number %d, want 2 and 2", r.Version, next.Number)
	}
}
