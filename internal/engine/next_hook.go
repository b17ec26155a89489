package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/standard"
)

// earlierCheck is how often a push looks again for an earlier one that it waits for.
// That one wakes it, unless another server took this one in at the same moment.
const earlierCheck = 10 * time.Second

func (e *Engine) nextHook(ctx context.Context, d *draft, id string) (time.Time, error) {
	l, err := d.hook(ctx, id)
	if gone(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	earlier, err := e.store.EarlierHook(ctx, l.after)
	if err != nil {
		return time.Time{}, err
	}
	if earlier && l.after.State == delivery.HookReceived {
		return d.now.Add(earlierCheck), nil
	}
	for _, a := range l.after.Next(d.now, delivery.HookFacts{EarlierPending: earlier}) {
		if _, expand := a.(delivery.ExpandHook); expand {
			err = e.expand(ctx, d, l.after)
		} else {
			err = e.pure(ctx, d, a)
		}
		if err != nil {
			return time.Time{}, err
		}
	}
	if !l.changed {
		return time.Time{}, nil
	}
	later, err := e.store.LaterHook(ctx, l.after)
	if later != "" {
		d.wake(delivery.Ref{Kind: delivery.KindHook, ID: later}, time.Time{})
	}
	return time.Time{}, err
}

// expand makes the runs that a push asks for: one per app of the repository that
// the changed paths concern, in each environment that the branch is bound to. Where
// there is room they are admitted at once, which spares them a commit and the forge
// a message.
func (e *Engine) expand(ctx context.Context, d *draft, h delivery.Hook) error {
	set, err := e.catalog.current(ctx)
	if err != nil {
		return err
	}
	var runs []delivery.RunID
	var notes []string
	push := h.Push
	commit := delivery.Commit{SHA: push.After, Branch: push.Branch, Title: push.Title, Author: push.Author}
	for _, env := range set.EnvironmentsOf(push.Branch) {
		for _, app := range set.AppsOf(push) {
			run, err := e.newRun(set, app, env, commit, push.Repo, delivery.Actor{Kind: delivery.ActorHook, Name: h.Forge + ":" + push.Pusher}, d.now)
			if err != nil {
				notes = append(notes, fmt.Sprintf("%s for %s: %v", app.Name, env.Name, err))
				continue
			}
			run.Hook = h.ID
			d.addRun(run)
			runs = append(runs, run.ID)
		}
	}
	switch {
	case len(runs) > 0:
		if err := e.admit(ctx, d); err != nil {
			return err
		}
		return d.record(ctx, h.Ref(), delivery.HookWasExpanded{Runs: runs, Note: strings.Join(notes, "; ")})
	case len(notes) > 0:
		return d.record(ctx, h.Ref(), delivery.HookWasIgnored{Note: strings.Join(notes, "; ")})
	}
	return d.record(ctx, h.Ref(), delivery.HookWasIgnored{
		Note: fmt.Sprintf("no app builds branch %s of %s for the changed paths", push.Branch, push.Repo.Path),
	})
}

// newRun plans one app's run; the plan is pinned to it.
func (e *Engine) newRun(set *catalog.Set, app delivery.App, env delivery.Environment, c delivery.Commit, repo delivery.Repo, by delivery.Actor, now time.Time) (delivery.Run, error) {
	stack, ok := set.Stacks[app.Stack]
	if !ok {
		return delivery.Run{}, delivery.E(delivery.Invalid, fmt.Sprintf("stack %q is not in the catalog", app.Stack))
	}
	plan, err := standard.Plan(standard.Input{App: app, Stack: stack, Environment: env})
	if err != nil {
		return delivery.Run{}, err
	}
	return delivery.NewRun(delivery.RunID(e.cfg.NewID()), app, env, c, repo, plan, by, now), nil
}
