package supervisor

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/deployer/local"
)

// registry holds the Targets by key.
type registry struct {
	make  func(key string) *target
	spawn func(t *target, from saved)
	hub   *hub

	mu      sync.Mutex
	targets map[string]*target
	closed  bool
}

func (r *registry) add(key string, from saved) *target {
	t := r.make(key)
	r.targets[key] = t
	r.spawn(t, from)
	return t
}

func (r *registry) get(key string) (*target, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.targets[key]; ok {
		return t, nil
	}
	return nil, delivery.E(delivery.NotFound, key+" is not deployed here")
}

func (r *registry) obtain(key string) (t *target, fresh bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, false, delivery.E(delivery.Unavailable, "the supervisor is shutting down")
	}
	if t, ok := r.targets[key]; ok {
		return t, false, nil
	}
	return r.add(key, saved{}), true, nil
}

func (r *registry) apply(ctx context.Context, w local.Wish) (local.Observation, error) {
	if err := w.Validate(); err != nil {
		return local.Observation{}, err
	}
	t, fresh, err := r.obtain(w.Key)
	if err != nil {
		return local.Observation{}, err
	}
	if err := t.apply(ctx, w.WithDefaults()); err != nil {
		if fresh {
			err = errors.Join(err, r.remove(ctx, w.Key))
		}
		return local.Observation{}, err
	}
	o, _ := t.observe()
	return o, nil
}

func (r *registry) observe(key string) (local.Observation, error) {
	t, err := r.get(key)
	if err != nil {
		return local.Observation{}, err
	}
	o, ok := t.observe()
	if !ok {
		return o, delivery.E(delivery.NotFound, key+" is not deployed here")
	}
	return o, nil
}

// list returns the Targets of the keys that still exist, or all of them.
func (r *registry) list(only func(key string) bool) []local.Observation {
	all := []local.Observation{}
	for _, key := range r.keys() {
		if !only(key) {
			continue
		}
		if o, err := r.observe(key); err == nil {
			all = append(all, o)
		}
	}
	return all
}

func (r *registry) keys() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]string, 0, len(r.targets))
	for key := range r.targets {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// watch answers with what changed since a number, when there is something.
func (r *registry) watch(ctx context.Context, since int64) local.Changes {
	n := r.hub.wait(ctx, since)
	return local.Changes{
		Version: n.version, Full: n.full, Removed: n.removed,
		Targets: r.list(func(key string) bool { return n.full || slices.Contains(n.changed, key) }),
	}
}

// remove stops a Target and forgets it.
func (r *registry) remove(ctx context.Context, key string) error {
	t, err := r.get(key)
	if err != nil {
		return err
	}
	if err := t.stop(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.targets[key] != t {
		return nil // somebody else removed it meanwhile
	}
	delete(r.targets, key)
	r.hub.remove(key)
	return delivery.Wrap(delivery.Unavailable, "remove the files of "+key, t.erase())
}

// stopAll stops every Target at once; none can be added after.
func (r *registry) stopAll(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all error
	for _, key := range r.keys() {
		t, err := r.get(key)
		if err != nil {
			continue
		}
		wg.Go(func() {
			err := t.stop(ctx)
			mu.Lock()
			defer mu.Unlock()
			all = errors.Join(all, err)
		})
	}
	wg.Wait()
	return all
}
