package server

import (
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/checkup"
)

// Examiner looks at the parts of an installation. It takes no longer than the context
// lets it: what did not answer by then is an error among the facts.
type Examiner interface {
	Examine(ctx context.Context, set *catalog.Set) checkup.Facts
	// Reach asks one cluster whether it is there.
	Reach(ctx context.Context, c delivery.Cluster) checkup.Place
}

// doctor checks the installation, one check at a time: each one asks all clusters.
func (s *Server) doctor(ctx context.Context, _ *nothing) (api.Doctor, error) {
	select {
	case s.examining <- struct{}{}:
		defer func() { <-s.examining }()
	case <-ctx.Done():
		return api.Doctor{}, context.Cause(ctx)
	}
	shown, err := s.catalog.current(ctx)
	if err != nil {
		return api.Doctor{}, err
	}
	facts := s.cfg.Examiner.Examine(ctx, shown.set)
	if facts.Hooks, err = s.hooksSeen(ctx, shown); err != nil {
		return api.Doctor{}, err
	}
	if facts.Local, err = s.locals(ctx, shown); err != nil {
		return api.Doctor{}, err
	}
	if facts.Channels, err = s.channelsSeen(ctx, shown); err != nil {
		return api.Doctor{}, err
	}
	schedule, err := shown.set.Schedule()
	if err != nil {
		return api.Doctor{}, err
	}
	facts.Calendars = schedule.Missing(s.cfg.Now())
	findings := checkup.Judge(facts)
	return api.Doctor{Worst: checkup.Worst(findings), Findings: findings, Now: s.cfg.Now().UTC(), Version: s.cfg.Version}, nil
}

func (s *Server) hooksSeen(ctx context.Context, shown *shownCatalog) (checkup.Hooks, error) {
	var seen checkup.Hooks
	for _, r := range s.health.refusals() {
		seen.Refused = append(seen.Refused, checkup.Refusal{Forge: r.Forge, Count: r.Count, Why: r.Why})
	}
	if now := s.reconciler(); now != nil {
		for _, f := range now.Failing {
			seen.Failing = append(seen.Failing, checkup.Unseen{Repo: f.Repo, Why: f.Why})
		}
	}
	var err error
	seen.Silent, err = s.silent(ctx, shown)
	return seen, err
}

// locals are the environments with apps on the server's own machine.
func (s *Server) locals(ctx context.Context, shown *shownCatalog) ([]string, error) {
	targets, err := s.board.targets(ctx)
	var names []string
	for _, e := range shown.environments {
		if e.Cluster == "" && slices.ContainsFunc(targets, func(t api.Target) bool { return t.Env == e.Name && api.TargetStatusOf(t).RunNumber > 0 }) {
			names = append(names, e.Name)
		}
	}
	return names, err
}
