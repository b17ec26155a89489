package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// patchy is a store that is away at times.
type patchy struct {
	engine.Store
	away atomic.Bool
}

func (s *patchy) Commit(ctx context.Context, c *delivery.Change) ([]delivery.Claim, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return s.Store.Commit(ctx, c)
}

// What the world outside says while the store is away, it says once: it is heard when
// the store is back.
func TestNudgeWaitsForTheStore(t *testing.T) {
	var s *patchy
	playWith(t, func(c *engine.Config) { s = &patchy{Store: c.Store}; c.Store = s }, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.deployer.Delay(digest("a"))
		run := w.build("shop", "dev", "a")
		w.pass(time.Minute) // applied and seen, and not ready: nothing is looked at again
		id := w.wantRelease(w.run(run.ID).Release, delivery.ReleaseRolling).ID
		s.away.Store(true)
		w.deployer.Mend(digest("a"))
		w.Nudge(w.target("dev").Ref())
		w.pass(20 * time.Second)
		w.wantRelease(id, delivery.ReleaseRolling)
		s.away.Store(false)
		w.pass(5 * time.Second)
		w.wantRelease(id, delivery.ReleaseDeployed)
	})
}

// An attempt's end is heard then, too; what names nothing of ours does not hold it up.
func TestNudgeOfAnAttemptWaitsForTheStore(t *testing.T) {
	var s *patchy
	playWith(t, func(c *engine.Config) { s = &patchy{Store: c.Store}; c.Store = s }, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		s.away.Store(true)
		w.executor.Die(r.key, nil)
		for _, key := range []string{r.key, "shop-1-build-9", "shop-9-build-1", "?"} {
			w.NudgeAttempt(key)
		}
		w.pass(20 * time.Second)
		s.away.Store(false)
		w.pass(10 * time.Second)
		if j := w.run(id).Jobs[0]; j.Attempt != 2 {
			t.Errorf("attempt %d is %s after its process died", j.Attempt, j.State)
		}
	})
}
