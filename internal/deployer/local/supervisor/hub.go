package supervisor

import (
	"context"
	"slices"
	"sync"
	"time"
)

// hub numbers the changes of all Targets, so that a watcher can ask for what
// came after a number. Numbers grow over restarts, since they begin at the time
// in microseconds and changes are far rarer.
type hub struct {
	mu      sync.Mutex
	begin   int64
	now     int64
	changed map[string]int64
	removed map[string]int64
	news    chan struct{} // closed and replaced at every change
}

func newHub(now time.Time) *hub {
	n := now.UnixMicro()
	return &hub{begin: n, now: n, changed: map[string]int64{}, removed: map[string]int64{}, news: make(chan struct{})}
}

func (h *hub) touch(key string) {
	h.bump(func(n int64) { h.changed[key] = n; delete(h.removed, key) })
}

func (h *hub) remove(key string) {
	h.bump(func(n int64) { h.removed[key] = n; delete(h.changed, key) })
}

func (h *hub) bump(note func(n int64)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now++
	note(h.now)
	close(h.news)
	h.news = make(chan struct{})
}

// news is what changed after a number.
type news struct {
	version          int64
	full             bool
	changed, removed []string
}

// wait returns as soon as something differs from since, or without news when ctx
// ends. A number of another life of the supervisor gets everything.
func (h *hub) wait(ctx context.Context, since int64) news {
	for {
		n, next := h.after(since)
		if n.full || len(n.changed)+len(n.removed) > 0 {
			return n
		}
		select {
		case <-ctx.Done():
			return n
		case <-next:
		}
	}
}

func (h *hub) after(since int64) (news, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := news{version: h.now, full: since < h.begin || since > h.now}
	if n.full {
		since = 0
	}
	n.changed, n.removed = newer(h.changed, since), newer(h.removed, since)
	return n, h.news
}

func newer(at map[string]int64, since int64) (keys []string) {
	for key, n := range at {
		if n > since {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
