package server

import (
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
)

type dropCachesInput struct{ Body api.DropCaches }

func (s *Server) listCaches(ctx context.Context, _ *nothing) (api.Page[api.CacheSnapshot], error) {
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[api.CacheSnapshot]{}, err
	}
	all, err := s.cfg.Engine.Caches(ctx)
	all = slices.DeleteFunc(slices.Clone(all), func(c api.CacheSnapshot) bool { return !v.app(c.App) })
	return api.Page[api.CacheSnapshot]{Items: orEmpty(all)}, err
}

func (s *Server) dropCaches(ctx context.Context, in *dropCachesInput) (api.Page[api.CacheSnapshot], error) {
	dropped, err := s.cfg.Engine.DropCaches(ctx, principal(ctx), in.Body)
	return api.Page[api.CacheSnapshot]{Items: orEmpty(dropped)}, err
}
