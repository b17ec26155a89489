package enginetest

import (
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
)

// Caches are the snapshots that a test put there. The zero value has none.
type Caches struct {
	Script
	snapshots []api.CacheSnapshot
}

// Put adds a snapshot.
func (c *Caches) Put(s api.CacheSnapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshots = append(c.snapshots, s)
}

// List implements engine.Caches.
func (c *Caches) List(context.Context) ([]api.CacheSnapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.snapshots), nil
}

// Drop implements engine.Caches.
func (c *Caches) Drop(_ context.Context, which func(api.CacheSnapshot) bool) (dropped []api.CacheSnapshot, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshots = slices.DeleteFunc(c.snapshots, func(s api.CacheSnapshot) bool {
		if which(s) {
			dropped = append(dropped, s)
			return true
		}
		return false
	})
	return dropped, nil
}
