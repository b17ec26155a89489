package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// maxInFlight bounds the wakes that this replica holds at a time.
	maxInFlight = 2048
	// maxConflicts bounds how often a wake is looked at again at once because
	// somebody else was faster.
	maxConflicts = 16
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = time.Minute
)

// workers bounds, per kind, the wakes worked on at a time, so that a slow forge
// never holds up a run.
func workers(kind delivery.AggregateKind) int {
	switch kind {
	case delivery.KindAdmission:
		return 1
	case delivery.KindHook:
		return 1 // a storm of hooks is taken in before it is worked on
	case delivery.KindTarget:
		return 8
	}
	return 40
}

// loop hands claimed wakes to workers.
type loop struct {
	engine *Engine
	slots  map[delivery.AggregateKind]chan struct{}
	poke   chan struct{} // something was taken or finished; a buffer of one
	beat   chan struct{} // the lease was renewed; a buffer of one

	mu       sync.Mutex
	taken    []delivery.Claim // held by this replica, not yet with a worker
	inFlight int
}

func newLoop(e *Engine) *loop {
	l := &loop{engine: e, slots: map[delivery.AggregateKind]chan struct{}{}, poke: make(chan struct{}, 1), beat: make(chan struct{}, 1)}
	for _, k := range []delivery.AggregateKind{
		delivery.KindHook, delivery.KindAdmission, delivery.KindRun,
		delivery.KindTarget, delivery.KindRelease, delivery.KindNotification, delivery.KindOutbox,
	} {
		l.slots[k] = make(chan struct{}, workers(k))
	}
	return l
}

// Run works until ctx ends or the lease is lost.
func (e *Engine) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var owned sync.WaitGroup
	e.lookups.owned = &owned
	e.beside.set(func(do func(context.Context)) { owned.Go(func() { do(ctx) }) })
	owned.Go(func() { cancel(e.keepLease(ctx)) })
	owned.Go(func() { e.passNudges(ctx) })
	owned.Go(func() { _ = e.store.Hear(ctx, e.hear) }) // until ctx ends
	err := e.loop.feed(ctx, &owned)
	cancel(err)
	e.beside.set(nil)
	owned.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, ErrLeaseLost) {
		return cause
	}
	return err
}

// keepLease renews the lease until ctx ends. It returns ErrLeaseLost when the
// lease is gone.
func (e *Engine) keepLease(ctx context.Context) error {
	t := time.NewTicker(e.cfg.LeaseEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
		switch err := e.store.Renew(ctx); {
		case ctx.Err() != nil:
		case err == nil:
			signal(e.loop.beat)
		case delivery.KindOf(err) == delivery.Conflict:
			return ErrLeaseLost
		default:
			e.cfg.Log.Warn("lease not renewed", "err", err)
		}
	}
}

// feed hands what was taken to workers, claims what is due, and then waits for the
// next time, a signal, or news.
func (l *loop) feed(ctx context.Context, owned *sync.WaitGroup) error {
	var next time.Time
	look := true
	for {
		room := l.spawn(ctx, owned)
		if look && room > 0 {
			claims, at, err := l.engine.store.Claim(ctx, min(room, 256))
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil:
				l.engine.cfg.Log.Warn("claim wakes", "err", err)
				at = l.engine.now().Add(time.Second)
			}
			next, look = at, false
			l.take(claims)
			continue
		}
		due, stop := l.timer(next, room > 0)
		select {
		case <-ctx.Done():
			stop()
			return nil
		case <-due:
			look = true
		case <-l.engine.store.Signal():
			look = true
		case <-l.beat:
			look = true // another server may have left wakes, or died, without a signal here
		case <-l.poke:
		}
		stop()
	}
}

// timer fires when the next wake is due; never when there is none or no room.
func (l *loop) timer(next time.Time, room bool) (due <-chan time.Time, stop func()) {
	if next.IsZero() || !room {
		return nil, func() {}
	}
	t := time.NewTimer(max(0, next.Sub(l.engine.now())))
	return t.C, func() { t.Stop() }
}

// take puts claims in line for workers.
func (l *loop) take(claims []delivery.Claim) {
	if len(claims) == 0 {
		return
	}
	l.mu.Lock()
	l.taken = append(l.taken, claims...)
	l.mu.Unlock()
	signal(l.poke)
}

// signal sends unless a signal is pending already.
func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// spawn starts a worker for every claim taken, and returns how many more may be
// claimed.
func (l *loop) spawn(ctx context.Context, owned *sync.WaitGroup) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.taken {
		l.inFlight++
		owned.Go(func() { l.worker(ctx, c) })
	}
	l.taken = nil
	return maxInFlight - l.inFlight
}

func (l *loop) worker(ctx context.Context, c delivery.Claim) {
	defer l.done()
	slot := l.slots[c.Ref.Kind]
	select {
	case slot <- struct{}{}:
		defer func() { <-slot }()
	case <-ctx.Done():
		return
	}
	l.engine.attend(ctx, c)
}

// done makes room; the feeder only cares when it had run out of it.
func (l *loop) done() {
	l.mu.Lock()
	l.inFlight--
	full := l.inFlight == maxInFlight-1
	l.mu.Unlock()
	if full {
		signal(l.poke)
	}
}

// attend works on one claimed wake until it is committed, put off, or another's.
func (e *Engine) attend(ctx context.Context, c delivery.Claim) {
	for ; ; c.Tries++ {
		err := e.settle(ctx, c)
		if err == nil || ctx.Err() != nil {
			return
		}
		wait := backoff(c.Tries)
		e.cfg.Log.Warn("put off", string(c.Ref.Kind), c.Ref.ID, "tries", c.Tries+1, "wait", wait.String(), "err", err)
		err = e.store.PutOff(ctx, c, e.now().Add(wait), err.Error())
		if err == nil || delivery.KindOf(err) == delivery.Conflict {
			return
		}
		select { // the store is away, so the wake stays this replica's: nobody else would look
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// settle decides on a wake, again at once when somebody else was faster.
func (e *Engine) settle(ctx context.Context, c delivery.Claim) error {
	for conflicts := 0; ; conflicts++ {
		err := e.decide(ctx, c)
		if delivery.KindOf(err) != delivery.Conflict || conflicts == maxConflicts || ctx.Err() != nil {
			return err
		}
	}
}

func backoff(tries int) time.Duration {
	return min(firstBackoff<<min(tries, 20), maxBackoff)
}

// decide takes one wake from load to commit.
func (e *Engine) decide(ctx context.Context, c delivery.Claim) error {
	d := newDraft(e.store, e.now(), delivery.System())
	again, err := e.next(ctx, d, c.Ref)
	if err != nil {
		return err
	}
	if !again.IsZero() {
		d.wake(c.Ref, again)
	}
	return e.keep(ctx, d, &c)
}

// next asks the aggregate's machine what is due, and does it.
func (e *Engine) next(ctx context.Context, d *draft, ref delivery.Ref) (time.Time, error) {
	switch ref.Kind {
	case delivery.KindHook:
		return e.nextHook(ctx, d, ref.ID)
	case delivery.KindAdmission:
		return time.Time{}, e.admit(ctx, d)
	case delivery.KindRun:
		return e.nextRun(ctx, d, delivery.RunID(ref.ID))
	case delivery.KindTarget:
		return e.nextTarget(ctx, d, ref.ID)
	case delivery.KindRelease:
		return e.nextRelease(ctx, d, delivery.ReleaseID(ref.ID))
	case delivery.KindNotification:
		return e.nextNotification(ctx, d, ref.ID)
	case delivery.KindOutbox:
		return e.nextOutbox(ctx, d, ref.ID)
	}
	return time.Time{}, fmt.Errorf("no machine for %s", ref)
}
