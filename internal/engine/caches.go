package engine

import (
	"context"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Caches is what builds start from.
type Caches interface {
	// List has the one that was used last first.
	List(ctx context.Context) ([]api.CacheSnapshot, error)
	// Drop keeps snapshots from being used from here on, and returns which those were.
	Drop(ctx context.Context, which func(api.CacheSnapshot) bool) ([]api.CacheSnapshot, error)
}

// Caches lists what builds start from.
func (e *Engine) Caches(ctx context.Context) ([]api.CacheSnapshot, error) {
	return e.cfg.Caches.List(ctx)
}

// DropCaches removes snapshots, as of a build that was not to be trusted.
func (e *Engine) DropCaches(ctx context.Context, p Principal, d api.DropCaches) (dropped []api.CacheSnapshot, err error) {
	if d.Names() == d.All {
		return nil, delivery.E(delivery.Invalid, "name which caches to drop, or say all; see them with `shiplock get caches`")
	}
	err = e.command(ctx, p, delivery.CmdCacheDrop, delivery.Everything(subjectOf(d)), d.Reason, func(*draft) error {
		more, err := e.cfg.Caches.Drop(ctx, d.Matches)
		dropped = append(dropped, more...)
		return err
	})
	if err == nil && len(dropped) == 0 {
		return nil, delivery.E(delivery.NotFound, "there are no such caches: see `shiplock get caches`")
	}
	return dropped, err
}

func subjectOf(d api.DropCaches) string {
	var parts []string
	for _, part := range append(d.IDs, d.Domain, d.Stack, d.Name, d.App) {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "all caches"
	}
	return "caches " + strings.Join(parts, " ")
}
