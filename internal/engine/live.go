package engine

import (
	"sync"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Live tells listeners which aggregates changed, and to which version. It keeps
// nothing: a listener that connects late reads the history first. Updates of one
// aggregate are merged, so a slow listener costs one entry per aggregate.
type Live struct {
	mu        sync.Mutex
	listeners map[*Listener]struct{}
}

// Listener is one subscription; Close ends it.
type Listener struct {
	live    *Live
	mu      sync.Mutex
	pending map[delivery.Ref]int64
	ready   chan struct{}
	match   func(delivery.Ref) bool
}

func newLive() *Live { return &Live{listeners: map[*Listener]struct{}{}} }

// Listen subscribes to the aggregates that match accepts; nil accepts all.
func (l *Live) Listen(match func(delivery.Ref) bool) *Listener {
	s := &Listener{live: l, pending: map[delivery.Ref]int64{}, ready: make(chan struct{}, 1), match: match}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listeners[s] = struct{}{}
	return s
}

// Close ends the subscription.
func (s *Listener) Close() {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	delete(s.live.listeners, s)
}

// Ready is sent to when Take has something.
func (s *Listener) Ready() <-chan struct{} { return s.ready }

// Take returns what changed since the last call: aggregate → newest version.
func (s *Listener) Take() map[delivery.Ref]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.pending
	s.pending = map[delivery.Ref]int64{}
	return got
}

func (l *Live) publish(c *delivery.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.listeners) == 0 {
		return
	}
	for _, r := range c.Runs {
		l.tell(r.Ref(), r.Version)
	}
	for _, r := range c.Releases {
		l.tell(r.Ref(), r.Version)
	}
	for _, t := range c.Targets {
		l.tell(t.Ref(), t.Version)
	}
	for _, h := range c.Hooks {
		l.tell(h.Ref(), h.Version)
	}
	for _, d := range c.Documents {
		l.tell(delivery.Ref{Kind: "catalog", ID: d.Document.Kind + "/" + d.Document.Name}, d.Document.Version)
	}
}

func (l *Live) tell(ref delivery.Ref, version int64) {
	for s := range l.listeners {
		if s.match != nil && !s.match(ref) {
			continue
		}
		s.mu.Lock()
		s.pending[ref] = max(s.pending[ref], version)
		s.mu.Unlock()
		signal(s.ready)
	}
}
