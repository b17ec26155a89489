package server

import (
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// maxWork bounds each list of work on the status page.
const maxWork = 200

func (s *Server) status(ctx context.Context, _ *nothing) (api.Status, error) {
	set, err := s.catalog.current(ctx)
	if err != nil {
		return api.Status{}, err
	}
	v, targets, err := s.visibleTargets(ctx)
	if err != nil {
		return api.Status{}, err
	}
	apps := slices.DeleteFunc(slices.Clone(set.apps), func(a api.App) bool { return !v.app(a.Name) })
	out := api.Status{Apps: appRows(apps, targets), Runs: []api.RunSummary{}, Releases: []api.ReleaseSummary{}}
	for _, e := range set.environments {
		if v.env(e.Name) {
			out.Environments = append(out.Environments, e.Name)
		}
	}
	if out.Silent, err = s.silent(ctx, set); err != nil {
		return out, err
	}
	out.Silent = slices.DeleteFunc(out.Silent, func(app string) bool { return !v.app(app) })
	if v.all() {
		out.Reconciler = s.reconciler()
	}
	room, err := s.cfg.Builds.Room(ctx)
	if err != nil {
		return out, err
	}
	out.Away = room.Away
	if err := s.openRuns(ctx, v, &out); err != nil {
		return out, err
	}
	if err := s.openReleases(ctx, v, &out); err != nil {
		return out, err
	}
	return out, s.count(ctx, v, &out)
}

func appRows(apps []api.App, targets []api.Target) []api.AppStatus {
	byApp := map[string]map[string]api.TargetStatus{}
	for _, t := range targets {
		if byApp[t.App] == nil {
			byApp[t.App] = map[string]api.TargetStatus{}
		}
		byApp[t.App][t.Env] = api.TargetStatusOf(t)
	}
	rows := make([]api.AppStatus, len(apps))
	for i, a := range apps {
		rows[i] = api.AppStatus{Name: a.Name, Team: a.Team, Stack: a.Stack, Targets: byApp[a.Name]}
	}
	return rows
}

func (s *Server) openRuns(ctx context.Context, v sight, out *api.Status) error {
	for _, state := range []delivery.RunState{delivery.RunRunning, delivery.RunQueued} {
		runs, _, err := s.visibleRuns(ctx, v, RunFilter{State: state, Limit: maxWork - len(out.Runs)})
		if err != nil {
			return err
		}
		for _, r := range runs {
			sum := api.SummaryOf(r)
			if sum.Queue, err = s.queuePlace(ctx, r); err != nil {
				return err
			}
			if sum.Cause == nil && sum.Queue != nil {
				sum.Cause = queuedCause(*sum.Queue)
			}
			out.Runs = append(out.Runs, sum)
		}
	}
	return nil
}

func (s *Server) openReleases(ctx context.Context, v sight, out *api.Status) error {
	for _, state := range []delivery.ReleaseState{delivery.ReleaseRolling, delivery.ReleasePaused, delivery.ReleaseIsProposed} {
		all, _, err := s.visibleReleases(ctx, v, ReleaseFilter{State: state, Limit: maxWork - len(out.Releases)})
		if err != nil {
			return err
		}
		for _, r := range all {
			sum := api.ReleaseSummaryOf(r)
			if sum.May, err = s.may(ctx, r); err != nil {
				return err
			}
			if r.State != delivery.ReleaseIsProposed {
				out.Counts.Releases++
			} else if sum.Cause, err = s.firstBlocker(ctx, r); err != nil {
				return err
			}
			out.Releases = append(out.Releases, sum)
		}
	}
	return nil
}

// firstBlocker is why a release waits; nil when it is about to start.
func (s *Server) firstBlocker(ctx context.Context, r delivery.Release) (*delivery.Cause, error) {
	blockers, err := s.cfg.Engine.Blockers(ctx, r)
	if err != nil || len(blockers) == 0 {
		return nil, err
	}
	return &blockers[0], nil
}

// count is of all, or of what is listed for who may not see all.
func (s *Server) count(ctx context.Context, v sight, out *api.Status) error {
	out.Counts.Apps = len(out.Apps)
	if !v.all() {
		for _, r := range out.Runs {
			if r.State == delivery.RunQueued {
				out.Counts.Queued++
			} else {
				out.Counts.Running++
			}
		}
		out.Counts.Waiting = len(out.Releases) - out.Counts.Releases
		return nil
	}
	c, err := s.cfg.Reader.Counts(ctx)
	out.Counts.Queued, out.Counts.Running, out.Counts.HooksWaiting = c.JobsQueued, c.JobsActive, c.HooksReceived
	out.Counts.Waiting = c.ReleasesProposed
	return err
}
