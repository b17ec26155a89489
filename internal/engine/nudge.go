package engine

import (
	"context"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// maxNudges bounds the aggregates that nudges are kept of. Each is there once, so
	// only a world with more of them than this loses one.
	maxNudges = 1 << 16
	// nudgesAtOnce is how many become one commit.
	nudgesAtOnce = 256
	// nudgePatience is the longest wait for a store that is away.
	nudgePatience = 5 * time.Second
	nudgeTimeout  = 30 * time.Second
)

// nudges are asked for by the world outside, which says a thing once: so each is kept
// until the store has it, however long that is away.
type nudges struct {
	mu      sync.Mutex
	waiting map[nudge]struct{}
	rung    chan struct{} // a buffer of one
}

// nudge names an aggregate, or by its key an attempt, whose run is meant.
type nudge struct {
	ref     delivery.Ref
	attempt string
}

func newNudges() *nudges {
	return &nudges{waiting: map[nudge]struct{}{}, rung: make(chan struct{}, 1)}
}

// Nudge asks for a look at an aggregate because the world outside changed: a
// process ended, a watch fired. It never writes state, and never waits.
func (e *Engine) Nudge(ref delivery.Ref) { e.nudge(nudge{ref: ref}) }

// NudgeAttempt nudges the run of an attempt, unless its end was reported already.
func (e *Engine) NudgeAttempt(key string) { e.nudge(nudge{attempt: key}) }

func (e *Engine) nudge(n nudge) {
	if !e.nudges.add(n) {
		e.cfg.Log.Error("nudge dropped: too many wait", string(n.ref.Kind), n.ref.ID, "attempt", n.attempt)
	}
}

// add is false when there is no room.
func (n *nudges) add(all ...nudge) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, one := range all {
		if _, there := n.waiting[one]; !there && len(n.waiting) >= maxNudges {
			return false
		}
		n.waiting[one] = struct{}{}
	}
	signal(n.rung)
	return true
}

// next takes some of those that wait.
func (n *nudges) next() []nudge {
	n.mu.Lock()
	defer n.mu.Unlock()
	var some []nudge
	for one := range n.waiting {
		if len(some) == nudgesAtOnce {
			break
		}
		some = append(some, one)
		delete(n.waiting, one)
	}
	return some
}

// passNudges gives nudges to the store until ctx ends.
func (e *Engine) passNudges(ctx context.Context) {
	for tries := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-e.nudges.rung:
		}
		for some := e.nudges.next(); len(some) > 0; some = e.nudges.next() {
			err := e.wakeFor(ctx, some)
			if err == nil {
				tries = 0
				continue
			}
			e.nudges.add(some...)
			wait := min(backoff(tries), nudgePatience)
			tries++
			if ctx.Err() == nil {
				e.cfg.Log.Warn("nudges wait", "waiting", len(some), "wait", wait.String(), "err", err)
			}
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
		}
	}
}

// wakeFor wakes what nudges are about.
func (e *Engine) wakeFor(ctx context.Context, all []nudge) error {
	ctx, cancel := context.WithTimeout(ctx, nudgeTimeout)
	defer cancel()
	change := &delivery.Change{}
	for _, n := range all {
		if n.attempt == "" {
			change.Wakes = append(change.Wakes, delivery.Wake{Ref: n.ref})
			continue
		}
		run, job, attempt, err := e.attempt(ctx, n.attempt)
		switch {
		case gone(err) || IsGone(err) || delivery.KindOf(err) == delivery.Invalid: // nothing of ours
		case err != nil:
			return err
		case job.Attempt == attempt && job.State.Active():
			change.Wakes = append(change.Wakes, delivery.Wake{Ref: run.Ref()})
		}
	}
	if len(change.Wakes) == 0 {
		return nil
	}
	_, err := e.commit(ctx, change)
	return err
}
