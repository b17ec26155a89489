package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Follow calls handle with the facts of some aggregates ("run/ID", "release/ID",
// "target/APP/ENV", each with "@version" to begin after one), old ones first, each
// once. A handler that returns Done ends it well.
func (c *Client) Follow(ctx context.Context, refs []string, handle func(delivery.HistoryEntry) error) error {
	return c.stream(ctx, path("events", "stream")+"?"+url.Values{"ref": refs}.Encode(), func(e event) error {
		if e.name != api.EventHistory {
			return nil
		}
		var h delivery.HistoryEntry
		if err := json.Unmarshal(e.data, &h); err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		return handle(h)
	})
}

// Done is returned by handlers that have seen enough.
func Done() error { return errDone }

// WatchRun calls show with the run now and after every change, until it is over or show
// returns Done. It returns the run as it was then.
func (c *Client) WatchRun(ctx context.Context, run string, show func(api.Run) error) (api.Run, error) {
	r, err := c.Run(ctx, run)
	if err != nil {
		return r, err
	}
	if err := show(r); err != nil || r.State.Terminal() {
		return r, unlessDone(err)
	}
	ref := fmt.Sprintf("run/%s@%d", r.ID, r.Version)
	err = c.Follow(ctx, []string{ref}, func(h delivery.HistoryEntry) error {
		if h.Version <= r.Version {
			return nil // one read may cover several facts
		}
		var err error
		if r, err = c.Run(ctx, string(r.ID)); err != nil {
			return err
		}
		if err := show(r); err != nil {
			return err
		}
		return doneIf(r.State.Terminal())
	})
	return r, err
}

// WatchRelease is WatchRun for a release; it also shows what the Target does
// meanwhile.
func (c *Client) WatchRelease(ctx context.Context, id delivery.ReleaseID, show func(api.Release) error) (api.Release, error) {
	r, err := c.Release(ctx, id)
	if err != nil {
		return r, err
	}
	if err := show(r); err != nil || r.State.Terminal() {
		return r, unlessDone(err)
	}
	t, err := c.Target(ctx, r.App, r.Env)
	if err != nil {
		return r, err
	}
	refs := []string{fmt.Sprintf("release/%s@%d", r.ID, r.Version), fmt.Sprintf("target/%s/%s@%d", r.App, r.Env, t.Version)}
	err = c.Follow(ctx, refs, func(h delivery.HistoryEntry) error {
		if h.Ref.Kind == delivery.KindRelease && h.Version <= r.Version {
			return nil
		}
		var err error
		if r, err = c.Release(ctx, id); err != nil {
			return err
		}
		if err := show(r); err != nil {
			return err
		}
		return doneIf(r.State.Terminal())
	})
	return r, err
}

// unlessDone is nil for a handler that has seen enough at the first look.
func unlessDone(err error) error {
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

func doneIf(over bool) error {
	if over {
		return errDone
	}
	return nil
}
