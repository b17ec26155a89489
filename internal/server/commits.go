package server

import (
	"context"

	"github.com/shiplock/shiplock/internal/api"
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
	sha, all, err := s.cfg.Engine.Where(ctx, principal(ctx), in.Commit, in.App, targets)
	return api.Whereabouts{Commit: sha, Items: orEmpty(all)}, err
}
