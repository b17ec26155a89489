package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/store"
)

func TestExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shiplock.db")
	first, second := open(t, store.Config{Path: path}), open(t, store.Config{Path: path})
	if !first.Exclusive() || second.Exclusive() {
		t.Fatal("the first to open a database is exclusive, and only that one")
	}
}

// TestWaitExclusive: a second process waits while the first one lives, and takes
// over as soon as it has ended.
func TestWaitExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shiplock.db")
	const lease = 100 * time.Millisecond
	first, second := open(t, store.Config{Path: path, Lease: time.Hour}), open(t, store.Config{Path: path, Lease: lease})
	ref := delivery.Ref{Kind: delivery.KindRun, ID: "1"}
	commit(t, first, delivery.Change{Wakes: []delivery.Wake{{Ref: ref}}})

	waited := make(chan error, 1)
	go func() { waited <- second.WaitExclusive(t.Context()) }()
	select {
	case err := <-waited:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(lease):
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil || !second.Exclusive() {
		t.Fatalf("exclusive: %v, %v", second.Exclusive(), err)
	}
	if claims, _, err := second.Claim(t.Context(), 1); err != nil || len(claims) != 1 {
		t.Fatalf("claims %v, %v", claims, err)
	}
}
