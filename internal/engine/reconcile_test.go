package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

const every = 5 * time.Minute

// reconcile starts a reconciler, and lets it have its first look.
func (w *world) reconcile() *engine.Reconciler {
	w.t.Helper()
	r := engine.NewReconciler(w.Engine, every)
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		w.must(<-done)
	})
	w.pass(time.Minute)
	return r
}

// round lets two looks pass: one that misses a hook, and one that makes up for it.
func (w *world) round() { w.pass(every + every/5 + time.Minute) }

// line makes a history of commits with these digits, the oldest first.
func (w *world) line(digits string) {
	w.past.Parents = map[string]string{sha(digits[:1]): ""}
	for i := 1; i < len(digits); i++ {
		w.past.Parents[sha(digits[i:i+1])] = sha(digits[i-1 : i])
	}
}

func (w *world) at(branch, digit string) {
	w.past.Branches = map[string]string{branch: sha(digit)}
}

// built lists the commits that were built for dev, by their first digit, in order.
func (w *world) built() string {
	w.t.Helper()
	var b strings.Builder
	for _, r := range w.runs() {
		b.WriteString(r.Commit.SHA[:1])
	}
	return b.String()
}

// recovered returns the hooks that were made up, the oldest first.
func (w *world) recovered() []delivery.Hook {
	w.t.Helper()
	all, err := w.store.Hooks(w.t.Context(), 100)
	w.must(err)
	var out []delivery.Hook
	for i := range all {
		if h := all[len(all)-1-i]; h.Recovered() {
			out = append(out, h)
		}
	}
	return out
}

func TestLostHookIsRecovered(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.line("abc")
		w.at("dev", "a")
		r := w.reconcile()
		w.round()
		if got := w.built(); got != "" {
			t.Fatalf("the first sight of a repository built %s", got)
		}
		w.at("dev", "b")
		w.round()
		if got := w.built(); got != "b" {
			t.Fatalf("built %q, want b", got)
		}
		run := w.runs()[0]
		if run.Note != "recovered: no hook came for this push" || run.By.String() != "hook:reconciler" || run.Commit.Title != "commit b" || run.Commit.Branch != "dev" {
			t.Errorf("run: %+v", run)
		}
		h := w.recovered()[0]
		if h.State != delivery.HookExpanded || h.Note != "recovered: no hook came for this push" || h.Push.Before != sha("a") || h.Push.After != sha("b") {
			t.Errorf("hook: %+v", h)
		}
		w.round()
		if got := w.built(); got != "b" {
			t.Errorf("built %s, want b once", got)
		}
		if s := r.Status(); s.Recovered != 1 || s.Repositories != 1 || s.LookedAt.IsZero() || len(s.Failing) != 0 {
			t.Errorf("status: %+v", s)
		}
	})
}

// What a hook told in time is left alone, and costs no run.
func TestHookInTimeIsNotRecovered(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.line("abc")
		w.at("dev", "a")
		w.reconcile()
		w.receive(from(push("h1", "shop", "dev", "b"), "a"))
		w.at("dev", "b")
		w.round()
		w.round()
		if got := w.built(); got != "b" || len(w.recovered()) != 0 {
			t.Errorf("built %s, recovered %v", got, w.recovered())
		}
	})
}

// A hook that comes after its push was recovered makes no second run, and none of an
// older commit.
func TestLateHooksOfARecoveredPush(t *testing.T) {
	for _, known := range []bool{true, false} { // to the forge: its id of the repository
		play(t, func(t *testing.T, w *world) {
			w.apply(app("shop", ""))
			w.line("0abcd")
			if known {
				w.receive(from(push("h0", "shop", "dev", "a"), "0"))
			}
			w.at("dev", "a")
			w.reconcile()
			w.at("dev", "c") // by two pushes, a to b to c
			w.round()
			want := "c"
			if known {
				want = "ac"
			}
			if got := w.built(); got != want {
				t.Fatalf("built %s, want %s", got, want)
			}
			w.receive(from(push("h1", "shop", "dev", "b"), "a"), from(push("h2", "shop", "dev", "c"), "b"))
			w.wantRuns("h1", 0, "its hook came after the newer cccccccc was recovered")
			w.wantRuns("h2", 0, "this push was recovered before its hook came, by hook reconciler-")
			w.at("dev", "d")
			w.receive(from(push("h3", "shop", "dev", "d"), "c"))
			w.wantRuns("h3", 1, "")
			w.round()
			w.round()
			if got := w.built(); got != want+"d" {
				t.Errorf("built %s, want %sd", got, want)
			}
		})
	}
}

// A push after a recovered one, whose own hook is the first to come again, is built.
func TestNewHookAfterARecoveredPush(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.line("abcde")
		w.at("dev", "a")
		w.reconcile()
		w.at("dev", "b")
		w.round()
		w.at("dev", "d") // c came and went unseen
		w.receive(from(push("h1", "shop", "dev", "d"), "c"))
		w.wantRuns("h1", 1, "")
		w.past.Refuse("contains", errAway)
		w.at("dev", "e")
		w.round() // recovers e
		w.receive(from(push("h2", "shop", "dev", "c"), "b"))
		w.wantRuns("h2", 0, "git does not say which is newer")
		if got := w.built(); got != "bde" {
			t.Errorf("built %s, want bde", got)
		}
	})
}

// What was known survives a restart: a push while the server was away is found.
func TestPushWhileAwayIsRecovered(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.line("ab")
		w.at("dev", "a")
		w.reconcile()
		w.stop(w.server)
		w.at("dev", "b")
		w.boot()
		w.reconcile()
		w.round()
		if got := w.built(); got != "b" {
			t.Errorf("built %q, want b", got)
		}
	})
}

// A branch that was not there is new when it appears, and one that is gone asks for
// nothing.
func TestNewBranchWithoutAHook(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.line("ab")
		w.at("dev", "a")
		w.reconcile()
		w.past.Branches = map[string]string{"test": sha("b")}
		w.round()
		if got := w.built(); got != "b" {
			t.Fatalf("built %q, want b", got)
		}
		if r := w.runs()[0]; r.Env != "test" {
			t.Errorf("run: %+v", r)
		}
		if h := w.recovered()[0]; !h.Push.Creates() {
			t.Errorf("hook: %+v", h.Push)
		}
	})
}

// A host that hangs is asked ever less often, and holds up no other.
func TestReconcilerAndAHostThatIsAway(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.past.Refuse("heads", errAway)
		r := w.reconcile()
		w.pass(4 * time.Hour)
		s := r.Status()
		if len(s.Failing) != 1 || s.Failing[0].Repo != "git/team/shop" || !strings.Contains(s.Failing[0].Why, "it does not answer") || s.Failing[0].Since.IsZero() {
			t.Errorf("status: %+v", s)
		}
		if n := len(w.past.Calls("heads ")); n < 4 || n > 10 {
			t.Errorf("the host was asked %d times in four hours", n)
		}
		w.past.Refuse("heads", nil)
		w.pass(2 * time.Hour)
		if s := r.Status(); len(s.Failing) != 0 {
			t.Errorf("status: %+v", s)
		}
	})
}

// Two servers find the same push, and make one run.
func TestTwoReconcilersMakeOneRun(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.line("ab")
		w.at("dev", "a")
		w.reconcile()
		w.reconcile()
		w.at("dev", "b")
		w.round()
		w.round()
		if got := w.built(); got != "b" || len(w.recovered()) != 1 {
			t.Errorf("built %q, recovered %d", got, len(w.recovered()))
		}
	})
}
