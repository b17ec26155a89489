//go:build e2e

package store_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/store"
	"github.com/shiplock/shiplock/internal/store/storetest"
	"github.com/shiplock/shiplock/test/postgres"
)

// TestPostgresRestarts: whatever the moment at which the database goes away, a
// commit that succeeded is there, with its wake this replica's, and one that failed
// is not.
func TestPostgresRestarts(t *testing.T) {
	url := database(t)
	replicas := []*store.Store{open(t, store.Config{URL: url}), open(t, store.Config{URL: url})}
	for _, mode := range []postgres.Mode{postgres.Immediate, postgres.Fast, postgres.Immediate} {
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		tallies := make([]tally, 8)
		for i := range tallies {
			all.Go(func() { tallies[i].commitUntil(ctx, t, replicas[i%2]) })
		}
		until(t, "the first commits", func() bool { return tallies[0].count() > 10 && tallies[1].count() > 10 })
		throwaway.restart(t, mode)
		after := tallies[0].count()
		until(t, "commits afterwards", func() bool { return tallies[0].count() > after+10 })
		stop()
		all.Wait()
		for i := range tallies {
			tallies[i].check(t, replicas[i%2])
		}
	}
}

// tally is what one caller was told about its commits.
type tally struct {
	mu     sync.Mutex
	kept   []delivery.Claim
	failed []delivery.RunID
}

func (l *tally) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.kept)
}

func (l *tally) commitUntil(ctx context.Context, t *testing.T, s *store.Store) {
	for ctx.Err() == nil {
		r := storetest.NewRun(newID(), "shop", "dev")
		claims, err := s.Commit(context.WithoutCancel(ctx), &delivery.Change{Runs: []*delivery.Run{r}, Wakes: []delivery.Wake{{Ref: r.Ref()}}})
		l.mu.Lock()
		switch {
		case err == nil && len(claims) == 1:
			l.kept = append(l.kept, claims...)
		case delivery.KindOf(err) == delivery.Unavailable:
			l.failed = append(l.failed, r.ID)
		default:
			t.Errorf("commit: %v, %v", claims, err)
		}
		l.mu.Unlock()
	}
}

func (l *tally) check(t *testing.T, s *store.Store) {
	t.Helper()
	for _, c := range l.kept {
		if _, err := s.Run(t.Context(), delivery.RunID(c.Ref.ID)); err != nil {
			t.Errorf("acknowledged, but lost: %v", err)
		}
		if _, err := s.Commit(t.Context(), &delivery.Change{Done: &c}); err != nil {
			t.Errorf("a wake that was handed out: %v", err)
		}
	}
	for _, id := range l.failed {
		if _, err := s.Run(t.Context(), id); delivery.KindOf(err) != delivery.NotFound {
			t.Errorf("refused, but there: %v", err)
		}
	}
	l.kept, l.failed = nil, nil
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// TestPostgresHear: replicas hear each other, and learn that they missed something
// when the database was away.
func TestPostgresHear(t *testing.T) {
	url := database(t)
	a, b := open(t, store.Config{URL: url}), open(t, store.Config{URL: url})
	heard := make(chan map[delivery.Ref]int64, 100)
	ctx, stop := context.WithCancel(t.Context())
	var hearing sync.WaitGroup
	hearing.Go(func() { _ = b.Hear(ctx, func(changed map[delivery.Ref]int64) { heard <- changed }) })
	defer hearing.Wait()
	defer stop()

	ref := delivery.Ref{Kind: delivery.KindTarget, ID: "shop/dev \" ü"}
	for range 2 {
		if missed := <-heard; missed != nil {
			t.Fatalf("heard %v before it was told that it may have missed something", missed)
		}
		b.Tell(map[delivery.Ref]int64{{Kind: delivery.KindRun, ID: "its own"}: 1})
		a.Tell(map[delivery.Ref]int64{ref: 2})
		a.Tell(map[delivery.Ref]int64{ref: 3})
		for version := int64(0); version < 3; {
			got := <-heard
			if got == nil { // the teller's connection was gone too
				a.Tell(map[delivery.Ref]int64{ref: 3})
				continue
			}
			if len(got) != 1 || got[ref] <= version {
				t.Fatalf("heard %v", got)
			}
			version = got[ref]
		}
		throwaway.restart(t, postgres.Immediate)
	}
}

// TestPostgresClosedIsHeard: what a replica leaves is claimed by another at once.
func TestPostgresClosedIsHeard(t *testing.T) {
	url := database(t)
	a, b := open(t, store.Config{URL: url}), open(t, store.Config{URL: url})
	ctx, stop := context.WithCancel(t.Context())
	var hearing sync.WaitGroup
	listening := make(chan struct{}, 10)
	hearing.Go(func() { _ = b.Hear(ctx, func(map[delivery.Ref]int64) { listening <- struct{}{} }) })
	defer hearing.Wait()
	defer stop()
	<-listening
	<-b.Signal()
	commit(t, a, delivery.Change{Wakes: []delivery.Wake{{Ref: delivery.Ref{Kind: delivery.KindRun, ID: "1"}}}})
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	<-b.Signal()
	if claims, _, err := b.Claim(t.Context(), 1); err != nil || len(claims) != 1 {
		t.Fatalf("claims %v, %v", claims, err)
	}
}

// TestPostgresMigratedAtOnce: replicas that are all started on an empty database.
func TestPostgresMigratedAtOnce(t *testing.T) {
	url := database(t)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			s, err := store.Open(t.Context(), store.Config{URL: url, Now: time.Now, NewID: newID})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestPostgresRefused: each reason not to be let in says what to do, and never the
// password.
func TestPostgresRefused(t *testing.T) {
	address := database(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	throwaway.server.Exec(t, "postgres", `CREATE ROLE guarded LOGIN PASSWORD 'right'`, `CREATE ROLE weak LOGIN`,
		`CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	as := func(user *url.Userinfo, path string) string {
		v := *u
		v.User, v.Path = user, path
		return v.String()
	}
	for name, c := range map[string]struct {
		url  string
		kind delivery.Kind
		says string
	}{
		"no URL":      {"postgres://%zz", delivery.Invalid, "write postgres://user:password@host:5432/database"},
		"password":    {as(url.UserPassword("guarded", "s3cret"), u.Path), delivery.Denied, "check user and password"},
		"no database": {as(u.User, "/missing"), delivery.NotFound, "CREATE DATABASE"},
		"no right":    {as(url.User("weak"), u.Path), delivery.Denied, "GRANT CREATE"},
		"encoding":    {as(u.User, "/latin"), delivery.Invalid, "ENCODING 'UTF8'"},
		"no server":   {"postgres://someone:s3cret@127.0.0.1:1/x", delivery.Unavailable, "see that it runs"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.Open(t.Context(), store.Config{URL: c.url, Now: time.Now, NewID: uuid.NewString})
			if err == nil || delivery.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v (%v)", err, delivery.KindOf(err))
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("it tells the password: %v", err)
			}
		})
	}
}

// TestPostgresDamaged: what cannot be read is no database that is away.
func TestPostgresDamaged(t *testing.T) {
	address := database(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, store.Config{URL: address})
	commit(t, s, delivery.Change{Hooks: []*delivery.Hook{{ID: "1", State: delivery.HookReceived}}})
	throwaway.server.Exec(t, strings.TrimPrefix(u.Path, "/"), `UPDATE hooks SET doc = '{'`)
	if _, err := s.Hook(t.Context(), "1"); delivery.KindOf(err) != delivery.Internal {
		t.Errorf("got %v (%v)", err, delivery.KindOf(err))
	}
	if _, err := s.Commit(t.Context(), &delivery.Change{Hooks: []*delivery.Hook{{ID: "2\x00", State: delivery.HookReceived}}}); delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("a zero byte: %v (%v)", err, delivery.KindOf(err))
	}
}

// TestPostgresStopped: a process that sleeps past its lease, be it in the middle of a
// write, keeps nobody waiting, and writes nothing when it wakes.
func TestPostgresStopped(t *testing.T) {
	url := database(t)
	s := open(t, store.Config{URL: url, Lease: sleeperLease})
	runs := func() int {
		all, err := s.Runs(t.Context(), store.RunFilter{Limit: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	for range 3 {
		child, lines := startCommitting(t, crashURL+"="+url)
		for range 20 {
			lines.Scan()
		}
		if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		stopped := time.Now()
		for taken := 0; taken < 20; {
			claims, _, err := s.Claim(t.Context(), 1000)
			if err != nil {
				t.Fatal(err)
			}
			taken += len(claims)
			if time.Since(stopped) > 30*time.Second {
				t.Fatal("its wakes are not to be had")
			}
			time.Sleep(10 * time.Millisecond) // Renew's turn, in a server
			if err := s.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("taken over after %v", time.Since(stopped))
		before := runs()
		if err := child.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		if err := child.Wait(); err == nil {
			t.Error("the sleeper did not find out")
		}
		if after := runs(); after != before {
			t.Errorf("the sleeper wrote %d runs", after-before)
		}
	}
}
