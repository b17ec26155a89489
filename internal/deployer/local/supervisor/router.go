package supervisor

import (
	"slices"
	"sync"
	"sync/atomic"
)

// revision is one version's part that outlives its slots: counters and output.
type revision struct {
	id       string
	log      *logFile
	requests atomic.Int64
	failed   atomic.Int64
	retried  atomic.Int64
}

// backend is one running instance, as the proxy sees it.
type backend struct {
	revision *revision
	addr     string
	suspect  chan<- struct{} // a refused connection asks for a health check now
	inFlight int             // guarded by router.mu
	idle     chan struct{}   // closed at inFlight 0, when somebody waits
}

type pool struct {
	version  string
	backends []*backend
	next     int
}

// router picks the instance for each request. Changes are atomic between requests.
type router struct {
	mu       sync.Mutex
	wrr      wrr
	pools    []pool
	why      string // nothing is healthy: one line for the user
	unserved int64
}

// set replaces the routes. Equal versions and weights keep their turn, so that a
// flapping replica does not skew the shares.
func (r *router) set(weights []int, pools []pool, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := slices.Equal(weights, r.wrr.weights) &&
		slices.EqualFunc(pools, r.pools, func(a, b pool) bool { return a.version == b.version })
	if !same {
		r.wrr = newWRR(weights)
	}
	r.pools, r.why = pools, why
}

// acquire takes the next instance that is not except, or nil. Every acquired
// backend is released once.
func (r *router) acquire(except *backend) *backend {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.wrr.next(func(i int) bool { return !r.pools[i].usable(except) })
	if i < 0 {
		return nil
	}
	b := r.pools[i].take(except)
	b.inFlight++
	return b
}

func (r *router) release(b *backend) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b.inFlight--; b.inFlight == 0 && b.idle != nil {
		close(b.idle)
		b.idle = nil
	}
}

// drained is closed once b, already out of the routes, has answered everything.
func (r *router) drained(b *backend) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := make(chan struct{})
	if b.inFlight == 0 {
		close(done)
	} else {
		b.idle = done
	}
	return done
}

// refuse counts a request that nobody could take and returns the reason.
func (r *router) refuse() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unserved++
	return r.why
}

func (r *router) refused() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unserved
}

func (p *pool) usable(except *backend) bool {
	return slices.ContainsFunc(p.backends, func(b *backend) bool { return b != except })
}

// take returns the next backend that is not except; there is one.
func (p *pool) take(except *backend) *backend {
	for {
		b := p.backends[p.next%len(p.backends)]
		p.next = (p.next + 1) % len(p.backends)
		if b != except {
			return b
		}
	}
}
