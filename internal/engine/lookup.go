package engine

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// lookupTimeout bounds what one push may ask of its repository's host.
	lookupTimeout = 10 * time.Second
	// lookupsPerHost bounds the questions to one host that are under way, waitingPerHost
	// those that wait too, so that a host that hangs leaves room for others; maxLookups
	// bounds all that is remembered.
	lookupsPerHost = 4
	waitingPerHost = 100
	maxLookups     = 1000
	// lookupCheck is when a push looks again for an answer; the answer wakes it, unless
	// the database was away at that moment.
	lookupCheck = 15 * time.Second
)

// lookups ask git about pushes beside the one ordered path on which pushes become runs,
// so that a host that hangs holds up nobody else's. Answers are kept in memory until
// the push was expanded; after a restart they are asked for again.
type lookups struct {
	mu     sync.Mutex
	byHook map[string]*lookup
	hosts  map[string]chan struct{}
	owned  *sync.WaitGroup // of Run
}

type lookup struct {
	host  string
	newer string // as in the question
	ready bool
	found found
}

// found is what git said about a push.
type found struct {
	push  delivery.Push
	notes []string
	// covered says why the push asks for nothing; "" when it does.
	covered string
}

// question is what a push has to ask before it can be expanded.
type question struct {
	// newer is a commit that the pushed one may be older than.
	newer string
	// paths asks which files changed.
	paths bool
	// branches are others that a new branch may have started from.
	branches []string
}

// questionOf says what git must be asked about a push; ok is false when nothing.
func questionOf(set *catalog.Set, p delivery.Push, s standing) (q question, ok bool) {
	if s.covered != "" || len(set.EnvironmentsOf(p)) == 0 {
		return q, false
	}
	q.newer = s.newer
	if !needsPaths(p, set.AppsOf(p)) {
		return q, q.newer != ""
	}
	q.paths = true
	if p.Creates() {
		for _, e := range set.Ranked() {
			q.branches = append(q.branches, e.Branch)
		}
		q.branches = append(q.branches, p.DefaultBranch)
		q.branches = slices.DeleteFunc(q.branches, func(b string) bool { return b == "" || b == p.Branch })
		slices.Sort(q.branches)
		q.branches = slices.Compact(q.branches)
	}
	return q, true
}

// needsPaths tells whether the changed paths decide on anything and the forge did not
// send them all.
func needsPaths(p delivery.Push, apps []delivery.App) bool {
	return p.Tag == "" && !p.PathsComplete && p.Before != "" &&
		slices.ContainsFunc(apps, func(a delivery.App) bool { return a.Path != "" })
}

// lookUp returns what git said about a hook's push. ready is false while it is being
// asked; the hook is then woken by the answer.
func (e *Engine) lookUp(ctx context.Context, h delivery.Hook, q question) (f found, ready bool) {
	l := &e.lookups
	l.mu.Lock()
	defer l.mu.Unlock()
	if asked, ok := l.byHook[h.ID]; ok && (asked.newer == q.newer || !asked.ready) {
		return asked.found, asked.ready && asked.newer == q.newer
	}
	if l.byHook == nil {
		l.byHook = map[string]*lookup{}
	}
	asked := &lookup{host: hostOf(h.Push.Repo.CloneURL), newer: q.newer}
	if !l.room(asked.host) {
		return found{}, false
	}
	l.byHook[h.ID] = asked
	l.owned.Go(func() { e.answer(ctx, h, q, asked) })
	return found{}, false
}

// room tells whether one more may be asked of a host.
func (l *lookups) room(host string) bool {
	if len(l.byHook) >= maxLookups {
		maps.DeleteFunc(l.byHook, func(_ string, a *lookup) bool { return a.ready })
	}
	waiting := 0
	for _, a := range l.byHook {
		if a.host == host && !a.ready {
			waiting++
		}
	}
	return waiting < waitingPerHost && len(l.byHook) < maxLookups
}

// answer asks, and wakes the hook.
func (e *Engine) answer(ctx context.Context, h delivery.Hook, q question, asked *lookup) {
	slot := e.lookups.slot(asked.host)
	select {
	case slot <- struct{}{}:
	case <-ctx.Done():
		return
	}
	f := e.ask(ctx, asked.host, h.Push, q)
	<-slot
	e.lookups.mu.Lock()
	asked.found, asked.ready = f, true
	e.lookups.mu.Unlock()
	e.Nudge(h.Ref())
}

func (l *lookups) slot(host string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == nil || len(l.hosts) > 1000 { // hosts are few; hooks say which
		l.hosts = map[string]chan struct{}{}
	}
	if l.hosts[host] == nil {
		l.hosts[host] = make(chan struct{}, lookupsPerHost)
	}
	return l.hosts[host]
}

// forget drops the answer for a hook that was expanded.
func (l *lookups) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byHook, id)
}
