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
	runs, err := s.cfg.Reader.Runs(ctx, RunFilter{
		App: in.App, Env: in.Env, State: delivery.RunState(in.State), Hook: in.Hook,
		Before: delivery.RunID(in.Before), Limit: in.Limit,
	})
	if err != nil {
		return api.Page[api.RunSummary]{}, err
	}
	return pageOf(runs, in.Limit, api.SummaryOf, func(r delivery.Run) string { return string(r.ID) }), nil
}

// pageOf makes a page of what a list returned; a full one may have a next.
func pageOf[T, U any](all []T, limit int, show func(T) U, id func(T) string) api.Page[U] {
	p := api.Page[U]{Items: make([]U, len(all))}
	for i, v := range all {
		p.Items[i] = show(v)
	}
	if len(all) > 0 && len(all) == limit {
		p.Next = id(all[len(all)-1])
	}
	return p
}

func (s *Server) getRun(ctx context.Context, in *RunPath) (api.Run, error) {
	run, err := s.findRun(ctx, in.Run)
	if err != nil {
		return api.Run{}, err
	}
	out := api.RunOf(run)
	out.Queue, err = s.queuePlace(ctx, run)
	return out, err
}

// findRun reads a run by id, by app#number, or the newest one of an app.
func (s *Server) findRun(ctx context.Context, name string) (delivery.Run, error) {
	app, number, numbered := strings.Cut(name, "#")
	if numbered {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return delivery.Run{}, delivery.E(delivery.Invalid, fmt.Sprintf("%q is not a run: write app#number, like shop#17", name))
		}
		return s.cfg.Reader.RunByNumber(ctx, app, n)
	}
	if delivery.CheckAppName(name) == nil {
		runs, err := s.cfg.Reader.Runs(ctx, RunFilter{App: name, Limit: 1})
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
	run, err := s.findRun(ctx, in.Run)
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
	run, err := s.findRun(ctx, in.Run)
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
