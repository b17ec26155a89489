package server

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// board keeps every Target as the API shows it, and reads again only those that
// changed: a Target with its history is large, and a status page wants all.
type board struct {
	reader targetReader
	news   *engine.Listener

	mu     sync.Mutex
	loaded bool
	shown  map[string]api.Target
}

// targetReader is what the board reads.
type targetReader interface {
	Target(ctx context.Context, app, env string) (delivery.Target, error)
	Targets(ctx context.Context) ([]delivery.Target, error)
}

func newBoard(reader targetReader, live *engine.Live) *board {
	news := live.Listen(func(ref delivery.Ref) bool { return ref.Kind == delivery.KindTarget })
	return &board{reader: reader, news: news, shown: map[string]api.Target{}}
}

// targets lists all Targets by app and environment.
func (b *board) targets(ctx context.Context) ([]api.Target, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(ctx); err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(b.shown), func(x, y api.Target) int {
		return cmp.Or(cmp.Compare(x.App, y.App), cmp.Compare(x.Env, y.Env))
	}), nil
}

func (b *board) refresh(ctx context.Context) error {
	changed := b.news.Take() // before reading, so that nothing is missed
	if !b.loaded {
		all, err := b.reader.Targets(ctx)
		if err != nil {
			return err
		}
		for _, t := range all {
			b.shown[t.Key()] = api.TargetOf(t)
		}
		b.loaded = true
		return nil
	}
	for ref := range changed {
		app, env, _ := strings.Cut(ref.ID, "/")
		t, err := b.reader.Target(ctx, app, env)
		if err != nil {
			b.loaded = false // what was taken is not told again
			return err
		}
		b.shown[t.Key()] = api.TargetOf(t)
	}
	return nil
}
