package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

type whereInput struct {
	Commit string `path:"commit" maxLength:"64" doc:"a SHA, or its first 4 or more digits"`
	App    string `query:"app" doc:"of this app only"`
}

func (s *Server) whereIs(ctx context.Context, in *whereInput) (api.Whereabouts, error) {
	targets, err := s.cfg.Reader.Targets(ctx)
	if err != nil {
		return api.Whereabouts{}, err
	}
	v, err := s.sight(ctx)
	if err != nil {
		return api.Whereabouts{}, err
	}
	if in.App != "" && !v.app(in.App) {
		return api.Whereabouts{}, delivery.E(delivery.NotFound, fmt.Sprintf("there is no app %q: see `shiplock get apps`", in.App))
	}
	targets = slices.DeleteFunc(targets, func(t delivery.Target) bool { return !v.target(t.App, t.Env) })
	sha, all, err := s.cfg.Engine.Where(ctx, in.Commit, in.App, targets)
	return api.Whereabouts{Commit: sha, Items: orEmpty(all)}, err
}
