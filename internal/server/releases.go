package server

import (
	"context"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// ReleasePath names a release.
type ReleasePath struct {
	Release string `path:"release" maxLength:"100"`
}

type releaseReasonInput struct {
	ReleasePath
	Body api.Reason
}

type releasesInput struct {
	PageInput
	App   string `query:"app"`
	Env   string `query:"env"`
	State string `query:"state" enum:"proposed,rolling,paused,deployed,aborted,failed,canceled,superseded,rejected,expired"`
}

// releaseVerb is one command on a release.
type releaseVerb struct {
	verb    string
	command delivery.Command
	summary string
}

func releaseVerbs() []releaseVerb {
	return []releaseVerb{
		{"continue", delivery.CmdReleaseContinue, "Go on to the next batch"},
		{"full", delivery.CmdReleaseFull, "Go to all traffic at once"},
		{"pause", delivery.CmdReleasePause, "Stop batches from advancing"},
		{"resume", delivery.CmdReleaseResume, "Undo a pause"},
		{"abort", delivery.CmdReleaseAbort, "Go back to the old version, in mid-flight"},
		{"cancel", delivery.CmdReleaseCancel, "Withdraw a release that has not started"},
	}
}

func (s *Server) listReleases(ctx context.Context, in *releasesInput) (api.Page[api.ReleaseSummary], error) {
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[api.ReleaseSummary]{}, err
	}
	all, next, err := s.visibleReleases(ctx, v, ReleaseFilter{
		App: in.App, Env: in.Env, State: delivery.ReleaseState(in.State),
		Before: delivery.ReleaseID(in.Before), Limit: in.Limit,
	})
	return pageOf(all, next, api.ReleaseSummaryOf), err
}

// visibleReleases is like visibleRuns.
func (s *Server) visibleReleases(ctx context.Context, v sight, f ReleaseFilter) (all []delivery.Release, next string, err error) {
	var some bool
	if f.Apps, some = v.apps(f.App); !some {
		return nil, "", nil
	}
	read := func(before string, limit int) ([]delivery.Release, error) {
		f.Before, f.Limit = delivery.ReleaseID(before), limit
		return s.cfg.Reader.Releases(ctx, f)
	}
	return visible(f.Limit, string(f.Before), read, func(r delivery.Release) string { return string(r.ID) },
		func(r delivery.Release) bool { return v.target(r.App, r.Env) })
}

// findRelease reads a release by its id; one that may not be seen is not there.
func (s *Server) findRelease(ctx context.Context, v sight, id string) (delivery.Release, error) {
	rel, err := s.cfg.Reader.Release(ctx, delivery.ReleaseID(id))
	if err == nil && !v.target(rel.App, rel.Env) {
		return delivery.Release{}, hidden("release", id)
	}
	return rel, err
}

func (s *Server) getRelease(ctx context.Context, in *ReleasePath) (api.Release, error) {
	rel, err := s.cfg.Reader.Release(ctx, delivery.ReleaseID(in.Release)) // the route's right was judged
	if err != nil {
		return api.Release{}, err
	}
	return s.showRelease(ctx, rel)
}

// showRelease adds what holds a release up, or how its Target looks meanwhile.
func (s *Server) showRelease(ctx context.Context, rel delivery.Release) (api.Release, error) {
	out := api.ReleaseOf(rel)
	var err error
	if out.May, err = s.may(ctx, rel); err != nil {
		return out, err
	}
	if err := s.showApproval(ctx, rel, &out); err != nil {
		return out, err
	}
	if rel.State.Terminal() {
		return out, nil
	}
	t, err := s.cfg.Reader.Target(ctx, rel.App, rel.Env)
	if err != nil {
		return out, err
	}
	if t.Active == rel.ID {
		out.Observed = &t.Observed
	}
	if out.Blockers, err = s.cfg.Engine.Blockers(ctx, rel); err != nil {
		return out, err
	}
	waiting, err := s.cfg.Engine.Waiting(ctx, rel)
	if err != nil {
		return out, err
	}
	if waiting.Place.Number > 0 {
		out.StartsAt, out.Place = waiting.Decision.StartsAt, &waiting.Place
	}
	out.Moved, err = s.cfg.Engine.Moved(ctx, rel)
	return out, err
}

// may lists the commands of releaseVerbs that the reader's roles let him do to a release
// that is not over.
func (s *Server) may(ctx context.Context, rel delivery.Release) (all []delivery.Command, err error) {
	if rel.State.Terminal() {
		return nil, nil
	}
	for _, v := range releaseVerbs() {
		d, err := s.cfg.Engine.Can(ctx, principal(ctx), v.command, delivery.On(rel.App, rel.Env))
		if err != nil {
			return nil, err
		}
		if d.Allowed {
			all = append(all, v.command)
		}
	}
	return all, nil
}

type createReleaseInput struct{ Body api.CreateRelease }

func (s *Server) createRelease(ctx context.Context, in *createReleaseInput) (api.Release, error) {
	b := in.Body
	if moreThanOne(b.Run != 0, b.Artifact != "", b.From != "") {
		return api.Release{}, delivery.E(delivery.Invalid, "name one of run, artifact and from, or none for the newest good run")
	}
	ask := engine.CreateRelease{App: b.App, Env: b.Env, Run: b.Run, Artifact: b.Artifact, From: b.From, Reason: b.Reason}
	if em := b.Emergency; em != nil {
		ask.Emergency = &delivery.Emergency{Incident: em.Incident, BreakGlass: em.BreakGlass}
	}
	rel, err := s.cfg.Engine.CreateRelease(ctx, principal(ctx), ask)
	if err != nil {
		return api.Release{}, err
	}
	return s.showRelease(ctx, rel)
}

func moreThanOne(given ...bool) bool {
	n := 0
	for _, g := range given {
		if g {
			n++
		}
	}
	return n > 1
}

// commandRelease returns the handler of one verb.
func (s *Server) commandRelease(cmd delivery.Command) func(context.Context, *releaseReasonInput) (api.Release, error) {
	return func(ctx context.Context, in *releaseReasonInput) (api.Release, error) {
		rel, err := s.cfg.Engine.CommandRelease(ctx, principal(ctx), delivery.ReleaseID(in.Release), cmd, in.Body.Reason)
		if err != nil {
			return api.Release{}, err
		}
		return s.showRelease(ctx, rel)
	}
}
