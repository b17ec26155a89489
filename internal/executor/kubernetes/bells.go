package kubernetes

import (
	"context"
	"sync"
)

// bells are keys that something happened to, each once, in order. Ringing never waits.
type bells struct {
	mu    sync.Mutex
	rung  map[string]bool
	order []string
	heard chan struct{} // has one when order has any
}

func newBells() *bells {
	return &bells{rung: map[string]bool{}, heard: make(chan struct{}, 1)}
}

func (b *bells) ring(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung[key] {
		return
	}
	b.rung[key], b.order = true, append(b.order, key)
	b.sound()
}

func (b *bells) sound() {
	select {
	case b.heard <- struct{}{}:
	default:
	}
}

// answer calls answered for each key, one at a time, until ctx ends. Several may answer
// the same bells.
func (b *bells) answer(ctx context.Context, answered func(ctx context.Context, key string)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.heard:
		}
		for key, ok := b.next(); ok && ctx.Err() == nil; key, ok = b.next() {
			answered(ctx, key)
		}
	}
}

func (b *bells) next() (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.order) == 0 {
		return "", false
	}
	key := b.order[0]
	b.order = b.order[1:]
	delete(b.rung, key)
	if len(b.order) > 0 {
		b.sound() // for another one who answers
	}
	return key, true
}
