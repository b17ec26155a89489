package server

import (
	"context"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

type targetDiffInput struct {
	TargetPath
	Run      int    `query:"run" minimum:"0" doc:"a run's number"`
	Artifact string `query:"artifact" maxLength:"100" doc:"an artifact's digest"`
	From     string `query:"from" maxLength:"63" doc:"what runs in this other environment"`
}

// diffTarget shows what a release would change, and changes nothing.
func (s *Server) diffTarget(ctx context.Context, in *targetDiffInput) (api.Comparison, error) {
	if moreThanOne(in.Run != 0, in.Artifact != "", in.From != "") {
		return api.Comparison{}, delivery.E(delivery.Invalid, "name one of run, artifact and from, or none for the newest good run")
	}
	t, to, err := s.cfg.Engine.Prospect(ctx, principal(ctx), engine.CreateRelease{
		App: in.App, Env: in.Env, Run: in.Run, Artifact: delivery.Digest(in.Artifact), From: in.From,
	})
	if err != nil {
		return api.Comparison{}, err
	}
	return s.previewed(ctx, t, to)
}

type releaseDiffInput struct {
	ReleasePath
	With string `query:"with" maxLength:"100" doc:"a later release to compare with; without it, the release with what ran before it, or runs now"`
}

// diffRelease compares a release with another one, or with what it replaces.
func (s *Server) diffRelease(ctx context.Context, in *releaseDiffInput) (api.Comparison, error) {
	rel, err := s.cfg.Reader.Release(ctx, delivery.ReleaseID(in.Release))
	if err != nil {
		return api.Comparison{}, err
	}
	if in.With != "" {
		v, err := s.sight(ctx)
		if err != nil {
			return api.Comparison{}, err
		}
		other, err := s.findRelease(ctx, v, in.With)
		if err != nil {
			return api.Comparison{}, err
		}
		return s.diff(ctx, &rel.Revision, other.Revision), nil
	}
	if rel.State != delivery.ReleaseIsProposed {
		return s.diff(ctx, rel.Base, rel.Revision), nil
	}
	t, err := s.cfg.Reader.Target(ctx, rel.App, rel.Env)
	if err != nil {
		return api.Comparison{}, err
	}
	return s.previewed(ctx, t, rel.Revision)
}

// previewed asks also the place where the Target runs.
func (s *Server) previewed(ctx context.Context, t delivery.Target, to delivery.Revision) (api.Comparison, error) {
	var from *delivery.Revision
	if running := t.Running(); running != nil {
		from = &running.Revision
	}
	d := s.diff(ctx, from, to)
	wish := delivery.Desired{Generation: t.Desired.Generation, Stable: &to, RestartedAt: t.Desired.RestartedAt, Replicas: kept(t, to)}
	seen, err := s.cfg.Apps.Preview(ctx, to.App, to.Env, wish)
	d.Changes = append(d.Changes, seen.Changes...)
	d.Refused = seen.Refused
	return d, err
}

// kept is the number of instances that a person has asked for, if a release leaves it.
func kept(t delivery.Target, to delivery.Revision) int {
	if running := t.Running(); running != nil && running.Revision.Config.Replicas != to.Config.Replicas {
		return 0
	}
	return t.Desired.Replicas
}

func (s *Server) diff(ctx context.Context, from *delivery.Revision, to delivery.Revision) api.Comparison {
	d := api.Comparison{App: to.App, Env: to.Env, To: api.RevisionSummaryOf(to), Changes: orEmpty(from.ChangesTo(to))}
	if from != nil {
		before := api.RevisionSummaryOf(*from)
		d.From = &before
		if from.App == to.App {
			d.Commits = s.cfg.Engine.CommitRange(ctx, to.App, from.Commit, to.Commit)
		}
	}
	return d
}
