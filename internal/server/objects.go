package server

import (
	"context"
	"strings"
	"sync"

	"github.com/shiplock/shiplock/internal/delivery"
)

// maxPlaces bounds the places that are remembered.
const maxPlaces = 20_000

// places remembers which App and Environment a run or release is of, which never
// changes, so that a stream of changes need not read them all.
type places struct {
	reader Reader
	mu     sync.Mutex
	known  map[delivery.Ref]delivery.Object
}

func newPlaces(reader Reader) *places {
	return &places{reader: reader, known: map[delivery.Ref]delivery.Object{}}
}

// of finds the place of a run, a release or a Target.
func (p *places) of(ctx context.Context, ref delivery.Ref) (delivery.Object, error) {
	if ref.Kind == delivery.KindTarget {
		app, env, _ := strings.Cut(ref.ID, "/")
		return delivery.On(app, env), nil
	}
	p.mu.Lock()
	on, ok := p.known[ref]
	p.mu.Unlock()
	if ok {
		return on, nil
	}
	on, err := p.read(ctx, ref)
	if err != nil {
		return on, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxPlaces {
		clear(p.known)
	}
	p.known[ref] = on
	return on, nil
}

func (p *places) read(ctx context.Context, ref delivery.Ref) (delivery.Object, error) {
	if ref.Kind == delivery.KindRelease {
		r, err := p.reader.Release(ctx, delivery.ReleaseID(ref.ID))
		return delivery.On(r.App, r.Env), err
	}
	r, err := p.reader.Run(ctx, delivery.RunID(ref.ID))
	return delivery.On(r.App, r.Env), err
}

// aggregate tells whether one may be seen.
func (s *Server) aggregate(ctx context.Context, v sight, ref delivery.Ref) (bool, error) {
	if v.all() {
		return true, nil
	}
	switch ref.Kind {
	case delivery.KindRun, delivery.KindRelease, delivery.KindTarget:
		on, err := s.places.of(ctx, ref)
		if delivery.KindOf(err) == delivery.NotFound && err != nil {
			return false, nil
		}
		return err == nil && v.target(on.App, on.Env), err
	case delivery.KindHook:
		h, err := s.cfg.Reader.Hook(ctx, ref.ID)
		if err != nil && delivery.KindOf(err) == delivery.NotFound {
			return false, nil
		}
		return err == nil && v.push(h.Push), err
	case "catalog":
		kind, name, _ := strings.Cut(ref.ID, "/")
		return kind == "App" && v.app(name), nil
	case "all": // anything may have changed
		return true, nil
	}
	return false, nil
}
