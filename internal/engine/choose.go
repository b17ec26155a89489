package engine

import (
	"context"
	"errors"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// choiceWait is how long a start waits for git, and choiceCheck when it looks again.
	choiceWait  = time.Second
	choiceCheck = 2 * time.Second
	// choiceLimit bounds the question itself; choiceKept is longer than choiceCheck, so
	// that an answer is there for who looks again.
	choiceLimit = 30 * time.Second
	choiceKept  = 10 * time.Second
)

// choice is the plan that a commit's own files make of an open one, or why there is
// none; ours is a cause that another attempt may not meet.
type choice struct {
	plan  delivery.Plan
	cause *delivery.Cause
	ours  bool
}

// chooseStack pins the Stack that the commit's own files choose before an attempt is
// started, since its image is the Stack's. Every attempt asks anew, beside the loop, so
// that a Git host that hangs holds up nobody else. again is when to look once more.
func (e *Engine) chooseStack(ctx context.Context, d *draft, run delivery.Run, j delivery.Job) (again time.Time, err error) {
	c, ok, err := e.choices.ask(ctx, run.AttemptKey(j), choiceWait, e, func(ctx context.Context) (choice, error) {
		ctx, cancel := context.WithTimeout(ctx, choiceLimit)
		defer cancel()
		return e.choose(ctx, run)
	})
	switch {
	case err != nil:
		return again, err
	case !ok:
		return d.now.Add(choiceCheck), nil
	case c.cause == nil:
		d.wake(run.Ref(), time.Time{})
		return again, d.record(ctx, run.Ref(), delivery.PlanRefined{Job: j.Name, Attempt: j.Attempt, Plan: c.plan, At: d.now})
	case c.ours:
		return again, d.record(ctx, run.Ref(), run.Lost(j, d.now, e.cfg.Limits, *c.cause))
	}
	return again, d.record(ctx, run.Ref(), delivery.JobFinished{Job: j.Name, Attempt: j.Attempt, Outcome: delivery.JobFailed, Cause: c.cause, At: d.now})
}

func (e *Engine) choose(ctx context.Context, run delivery.Run) (choice, error) {
	files, err := e.cfg.History.Files(ctx, run.Repo, run.Commit.SHA, run.Plan.Path, run.Plan.Reads)
	if err != nil {
		return unread(err), nil
	}
	plan, err := e.refined(ctx, run, files)
	if delivery.KindOf(err) == delivery.Invalid {
		return choice{cause: planCause(run, err)}, nil
	}
	return choice{plan: plan}, err
}

// unread says why a commit's files are not to be had, as a checkout would.
func unread(err error) choice {
	said := err.Error()
	var known *delivery.Error
	if errors.As(err, &known) && known.Msg != "" {
		said = known.Msg
	}
	c := delivery.Because("checkout.failed", delivery.Args{"error": said})
	c.Step = string(delivery.StepCheckout)
	switch delivery.KindOf(err) {
	case delivery.Invalid, delivery.NotFound, delivery.Denied:
		return choice{cause: &c}
	}
	return choice{cause: &c, ours: true}
}
