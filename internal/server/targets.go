package server

import (
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// TargetPath names a Target.
type TargetPath struct {
	App string `path:"app" maxLength:"63"`
	Env string `path:"env" maxLength:"63"`
}

type targetReasonInput struct {
	TargetPath
	Body api.Reason
}

type targetsInput struct {
	App string `query:"app"`
	Env string `query:"env"`
}

func (s *Server) listTargets(ctx context.Context, in *targetsInput) (api.Page[api.Target], error) {
	_, all, err := s.visibleTargets(ctx)
	page := api.Page[api.Target]{Items: []api.Target{}}
	for _, t := range all {
		if (in.App == "" || t.App == in.App) && (in.Env == "" || t.Env == in.Env) {
			page.Items = append(page.Items, t)
		}
	}
	return page, err
}

// visibleTargets are those of the board that may be seen.
func (s *Server) visibleTargets(ctx context.Context) (v sight, all []api.Target, err error) {
	if v, err = s.sight(ctx); err != nil {
		return v, nil, err
	}
	all, err = s.board.targets(ctx)
	return v, slices.DeleteFunc(all, func(t api.Target) bool { return !v.target(t.App, t.Env) }), err
}

func (s *Server) getTarget(ctx context.Context, in *TargetPath) (api.TargetDetail, error) {
	t, err := s.findTarget(ctx, *in)
	if err != nil {
		return api.TargetDetail{}, err
	}
	waiting, err := s.cfg.Reader.WaitingReleases(ctx, in.App, in.Env)
	return api.TargetDetail{Target: api.TargetOf(t), Waiting: waiting}, err
}

// findTarget tells a Target that never had a release from one that cannot be.
func (s *Server) findTarget(ctx context.Context, in TargetPath) (delivery.Target, error) {
	if err := s.catalog.knows(ctx, in.App, in.Env); err != nil {
		return delivery.Target{}, err
	}
	return s.cfg.Reader.Target(ctx, in.App, in.Env)
}

func (s *Server) targetHistory(ctx context.Context, in *TargetPath) (api.Page[api.Deployed], error) {
	t, err := s.findTarget(ctx, *in)
	return api.Page[api.Deployed]{Items: api.HistoryOf(t)}, err
}

func (s *Server) pauseTarget(ctx context.Context, in *targetReasonInput) (api.Target, error) {
	if err := s.cfg.Engine.PauseTarget(ctx, principal(ctx), in.App, in.Env, in.Body.Reason); err != nil {
		return api.Target{}, err
	}
	t, err := s.cfg.Reader.Target(ctx, in.App, in.Env)
	return api.TargetOf(t), err
}

func (s *Server) resumeTarget(ctx context.Context, in *targetReasonInput) (api.Target, error) {
	if err := s.cfg.Engine.ResumeTarget(ctx, principal(ctx), in.App, in.Env); err != nil {
		return api.Target{}, err
	}
	t, err := s.cfg.Reader.Target(ctx, in.App, in.Env)
	return api.TargetOf(t), err
}

func (s *Server) restartTarget(ctx context.Context, in *targetReasonInput) (api.Release, error) {
	rel, err := s.cfg.Engine.Restart(ctx, principal(ctx), in.App, in.Env, in.Body.Reason)
	if err != nil {
		return api.Release{}, err
	}
	return s.showRelease(ctx, rel)
}

type scaleInput struct {
	TargetPath
	Body api.Scale
}

func (s *Server) scaleTarget(ctx context.Context, in *scaleInput) (api.Release, error) {
	rel, err := s.cfg.Engine.Scale(ctx, principal(ctx), in.App, in.Env, in.Body.Replicas, in.Body.Reason)
	if err != nil {
		return api.Release{}, err
	}
	return s.showRelease(ctx, rel)
}

type rollBackInput struct {
	TargetPath
	Body api.RollBack
}

func (s *Server) rollBack(ctx context.Context, in *rollBackInput) (api.Release, error) {
	rel, err := s.cfg.Engine.RollBack(ctx, principal(ctx), in.App, in.Env, in.Body.To, in.Body.Reason)
	if err != nil {
		return api.Release{}, err
	}
	return s.showRelease(ctx, rel)
}
