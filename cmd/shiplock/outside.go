package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/store"
)

// outside removes from an external registry what retention let go, by its digest, and
// nothing else: others may use that registry too.
type outside struct {
	client   *image.Client
	registry string
	store    *store.Store
	log      *slog.Logger

	pending []engine.Image
	kept    bool // the registry removes nothing
}

// maxPending bounds what waits for a registry that is away; the oldest stay in it.
const maxPending = 10_000

// remove removes images, and those that could not be removed before. Nil removes none.
func (o *outside) remove(ctx context.Context, gone []engine.Image) (removed int, err error) {
	if o == nil || o.kept {
		return 0, nil
	}
	todo := append(o.pending, gone...)
	todo = todo[max(0, len(todo)-maxPending):]
	o.pending = nil
	for i, img := range todo {
		did, later, err := o.one(ctx, img)
		switch {
		case errors.Is(err, image.ErrKept):
			o.kept, o.pending = true, nil
			o.log.Warn("the registry removes no images: what retention lets go stays in it, unless it has a policy of its own", "registry", o.registry)
			return removed, nil
		case err != nil:
			o.pending = append(o.pending, todo[i:]...)
			return removed, err
		case later:
			o.pending = append(o.pending, img)
		case did:
			removed++
		}
	}
	return removed, nil
}

// one removes an image unless it is named again. While a run of the app is under way it
// has to wait: the run may have found it there already, and be about to name it.
func (o *outside) one(ctx context.Context, img engine.Image) (did, later bool, err error) {
	named, err := o.store.NamesDigest(ctx, img.App, img.Digest)
	if named || err != nil {
		return false, false, err
	}
	running, err := o.store.Runs(ctx, store.RunFilter{App: img.App, State: delivery.RunRunning, Limit: 1})
	if len(running) > 0 || err != nil {
		return false, true, err
	}
	err = o.client.Remove(ctx, o.registry+"/"+img.App+"@"+string(img.Digest))
	if delivery.KindOf(err) == delivery.NotFound && err != nil {
		return false, false, nil
	}
	return err == nil, false, err
}
