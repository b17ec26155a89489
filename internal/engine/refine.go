package engine

import (
	"context"
	"errors"
	"strconv"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/standard"
)

// Refine makes the plan that the commit's own files ask for, and pins it to the run.
// Asked again, also by a later attempt, it answers with the plan that was pinned.
func (e *Engine) Refine(ctx context.Context, key, token string, source api.Source) (api.Refined, error) {
	var fault error
	run, _, err := e.reportOn(ctx, key, func(d *draft, run delivery.Run, job delivery.Job, attempt int) error {
		if attempt != job.Attempt || !holds(job, token) || job.State != delivery.JobRunning {
			return delivery.ErrGone
		}
		if fault = nil; len(run.Plan.Reads) == 0 {
			return nil
		}
		var plan delivery.Plan
		if plan, fault = e.refined(ctx, run, source.Files); fault != nil {
			return nil
		}
		return d.record(ctx, run.Ref(), delivery.PlanRefined{Job: job.Name, Attempt: attempt, Plan: plan, At: d.now})
	})
	switch {
	case err != nil:
		return api.Refined{}, err
	case delivery.KindOf(fault) == delivery.Invalid:
		return api.Refined{Cause: planCause(run, fault)}, nil
	case fault != nil:
		return api.Refined{}, fault
	}
	plan, push := e.work(run, key, token)
	return api.Refined{Plan: &plan, Push: push}, nil
}

func (e *Engine) refined(ctx context.Context, run delivery.Run, files []delivery.SourceFile) (delivery.Plan, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return delivery.Plan{}, err
	}
	app, ok := set.Apps[run.App]
	if !ok {
		return delivery.Plan{}, delivery.E(delivery.Invalid, "the app "+run.App+" is no longer in the catalog: apply it again")
	}
	return standard.Refine(standard.Refinement{
		Plan: run.Plan, App: run.App, Files: files, Stacks: set.Stacks,
		Input: standard.Input{App: app, Environment: set.Environments[run.Env], Clustered: set.Clustered(), Commit: run.Commit},
		Facts: standard.Facts{
			Branch: run.Commit.Branch, Environment: run.Env, Labels: app.Labels, Changed: run.Changed,
		},
	})
}

// shownFaults is how many faults of a file a Cause holds.
const shownFaults = 20

// planCause says why a commit's own files make no plan.
func planCause(run delivery.Run, fault error) *delivery.Cause {
	args := delivery.Args{"fault": fault.Error(), "app": run.App, "env": run.Env}
	var faults catalog.Problems
	if errors.As(fault, &faults) && len(faults) > 0 {
		args["fault"] = faults[0].String()
		if len(faults) > 1 {
			args["more"] = strconv.Itoa(len(faults) - 1)
		}
	}
	c := delivery.Because("plan.invalid", args)
	for _, f := range faults[:min(len(faults), shownFaults)] {
		c.Evidence = append(c.Evidence, f.String())
	}
	return &c
}
