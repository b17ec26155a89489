package main

import (
	"cmp"
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/cache"
)

// newCaches is where builds keep what their tools have fetched or compiled.
func newCaches(o options) *cache.Store {
	limit := cmp.Or(int64(o.cacheLimit), min(20<<30, cache.DiskSize(o.cache)/10))
	return cache.New(cache.Config{Dir: o.cache, Limit: limit, SnapshotLimit: limit / 4, Now: time.Now})
}

// sweepCaches keeps caches within their limit until ctx ends.
func (in *instance) sweepCaches(ctx context.Context) error {
	const every = 30 * time.Second
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if w, err := in.caches.Sweep(ctx); err != nil && ctx.Err() == nil {
			in.log.Warn("sweep caches", "err", err)
		} else if w.Snapshots > 0 {
			in.log.Info("swept caches", "snapshots", w.Snapshots, "bytes", w.Bytes, "left", w.Left)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
