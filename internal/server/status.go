package server

import (
	"context"

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
	targets, err := s.board.targets(ctx)
	if err != nil {
		return api.Status{}, err
	}
	out := api.Status{Apps: appRows(set.apps, targets), Runs: []api.RunSummary{}, Releases: []api.ReleaseSummary{}}
	for _, e := range set.environments {
		out.Environments = append(out.Environments, e.Name)
	}
	if out.Silent, err = s.silent(ctx, set); err != nil {
		return out, err
	}
	out.Reconciler = s.reconciler()
	room, err := s.cfg.Builds.Room(ctx)
	if err != nil {
		return out, err
	}
	out.Away = room.Away
	if err := s.openRuns(ctx, &out); err != nil {
		return out, err
	}
	if err := s.openReleases(ctx, &out); err != nil {
		return out, err
	}
	return out, s.count(ctx, &out)
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

func (s *Server) openRuns(ctx context.Context, out *api.Status) error {
	for _, state := range []delivery.RunState{delivery.RunRunning, delivery.RunQueued} {
		runs, err := s.cfg.Reader.Runs(ctx, RunFilter{State: state, Limit: maxWork - len(out.Runs)})
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

func (s *Server) openReleases(ctx context.Context, out *api.Status) error {
	for _, state := range []delivery.ReleaseState{delivery.ReleaseRolling, delivery.ReleasePaused, delivery.ReleaseIsProposed} {
		all, err := s.cfg.Reader.Releases(ctx, ReleaseFilter{State: state, Limit: maxWork - len(out.Releases)})
		if err != nil {
			return err
		}
		for _, r := range all {
			sum := api.ReleaseSummaryOf(r)
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

func (s *Server) count(ctx context.Context, out *api.Status) error {
	c, err := s.cfg.Reader.Counts(ctx)
	out.Counts.Apps = len(out.Apps)
	out.Counts.Queued, out.Counts.Running, out.Counts.HooksWaiting = c.JobsQueued, c.JobsActive, c.HooksReceived
	out.Counts.Waiting = c.ReleasesProposed
	return err
}
