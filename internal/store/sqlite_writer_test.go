package store

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/shiplock/shiplock/internal/delivery"
)

func openHere(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "shiplock.db"), Now: time.Now, NewID: uuid.NewString})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// hold keeps the writer busy until the returned function is called.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	began, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.write(context.Background(), relaxed, func(*tx) error {
			close(began)
			<-end
			return nil
		})
	}()
	<-began
	return func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// untilQueued waits until n requests wait for the writer.
func untilQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(s.db.(*sqliteFile).writer.queue) < n; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests are queued, want %d", len(s.db.(*sqliteFile).writer.queue), n)
		}
	}
}

func hook(id string) *delivery.Hook {
	return &delivery.Hook{ID: id, State: delivery.HookReceived}
}

// TestBatch: of the requests that share a transaction, one that fails is undone
// alone, and one that was given up is not begun.
func TestBatch(t *testing.T) {
	s := openHere(t)
	release := hold(t, s)
	gone, leave := context.WithCancelCause(t.Context())
	left := errors.New("the client left")
	change := func(ctx context.Context, id string, extra ...*delivery.Hook) func() error {
		c := &delivery.Change{Hooks: append([]*delivery.Hook{hook(id)}, extra...)}
		return func() error { _, err := s.Commit(ctx, c); return err }
	}
	stale := hook("never written")
	stale.Version = 7
	calls := []func() error{
		change(t.Context(), "first"), change(t.Context(), "undone", stale), change(t.Context(), "last"),
	}
	errs := make([]error, len(calls))
	var all, leaver sync.WaitGroup
	for i, call := range calls {
		all.Go(func() { errs[i] = call() })
	}
	leaver.Go(func() {
		if err := change(gone, "given up")(); !errors.Is(err, left) {
			t.Errorf("the caller that gave up got %v", err)
		}
	})
	untilQueued(t, s, len(calls)+1)
	leave(left)
	leaver.Wait() // while it is queued still
	release()
	all.Wait()

	if errs[0] != nil || errs[2] != nil || delivery.KindOf(errs[1]) != delivery.Conflict {
		t.Errorf("outcomes %v", errs)
	}
	for id, want := range map[string]bool{"first": true, "undone": false, "given up": false, "last": true} {
		if _, err := s.Hook(t.Context(), id); (err == nil) != want {
			t.Errorf("hook %q: %v", id, err)
		}
	}
}

// TestDiskFull: nothing of a batch is left behind, the text says what to do, and
// the store goes on when there is space again.
func TestDiskFull(t *testing.T) {
	s := openHere(t)
	limit := func(pages string) {
		t.Helper()
		err := s.write(t.Context(), relaxed, func(*tx) error { return s.db.(*sqliteFile).writer.tx.script("PRAGMA max_page_count = " + pages) })
		if err != nil {
			t.Fatal(err)
		}
	}
	big := hook("big")
	big.Note = strings.Repeat("x", 1<<20)
	limit("1") // as small as it is already
	_, err := s.Commit(t.Context(), &delivery.Change{Hooks: []*delivery.Hook{hook("small"), big}})
	if delivery.KindOf(err) != delivery.Unavailable || !strings.Contains(err.Error(), "free space in") {
		t.Fatalf("got %v", err)
	}
	if _, err := s.Hook(t.Context(), "small"); delivery.KindOf(err) != delivery.NotFound {
		t.Fatalf("half of a change was kept: %v", err)
	}
	limit("1000000")
	if _, err := s.Commit(t.Context(), &delivery.Change{Hooks: []*delivery.Hook{big}}); err != nil {
		t.Fatal(err)
	}
}

// TestDurability: a write that must survive a power failure is synced, whatever
// came before it.
func TestDurability(t *testing.T) {
	s := openHere(t)
	for range 2 {
		for d, want := range map[durability]int{relaxed: 1, durable: 2} { // NORMAL and FULL
			var mode int
			err := s.write(t.Context(), d, func(tx *tx) error { return tx.row("PRAGMA synchronous").Scan(&mode) })
			if err != nil || mode != want {
				t.Errorf("durability %v: synchronous is %d, want %d, %v", d, mode, want, err)
			}
		}
	}
}
