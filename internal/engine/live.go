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

// Take returns what changed since the last call: aggregate → newest version. all/all
// says that anything may have.
func (s *Listener) Take() map[delivery.Ref]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.pending
	s.pending = map[delivery.Ref]int64{}
	return got
}

// changedBy lists what people may be looking at and a committed change touched.
func changedBy(c *delivery.Change) map[delivery.Ref]int64 {
	changed := map[delivery.Ref]int64{}
	for _, r := range c.Runs {
		changed[r.Ref()] = r.Version
	}
	for _, r := range c.Releases {
		changed[r.Ref()] = r.Version
	}
	for _, t := range c.Targets {
		changed[t.Ref()] = t.Version
	}
	for _, h := range c.Hooks {
		changed[h.Ref()] = h.Version
	}
	for _, d := range c.Documents {
		changed[delivery.Ref{Kind: "catalog", ID: d.Document.Kind + "/" + d.Document.Name}] = d.Document.Version
	}
	return changed
}

func (l *Live) publish(changed map[delivery.Ref]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.listeners) == 0 {
		return
	}
	for ref, version := range changed {
		l.tell(ref, version)
	}
}

// everything stands for all aggregates, when nobody knows which changed.
var everything = delivery.Ref{Kind: "all", ID: "all"}

// missed has every listener look again, whatever it matches.
func (l *Live) missed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.listeners {
		s.put(everything, 0)
	}
}

func (l *Live) tell(ref delivery.Ref, version int64) {
	for s := range l.listeners {
		if s.match != nil && !s.match(ref) {
			continue
		}
		s.put(ref, version)
	}
}

func (s *Listener) put(ref delivery.Ref, version int64) {
	s.mu.Lock()
	s.pending[ref] = max(s.pending[ref], version)
	s.mu.Unlock()
	signal(s.ready)
}
