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
	push := h.Push
	var x expansion
	environments := set.EnvironmentsOf(push.Branch)
	if len(environments) > 0 && needsPaths(push, set.AppsOf(push)) {
		if push, err = e.completePaths(ctx, push, &x); err != nil {
			return err
		}
	}
	for _, env := range environments {
		for _, app := range set.AppsOf(push) {
			if err := e.expandInto(ctx, d, h, set, app, env, &x); err != nil {
				return err
			}
		}
	}
	switch {
	case len(x.runs) > 0:
		if err := e.admit(ctx, d); err != nil {
			return err
		}
		return d.record(ctx, h.Ref(), delivery.HookWasExpanded{Runs: x.runs, Note: x.note()})
	case x.concerned:
		return d.record(ctx, h.Ref(), delivery.HookWasIgnored{Note: x.note()})
	}
	x.say("no app builds branch %s of %s for the changed paths", push.Branch, push.Repo.Path)
	return d.record(ctx, h.Ref(), delivery.HookWasIgnored{Note: x.note()})
}

// expansion is what a hook became.
type expansion struct {
	runs  []delivery.RunID
	notes []string
	// concerned says that the push asked for runs, whether or not any was made.
	concerned bool
}

func (x *expansion) say(format string, args ...any) {
	x.notes = append(x.notes, fmt.Sprintf(format, args...))
}

func (x *expansion) note() string { return strings.Join(x.notes, "; ") }

// expandInto makes the run of one app for one environment, unless the same push made
// it already.
func (e *Engine) expandInto(ctx context.Context, d *draft, h delivery.Hook, set *catalog.Set, app delivery.App, env delivery.Environment, x *expansion) error {
	x.concerned = true
	same, err := e.sameOf(ctx, h, app, env, d.now)
	if err != nil {
		return err
	}
	if same != "" {
		x.say("%s for %s: the same push made %s", app.Name, env.Name, same)
		return nil
	}
	push := h.Push
	commit := delivery.Commit{SHA: push.After, Branch: push.Branch, Title: push.Title, Author: push.Author}
	by := delivery.Actor{Kind: delivery.ActorHook, Name: h.Forge + ":" + push.Pusher}
	run, err := e.newRun(set, app, env, commit, push.Repo, by, d.now)
	if err != nil {
		x.say("%s for %s: %v", app.Name, env.Name, err)
		return nil
	}
	run.Hook = h.ID
	d.addRun(run)
	x.runs = append(x.runs, run.ID)
	return nil
}

// sameWindow is how long two deliveries of the same push may be apart: a project's
// and a group's hook fire both, each with a delivery id of its own.
const sameWindow = 10 * time.Minute

// sameOf names the run that another delivery of the same push made; "" when there is
// none, something else was pushed since, or the run did not succeed and may be asked
// for again by sending the hook again.
func (e *Engine) sameOf(ctx context.Context, h delivery.Hook, app delivery.App, env delivery.Environment, now time.Time) (string, error) {
	if h.Push.Before == "" {
		return "", nil // nothing tells the push from another one to the same commit
	}
	run, err := e.store.NewestPushed(ctx, app.Name, env.Name)
	if gone(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	state := run.State()
	over := run.Cancel != nil || state.Terminal() && state != delivery.RunSucceeded
	if over || run.Commit.SHA != h.Push.After || now.Sub(run.CreatedAt) > sameWindow {
		return "", nil
	}
	first, err := e.store.Hook(ctx, run.Hook)
	if gone(err) {
		return "", nil
	}
	if err != nil || first.Push.Before != h.Push.Before || first.Push.Branch != h.Push.Branch {
		return "", err
	}
	return run.Name(), nil
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
