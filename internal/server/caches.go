package server

import (
	"context"

	"github.com/shiplock/shiplock/internal/api"
)

type dropCachesInput struct{ Body api.DropCaches }

func (s *Server) listCaches(ctx context.Context, _ *nothing) (api.Page[api.CacheSnapshot], error) {
	all, err := s.cfg.Engine.Caches(ctx)
	return api.Page[api.CacheSnapshot]{Items: orEmpty(all)}, err
}

func (s *Server) dropCaches(ctx context.Context, in *dropCachesInput) (api.Page[api.CacheSnapshot], error) {
	dropped, err := s.cfg.Engine.DropCaches(ctx, principal(ctx), in.Body)
	return api.Page[api.CacheSnapshot]{Items: orEmpty(dropped)}, err
}
