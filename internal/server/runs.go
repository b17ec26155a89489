package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// RunPath and the like are exported because the framework reads embedded fields of
// exported types only.
type RunPath struct {
	Run string `path:"run" maxLength:"100" doc:"a run's id, app#number (with %23 for #), or an app for its newest run"`
}

type runReasonInput struct {
	RunPath
	Body api.Reason
}

// PageInput is the limit and place of a page.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Before string `query:"before" doc:"the next of the page before"`
}

type runsInput struct {
	PageInput
	App   string `query:"app"`
	Env   string `query:"env"`
	State string `query:"state" enum:"queued,running,succeeded,failed,errored,canceled"`
	Hook  string `query:"hook" doc:"the delivery that asked for them"`
}

func (s *Server) listRuns(ctx context.Context, in *runsInput) (api.Page[api.RunSummary], error) {
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[api.RunSummary]{}, err
	}
	runs, next, err := s.visibleRuns(ctx, v, RunFilter{
		App: in.App, Env: in.Env, State: delivery.RunState(in.State), Hook: in.Hook,
		Before: delivery.RunID(in.Before), Limit: in.Limit,
	})
	return pageOf(runs, next, api.SummaryOf), err
}

// visibleRuns is a page of runs that may be seen; before is empty at the end.
func (s *Server) visibleRuns(ctx context.Context, v sight, f RunFilter) (runs []delivery.Run, next string, err error) {
	var some bool
	if f.Apps, some = v.apps(f.App); !some {
		return nil, "", nil
	}
	read := func(before string, limit int) ([]delivery.Run, error) {
		f.Before, f.Limit = delivery.RunID(before), limit
		return s.cfg.Reader.Runs(ctx, f)
	}
	return visible(f.Limit, string(f.Before), read, func(r delivery.Run) string { return string(r.ID) },
		func(r delivery.Run) bool { return v.target(r.App, r.Env) })
}

// pageOf makes a page of what was read of a list, and of where it goes on.
func pageOf[T, U any](all []T, next string, show func(T) U) api.Page[U] {
	p := api.Page[U]{Items: make([]U, len(all)), Next: next}
	for i, v := range all {
		p.Items[i] = show(v)
	}
	return p
}

func (s *Server) getRun(ctx context.Context, in *RunPath) (api.Run, error) {
	run, err := s.seenRun(ctx, in.Run)
	if err != nil {
		return api.Run{}, err
	}
	out := api.RunOf(run)
	out.Queue, err = s.queuePlace(ctx, run)
	return out, err
}

// seenRun is findRun for who asks.
func (s *Server) seenRun(ctx context.Context, name string) (delivery.Run, error) {
	v, err := s.sight(ctx)
	if err != nil {
		return delivery.Run{}, err
	}
	return s.findRun(ctx, v, name)
}

// findRun reads a run by id, by app#number, or the newest one of an app; one that may
// not be seen is not there.
func (s *Server) findRun(ctx context.Context, v sight, name string) (delivery.Run, error) {
	run, err := s.namedRun(ctx, v, name)
	if err == nil && !v.target(run.App, run.Env) {
		return delivery.Run{}, hidden("run", name)
	}
	return run, err
}

func (s *Server) namedRun(ctx context.Context, v sight, name string) (delivery.Run, error) {
	app, number, numbered := strings.Cut(name, "#")
	if numbered {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return delivery.Run{}, delivery.E(delivery.Invalid, fmt.Sprintf("%q is not a run: write app#number, like shop#17", name))
		}
		return s.cfg.Reader.RunByNumber(ctx, app, n)
	}
	if delivery.CheckAppName(name) == nil {
		runs, _, err := s.visibleRuns(ctx, v, RunFilter{App: name, Limit: 1})
		if err != nil || len(runs) > 0 {
			return first(runs), err
		}
	}
	return s.cfg.Reader.Run(ctx, delivery.RunID(name))
}

func first(runs []delivery.Run) delivery.Run {
	if len(runs) == 0 {
		return delivery.Run{}
	}
	return runs[0]
}

func (s *Server) queuePlace(ctx context.Context, run delivery.Run) (*api.QueuePlace, error) {
	if run.State() != delivery.RunQueued {
		return nil, nil
	}
	position, total, err := s.cfg.Reader.QueuePosition(ctx, run.ID)
	if err != nil || position == 0 {
		return nil, err
	}
	return &api.QueuePlace{Position: position, Total: total}, nil
}

type startRunInput struct{ Body api.StartRun }

func (s *Server) startRun(ctx context.Context, in *startRunInput) (api.Run, error) {
	run, err := s.cfg.Engine.StartRun(ctx, principal(ctx), engine.StartRun{App: in.Body.App, Env: in.Body.Env, SHA: in.Body.Commit})
	return api.RunOf(run), err
}

func (s *Server) cancelRun(ctx context.Context, in *runReasonInput) (api.Run, error) {
	run, err := s.seenRun(ctx, in.Run)
	if err != nil {
		return api.Run{}, err
	}
	if err := s.cfg.Engine.CancelRun(ctx, principal(ctx), run.ID, in.Body.Reason); err != nil {
		return api.Run{}, err
	}
	run, err = s.cfg.Reader.Run(ctx, run.ID)
	return api.RunOf(run), err
}

func (s *Server) explainRun(ctx context.Context, in *RunPath) (api.Explanation, error) {
	run, err := s.seenRun(ctx, in.Run)
	if err != nil {
		return api.Explanation{}, err
	}
	ex := api.Explanation{Run: api.SummaryOf(run), Cause: run.Cause()}
	for _, j := range run.Jobs {
		ex.Lost = append(ex.Lost, j.Lost...)
	}
	if ex.Run.Queue, err = s.queuePlace(ctx, run); err != nil {
		return ex, err
	}
	if ex.Cause == nil && ex.Run.Queue != nil {
		ex.Cause = queuedCause(*ex.Run.Queue)
	}
	if run.Release == "" {
		return ex, nil
	}
	rel, err := s.cfg.Reader.Release(ctx, run.Release)
	if err != nil {
		return ex, err
	}
	summary := api.ReleaseSummaryOf(rel)
	ex.Release = &summary
	ex.Blockers, err = s.cfg.Engine.Blockers(ctx, rel)
	return ex, err
}

// queuedCause says that a run waits for nothing but a place.
func queuedCause(q api.QueuePlace) *delivery.Cause {
	c := delivery.Because("run.queued", delivery.Args{"position": strconv.Itoa(q.Position), "total": strconv.Itoa(q.Total)})
	return &c
}
