package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/store"
	"github.com/shiplock/shiplock/internal/store/storetest"
)

// crashPath and crashURL name the database that a child of TestKilled writes to.
const (
	crashPath = "SHIPLOCK_TEST_CRASH_PATH"
	crashURL  = "SHIPLOCK_TEST_CRASH_URL"
)

// TestKilled: all that was acknowledged outlives SIGKILL, and the next process has
// the dead one's wakes at once.
func TestKilled(t *testing.T) {
	if cfg := (store.Config{Path: os.Getenv(crashPath), URL: os.Getenv(crashURL)}); cfg.Path+cfg.URL != "" {
		if cfg.URL != "" {
			cfg.Lease = sleeperLease
		}
		commitUntilKilled(t, cfg)
		return
	}
	path := filepath.Join(t.TempDir(), "shiplock.db")
	var acknowledged []delivery.RunID
	for range 3 {
		acknowledged = append(acknowledged, killAfter(t, path, 100)...)

		began := time.Now()
		s := open(t, store.Config{Path: path})
		t.Logf("open after a kill: %v", time.Since(began))
		if !s.Exclusive() {
			t.Fatal("a dead process still holds the lock")
		}
		for _, id := range acknowledged {
			if _, err := s.Run(t.Context(), id); err != nil {
				t.Fatalf("acknowledged, but lost: %v", err)
			}
		}
		claims, _, err := s.Claim(t.Context(), 1000)
		if err != nil || len(claims) < len(acknowledged) {
			t.Fatalf("%d wakes to claim for %d runs, %v", len(claims), len(acknowledged), err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStopped: a process that sleeps past its lease, be it in the middle of a
// write, is ended, and its successor is the one that the next process finds.
func TestStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shiplock.db")
	for range 3 {
		child, lines := startCommitting(t, crashPath+"="+path)
		for range 20 {
			lines.Scan()
		}
		if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		s := open(t, store.Config{Path: path, Lease: 400 * time.Millisecond})
		if err := s.WaitExclusive(t.Context()); err != nil {
			t.Fatal(err)
		}
		if third := open(t, store.Config{Path: path}); third.Exclusive() {
			t.Error("the successor does not hold the lock")
		} else if err := third.Close(); err != nil {
			t.Error(err)
		}
		commit(t, s, delivery.Change{Wakes: []delivery.Wake{{Ref: delivery.Ref{Kind: delivery.KindRun, ID: "1"}}}})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		if err := child.Wait(); err == nil || child.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("the sleeper: %v", err)
		}
	}
}

const sleeperLease = time.Second

// startCommitting starts a child that prints what it has committed.
func startCommitting(t *testing.T, where string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), where)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child, bufio.NewScanner(out)
}

// killAfter kills a child once it has acknowledged n commits, and returns those.
func killAfter(t *testing.T, path string, n int) (ids []delivery.RunID) {
	t.Helper()
	child, lines := startCommitting(t, crashPath+"="+path)
	for lines.Scan() {
		ids = append(ids, delivery.RunID(lines.Text()))
		if len(ids) == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // it was killed
	if len(ids) < n {
		t.Fatalf("the child ended after %d commits", len(ids))
	}
	return ids
}

func commitUntilKilled(t *testing.T, cfg store.Config) {
	s := open(t, cfg)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for t.Context().Err() == nil {
				r := storetest.NewRun(newID(), "shop", "dev")
				commit(t, s, delivery.Change{Runs: []*delivery.Run{r}, Wakes: []delivery.Wake{{Ref: r.Ref()}}})
				fmt.Fprintln(os.Stdout, r.ID) // one write: a kill cuts no line
			}
		})
	}
	all.Wait()
}
