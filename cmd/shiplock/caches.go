package main

import (
	"cmp"
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/cache"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// newCaches is where builds keep what their tools have fetched or compiled.
func newCaches(o options) *cache.Store {
	limit := cmp.Or(int64(o.cacheLimit), min(20<<30, cache.DiskSize(o.cache)/10))
	return cache.New(cache.Config{Dir: o.cache, Limit: limit, SnapshotLimit: limit / 4, Now: time.Now})
}

// buildCaches are the caches of builds, where the server reaches them.
func (in *instance) buildCaches() engine.Caches {
	if in.opts.build.executor == inPods {
		return volumes{in.opts.build.namespace}
	}
	return caches{in.caches}
}

// volumes say where the caches of builds in pods are: on volumes that only builds mount.
type volumes struct{ namespace string }

func (v volumes) List(context.Context) ([]api.CacheSnapshot, error) { return nil, v.elsewhere() }

func (v volumes) Drop(context.Context, func(api.CacheSnapshot) bool) ([]api.CacheSnapshot, error) {
	return nil, v.elsewhere()
}

func (v volumes) elsewhere() error {
	return delivery.E(delivery.Conflict, "caches of builds in pods are on volumes, one for each trust domain and Stack: list them with kubectl -n "+v.namespace+" get pvc -l app.kubernetes.io/component=cache, and drop one by deleting it")
}

// caches lets people see and drop what builds start from.
type caches struct{ store *cache.Store }

func (c caches) List(context.Context) ([]api.CacheSnapshot, error) {
	all, err := c.store.List()
	return shown(all), err
}

func (c caches) Drop(ctx context.Context, which func(api.CacheSnapshot) bool) ([]api.CacheSnapshot, error) {
	dropped, err := c.store.Drop(ctx, func(i cache.Info) bool { return which(show(i)) })
	return shown(dropped), err
}

func shown(all []cache.Info) []api.CacheSnapshot {
	out := make([]api.CacheSnapshot, len(all))
	for n, i := range all {
		out[n] = show(i)
	}
	return out
}

func show(i cache.Info) api.CacheSnapshot {
	return api.CacheSnapshot{
		ID: i.ID, Domain: i.Domain, Stack: i.Stack, Name: i.Name, App: i.App, Run: i.Run,
		Bytes: i.Bytes, Files: i.Files, CreatedAt: i.At, UsedAt: i.UsedAt, Hits: i.Hits,
	}
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
