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
	v, targets, err := s.whatRuns(ctx)
	if err != nil {
		return api.Whereabouts{}, err
	}
	if in.App != "" && !v.app(in.App) {
		return api.Whereabouts{}, noApp(in.App)
	}
	sha, all, err := s.cfg.Engine.Where(ctx, in.Commit, in.App, targets)
	return api.Whereabouts{Commit: sha, Items: orEmpty(all)}, err
}

type driftInput struct {
	App string `query:"app" maxLength:"63" doc:"of this app only"`
	Env string `query:"env" maxLength:"63" doc:"in this environment only"`
}

func (s *Server) drift(ctx context.Context, in *driftInput) (api.Page[delivery.Divergence], error) {
	v, targets, err := s.whatRuns(ctx)
	if err != nil {
		return api.Page[delivery.Divergence]{}, err
	}
	switch {
	case in.App != "" && !v.app(in.App):
		return api.Page[delivery.Divergence]{}, noApp(in.App)
	case in.Env != "" && !v.env(in.Env):
		return api.Page[delivery.Divergence]{}, delivery.E(delivery.NotFound, fmt.Sprintf("there is no environment %q: see `shiplock get environments`", in.Env))
	}
	all, err := s.cfg.Engine.Drift(ctx, in.App, in.Env, targets)
	return api.Page[delivery.Divergence]{Items: orEmpty(all)}, err
}

// whatRuns lists the Targets that the reader may see, as they are kept.
func (s *Server) whatRuns(ctx context.Context) (v sight, targets []delivery.Target, err error) {
	if v, err = s.sight(ctx); err != nil {
		return v, nil, err
	}
	targets, err = s.cfg.Reader.Targets(ctx)
	return v, slices.DeleteFunc(targets, func(t delivery.Target) bool { return !v.target(t.App, t.Env) }), err
}

func noApp(name string) error {
	return delivery.E(delivery.NotFound, fmt.Sprintf("there is no app %q: see `shiplock get apps`", name))
}
