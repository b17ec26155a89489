package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// crash ends a server right after a call's effect, before that is committed.
func (w *world) crash(verb string) func(string) (error, bool) {
	s := w.server
	return func(call string) (error, bool) {
		if strings.HasPrefix(call, verb+" ") {
			s.end()
		}
		return nil, true
	}
}

// Whatever was done when the server died is done again by the next one, and that
// is harmless: one attempt, one generation, one release, one end.
func TestCrashBetweenEffectAndCommit(t *testing.T) {
	for _, verb := range []string{"start", "status", "apply", "observe", "close"} {
		t.Run(verb, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				w.apply(app("shop", ""))
				die := w.crash(verb)
				w.executor.Follow(die)
				w.forge.Follow(die)
				w.deployer.Follow(die)
				w.logs.Follow(die)
				first := w.server
				w.receive(push("h1", "shop", "dev", "a"))
				w.revive()
				w.claim().succeed(digest("a"))
				w.revive()
				<-first.ended
				w.pass(time.Minute)
				w.checkDelivered("a")
			})
		})
	}
}

// revive boots another server if the one before has crashed, and lets it take over.
func (w *world) revive() {
	w.t.Helper()
	select {
	case <-w.ended:
		w.boot()
		w.pass(2 * lease)
	default:
	}
}

// checkDelivered wants one run, from one attempt, that was released once to dev.
func (w *world) checkDelivered(digit string) {
	w.t.Helper()
	runs := w.runs()
	if len(runs) != 1 {
		w.t.Fatalf("%d runs, want one", len(runs))
	}
	r := w.wantRun(runs[0].ID, delivery.RunSucceeded)
	w.wantRelease(r.Release, delivery.ReleaseDeployed)
	w.wantWish("dev", digit)
	if got := w.executor.Attempts(); !slices.Equal(got, []string{"shop-1-build-1"}) {
		w.t.Errorf("attempts: %v", got)
	}
	history := w.history(r.Ref())
	for _, once := range []string{"job.admitted", "attempt.claimed", "job.finished", "release.proposed"} {
		if n := count(history, once); n != 1 {
			w.t.Errorf("%s %d times: %v", once, n, history)
		}
	}
	if h := w.target("dev").History; len(h) != 1 {
		w.t.Errorf("deployed %d times", len(h))
	}
	if s := w.states(); s[len(s)-1] != "success" {
		w.t.Errorf("the forge was told %v", s)
	}
}

// unruly is a store that fails where a test says.
type unruly struct {
	engine.Store
	mu     sync.Mutex
	fails  map[string]error
	left   int // how many more calls fail
	spared int // calls that are let through first
}

// fail has calls fail from now on; without any, all succeed.
func (u *unruly) fail(err error, calls ...string) { u.failTimes(1<<30, err, calls...) }

func (u *unruly) failTimes(n int, err error, calls ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fails, u.left, u.spared = map[string]error{}, n, 0
	for _, c := range calls {
		u.fails[c] = err
	}
}

// failAfter lets n calls of these kinds through first.
func (u *unruly) failAfter(n int, err error, calls ...string) {
	u.fail(err, calls...)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.spared = n
}

func (u *unruly) err(call string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	err := u.fails[call]
	if err == nil || u.left == 0 {
		return nil
	}
	if u.spared > 0 {
		u.spared--
		return nil
	}
	u.left--
	return err
}

func (u *unruly) Commit(ctx context.Context, c *delivery.Change) ([]delivery.Claim, error) {
	if err := u.err("commit"); err != nil {
		return nil, err
	}
	return u.Store.Commit(ctx, c)
}

func (u *unruly) PutOff(ctx context.Context, c delivery.Claim, at time.Time, why string) error {
	if err := u.err("put off"); err != nil {
		return err
	}
	return u.Store.PutOff(ctx, c, at, why)
}

func (u *unruly) Claim(ctx context.Context, limit int) ([]delivery.Claim, time.Time, error) {
	if err := u.err("claim"); err != nil {
		return nil, time.Time{}, err
	}
	return u.Store.Claim(ctx, limit)
}

func (u *unruly) Renew(ctx context.Context) error {
	if err := u.err("renew"); err != nil {
		return err
	}
	return u.Store.Renew(ctx)
}

// playUnruly is play over an unruly store.
func playUnruly(t *testing.T, story func(t *testing.T, w *world, u *unruly)) {
	t.Helper()
	var u *unruly
	playWith(t, func(c *engine.Config) {
		u = &unruly{Store: c.Store}
		c.Store = u
	}, func(t *testing.T, w *world) { story(t, w, u) })
}

// A full disk stops everything, and everything goes on by itself after it.
func TestStoreAway(t *testing.T) {
	playUnruly(t, func(t *testing.T, w *world, u *unruly) {
		w.apply(app("shop", ""))
		full := delivery.E(delivery.Unavailable, "the disk is full")
		w.executor.Follow(func(call string) (error, bool) {
			if strings.HasPrefix(call, "start ") {
				u.fail(full, "commit", "put off", "claim", "renew")
			}
			return nil, true
		})
		w.receive(push("h1", "shop", "dev", "a"))
		w.refused(w.ReceiveHook(t.Context(), push("h2", "shop", "dev", "b")), delivery.Unavailable, "full")
		w.pass(5 * time.Second)
		w.executor.Follow(nil)
		u.fail(nil)
		w.pass(10 * time.Second)
		w.claim().succeed(digest("a"))
		w.checkDelivered("a")
	})
}

// A server that is slower than its lease is taken over. It ends with ErrLeaseLost,
// and writes nothing any more: not what it was at, and no command.
func TestLeaseLost(t *testing.T) {
	playUnruly(t, func(t *testing.T, w *world, u *unruly) {
		w.apply(app("shop", ""))
		stale, stuck := w.server, make(chan struct{})
		w.executor.Follow(func(call string) (error, bool) {
			<-stuck
			return nil, true
		})
		id := w.startRun("shop", "dev") // the stale server is at its start
		u.fail(errAway, "renew")
		fresh := w.boot()
		w.executor.Follow(nil)
		w.pass(2 * lease)
		r := w.claim()
		before := w.run(id)
		w.server = stale
		w.refused(w.CancelRun(t.Context(), admin(), id, ""), delivery.Unavailable, "another one took over")
		w.refused(w.ReceiveHook(t.Context(), push("h2", "shop", "dev", "a")), delivery.Unavailable, "another one took over")
		close(stuck)
		synctest.Wait()
		w.server = fresh
		if after := w.run(id); after.Version != before.Version {
			t.Errorf("the run went from version %d to %d", before.Version, after.Version)
		}
		r.succeed(digest("a"))
		w.wantRun(id, delivery.RunSucceeded)
		u.fail(nil)
		w.pass(lease)
		<-stale.ended
		if !errors.Is(stale.err, engine.ErrLeaseLost) {
			t.Errorf("Run ended with %v, want ErrLeaseLost", stale.err)
		}
	})
}

// Two servers on one database share the work; whoever is asked, each thing is done
// once. Either one goes on with what the other leaves.
func TestTwoServers(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		one, two := w.server, w.boot()
		for i, h := range []delivery.Hook{push("h1", "shop", "dev", "a"), push("h1", "shop", "dev", "a")} {
			w.server = []*server{one, two}[i]
			w.must(w.ReceiveHook(t.Context(), h))
		}
		synctest.Wait()
		w.server = two
		w.claim().succeed(digest("a"))
		w.checkDelivered("a")
	})
}

// A server that ends leaves work that is due later; an idle one beside it sees that.
func TestIdleServerTakesOver(t *testing.T) {
	for name, leave := range map[string]func(*world, *server){
		"in order": func(w *world, s *server) { w.stop(s) },
		"crash":    func(_ *world, s *server) { s.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				w.apply(app("shop", ""))
				idle := w.server
				busy := w.boot()
				w.executor.Refuse("start", errAway)
				id := w.startRun("shop", "dev")
				w.executor.Follow(nil)
				leave(w, busy)
				w.server = idle
				w.pass(3 * lease)
				w.claim().succeed(digest("a"))
				w.wantRun(id, delivery.RunSucceeded)
			})
		})
	}
}

// What does not work is tried again ever more rarely, up to once a minute.
func TestPutOff(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		var mu sync.Mutex
		var at []time.Time
		w.forge.Follow(func(string) (error, bool) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Now())
			return errAway, false
		})
		w.receive(push("h1", "shop", "dev", "a"))
		w.must(w.CancelRun(t.Context(), admin(), w.runs()[0].ID, "")) // its state is final
		w.pass(0)
		mu.Lock()
		first := len(at) - 1
		mu.Unlock()
		w.pass(5 * time.Minute)
		w.stop(w.server)
		var waits []time.Duration
		for i := first; i+1 < len(at); i++ {
			waits = append(waits, at[i+1].Sub(at[i]))
		}
		if len(waits) < 9 {
			t.Fatalf("waits: %v", waits)
		}
		for i, d := range waits[1:] {
			if want := min(2*waits[i], time.Minute); d != want {
				t.Errorf("waits: %v", waits)
				break
			}
		}
	})
}

// Run ends only when what it began has.
func TestShutdownWaitsForWorkers(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		release := make(chan struct{})
		w.executor.Follow(func(string) (error, bool) {
			<-release
			return nil, true
		})
		w.startRun("shop", "dev")
		w.end()
		synctest.Wait()
		select {
		case <-w.ended:
			t.Error("Run ended while an attempt was being started")
		default:
		}
		close(release)
		<-w.ended
		w.must(w.err)
	})
}

func TestLive(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		all := w.Live().Listen(nil)
		defer all.Close()
		runs := w.Live().Listen(func(r delivery.Ref) bool { return r.Kind == delivery.KindRun })
		w.apply(app("shop", ""))
		w.receive(push("h1", "shop", "dev", "a"))
		<-all.Ready()
		changed, run := all.Take(), w.runs()[0]
		want := map[delivery.Ref]int64{
			{Kind: "catalog", ID: "App/shop"}:   1,
			{Kind: delivery.KindHook, ID: "h1"}: w.hook("h1").Version,
			run.Ref():                           run.Version,
		}
		for ref, version := range want {
			if changed[ref] != version {
				t.Errorf("%s is at version %d, want %d", ref, changed[ref], version)
			}
		}
		<-runs.Ready()
		if got := runs.Take(); len(got) != 1 || got[run.Ref()] != run.Version {
			t.Errorf("the one for runs got %v", got)
		}
		if got := runs.Take(); len(got) != 0 {
			t.Errorf("it got %v again", got)
		}
		runs.Close()
		w.claim().succeed(digest("a"))
		select {
		case <-runs.Ready():
			t.Error("a closed listener got news")
		default:
		}
	})
}
