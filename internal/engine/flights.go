package engine

import (
	"context"
	"maps"
	"sync"
	"time"
)

// maxFlights bounds the answers that are remembered.
const maxFlights = 500

// flights share answers that may take long. An asker waits for a while; the question
// goes on without it, and the answer is there for the next one.
type flights[T any] struct {
	mu   sync.Mutex
	all  map[string]*flight[T]
	keep time.Duration
}

type flight[T any] struct {
	done   chan struct{}
	value  T
	err    error
	landed time.Time // zero while it is under way
}

// ask returns the answer of a key, at most keep old. ok is false when it was not there
// within wait. start runs something beside the caller, or refuses to.
func (f *flights[T]) ask(ctx context.Context, key string, wait time.Duration, e *Engine, do func(context.Context) (T, error)) (value T, ok bool, err error) {
	one := f.board(key, e, do)
	if one == nil {
		return value, false, nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-one.done:
		return one.value, true, one.err
	case <-t.C:
		return value, false, nil
	case <-ctx.Done():
		return value, false, context.Cause(ctx)
	}
}

// board finds the flight of a key or starts one; nil when there is no room.
func (f *flights[T]) board(key string, e *Engine, do func(context.Context) (T, error)) *flight[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := e.now()
	maps.DeleteFunc(f.all, func(_ string, one *flight[T]) bool { return !one.landed.IsZero() && now.Sub(one.landed) > f.keep })
	if one := f.all[key]; one != nil {
		return one
	}
	if len(f.all) >= maxFlights {
		return nil
	}
	one := &flight[T]{done: make(chan struct{})}
	started := e.beside.start(func(ctx context.Context) {
		value, err := do(ctx)
		f.mu.Lock()
		one.value, one.err, one.landed = value, err, e.now()
		f.mu.Unlock()
		close(one.done)
	})
	if !started {
		return nil
	}
	if f.all == nil {
		f.all = map[string]*flight[T]{}
	}
	f.all[key] = one
	return one
}

// beside runs what goes on after its caller has left, until Run ends.
type beside struct {
	mu  sync.Mutex
	run func(func(context.Context))
}

func (b *beside) set(run func(func(context.Context))) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run = run
}

// start is false when the engine does not run.
func (b *beside) start(do func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run == nil {
		return false
	}
	b.run(do)
	return true
}
