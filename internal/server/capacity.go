package server

import (
	"cmp"
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (s *Server) capacity(ctx context.Context, _ *nothing) (api.Capacity, error) {
	set, err := s.catalog.current(ctx)
	if err != nil {
		return api.Capacity{}, err
	}
	used, err := s.cfg.Reader.Lanes(ctx)
	if err != nil {
		return api.Capacity{}, err
	}
	v, err := s.sight(ctx)
	if err != nil {
		return api.Capacity{}, err
	}
	runs, _, err := s.visibleRuns(ctx, v, RunFilter{State: delivery.RunRunning, Limit: maxWork})
	if err != nil {
		return api.Capacity{}, err
	}
	room, err := s.cfg.Builds.Room(ctx)
	return api.Capacity{Places: s.cfg.Places, Lanes: lanes(used, set.environments), Room: room, Waiting: waitingBuilds(runs)}, err
}

// lanes names the environments of each lane, the one that goes first at the beginning.
func lanes(used []delivery.LaneUse, environments []api.Environment) []api.Lane {
	all := make([]api.Lane, len(used))
	for i, u := range used {
		all[i] = api.Lane{LaneUse: u, Environments: []string{}}
		for _, e := range environments {
			if e.Rank == u.Lane {
				all[i].Environments = append(all[i].Environments, e.Name)
			}
		}
	}
	slices.SortFunc(all, func(a, b api.Lane) int { return cmp.Compare(b.Lane, a.Lane) })
	return all
}

// waitingBuilds are those of the runs that have a place and do not run, the one that
// has waited longest at the beginning.
func waitingBuilds(runs []delivery.Run) []api.WaitingBuild {
	waiting := []api.WaitingBuild{}
	for _, r := range runs {
		for _, j := range r.Jobs {
			if j.State == delivery.JobStarting {
				waiting = append(waiting, api.WaitingBuild{Run: r.ID, Name: r.Name(), Env: r.Env, Since: j.AdmittedAt, Cause: j.Cause})
			}
		}
	}
	slices.SortStableFunc(waiting, func(a, b api.WaitingBuild) int { return a.Since.Compare(b.Since) })
	return waiting
}
