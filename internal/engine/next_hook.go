package engine

import (
	"context"
	"fmt"
	"math"
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
		return d.now.Add(earlierCheck), e.askAhead(ctx, l.after)
	}
	for _, a := range l.after.Next(d.now, delivery.HookFacts{EarlierPending: earlier}) {
		again, err := e.actOnHook(ctx, d, l.after, a)
		if err != nil || !again.IsZero() {
			return again, err
		}
	}
	if !l.changed {
		return time.Time{}, nil
	}
	e.lookups.forget(id)
	later, err := e.store.LaterHook(ctx, l.after)
	if later != "" {
		d.wake(delivery.Ref{Kind: delivery.KindHook, ID: later}, time.Time{})
	}
	return time.Time{}, err
}

// actOnHook does what is due; again is when to look once more for what git is being
// asked.
func (e *Engine) actOnHook(ctx context.Context, d *draft, h delivery.Hook, a delivery.Action) (again time.Time, err error) {
	switch a.(type) {
	case delivery.WithdrawPushes:
		return again, e.withdraw(ctx, d, h)
	case delivery.ExpandHook:
	default:
		return again, e.pure(ctx, d, a)
	}
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return again, err
	}
	stands, err := e.standingOf(ctx, set, h)
	if err != nil {
		return again, err
	}
	f := found{push: h.Push, covered: stands.covered}
	if q, ask := questionOf(set, h.Push, stands); ask {
		var ready bool
		if f, ready = e.lookUp(ctx, h, q); !ready {
			return d.now.Add(lookupCheck), nil
		}
	}
	if f.covered != "" {
		return again, d.record(ctx, h.Ref(), delivery.HookWasIgnored{Note: f.covered})
	}
	return again, e.expand(ctx, d, h, set, f)
}

// askAhead asks git about a push that still waits for an earlier one: only what
// becomes of them has an order.
func (e *Engine) askAhead(ctx context.Context, h delivery.Hook) error {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return err
	}
	if q, ask := questionOf(set, h.Push, standing{}); ask {
		e.lookUp(ctx, h, q)
	}
	return nil
}

// expand makes the runs that a push asks for: one per app of the repository that
// the changed paths concern, in each environment that the branch or tag is bound to.
// Where there is room they are admitted at once, which spares them a commit and the
// forge a message.
func (e *Engine) expand(ctx context.Context, d *draft, h delivery.Hook, set *catalog.Set, f found) error {
	push, x := f.push, expansion{notes: f.notes}
	h.Push = push // with the paths that git knows
	if h.Recovered() {
		x.notes = append([]string{delivery.RecoveredNote}, x.notes...)
	}
	for _, env := range set.EnvironmentsOf(push) {
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
	x.say("%s", unconcerned(set, push))
	return d.record(ctx, h.Ref(), delivery.HookWasIgnored{Note: x.note()})
}

// unconcerned says why a push asks for no run.
func unconcerned(set *catalog.Set, p delivery.Push) string {
	for _, env := range set.Ranked() {
		if env.Promote.From != "" && p.Branch != "" && env.Branch == p.Branch {
			return fmt.Sprintf("%s takes what %s runs, so nothing is built for branch %s: `shiplock release create APP --env %s` promotes", env.Name, env.Promote.From, p.Branch, env.Name)
		}
	}
	if p.Tag != "" {
		return fmt.Sprintf("no environment builds tag %s of %s: give one the pattern of its tags, e.g. tags: \"v*\"", p.Tag, p.Repo.Path)
	}
	return fmt.Sprintf("no app builds branch %s of %s for the changed paths", p.Branch, p.Repo.Path)
}

// withdraw cancels the runs that wait for a branch that is gone. Those that have begun
// go on: somebody may want to see how they end.
func (e *Engine) withdraw(ctx context.Context, d *draft, h delivery.Hook) error {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return err
	}
	var x expansion
	for _, env := range set.EnvironmentsOf(h.Push) {
		for _, app := range set.AppsOf(h.Push) {
			queued, err := e.store.OlderQueued(ctx, delivery.Run{App: app.Name, Env: env.Name, Number: math.MaxInt32})
			if err != nil {
				return err
			}
			for _, id := range queued {
				if err := e.withdrawRun(ctx, d, h, id, &x); err != nil {
					return err
				}
			}
		}
	}
	note := "branch " + h.Push.Branch + " was deleted"
	if len(x.notes) > 0 {
		note += ", so what waited for it was canceled: " + strings.Join(x.notes, ", ")
	}
	return d.record(ctx, h.Ref(), delivery.HookWasIgnored{Note: note})
}

func (e *Engine) withdrawRun(ctx context.Context, d *draft, h delivery.Hook, id delivery.RunID, x *expansion) error {
	l, err := d.run(ctx, id)
	if err != nil {
		return err
	}
	if run := l.after; run.State() != delivery.RunQueued || run.Commit.Branch != h.Push.Branch {
		return nil
	}
	x.say("%s", l.after.Name())
	return d.record(ctx, l.after.Ref(), delivery.CancelRequested{
		By: hookActor(h), Reason: "branch " + h.Push.Branch + " was deleted", At: d.now,
	})
}

func hookActor(h delivery.Hook) delivery.Actor {
	if h.Recovered() {
		return delivery.Actor{Kind: delivery.ActorHook, Name: h.Forge}
	}
	return delivery.Actor{Kind: delivery.ActorHook, Name: h.Forge + ":" + h.Push.Pusher}
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
	commit := delivery.Commit{SHA: push.After, Branch: push.Branch, Tag: push.Tag, Title: push.Title, Author: push.Author, Email: push.Email}
	run, err := e.newRun(set, app, env, commit, push.Repo, hookActor(h), d.now)
	if err != nil {
		x.say("%s for %s: %v", app.Name, env.Name, err)
		return nil
	}
	run.Hook, run.Changed = h.ID, delivery.ChangesOf(push)
	if h.Recovered() {
		run.Note = delivery.RecoveredNote
	}
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
	if h.Push.Before == "" && !h.Recovered() {
		return "", nil // nothing tells the push from another one to the same commit
	}
	run, err := e.store.NewestPushed(ctx, app.Name, env.Name)
	if gone(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if run.Commit.SHA == h.Push.After && (run.Note == delivery.RecoveredNote || h.Recovered()) {
		return run.Name(), nil // its hook came late, or just in time
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
	if err != nil || first.Push.Before != h.Push.Before || first.Push.Queue() != h.Push.Queue() {
		return "", err
	}
	return run.Name(), nil
}

// newRun plans one app's run; the plan is pinned to it.
func (e *Engine) newRun(set *catalog.Set, app delivery.App, env delivery.Environment, c delivery.Commit, repo delivery.Repo, by delivery.Actor, now time.Time) (delivery.Run, error) {
	stack, ok := set.Stacks[app.Stack]
	if !ok && !app.Open() {
		return delivery.Run{}, delivery.E(delivery.Invalid, fmt.Sprintf("stack %q is not in the catalog", app.Stack))
	}
	plan, err := standard.Plan(standard.Input{App: app, Stack: stack, Environment: env, Clustered: set.Clustered(), Commit: c})
	if err != nil {
		return delivery.Run{}, err
	}
	return delivery.NewRun(delivery.RunID(e.cfg.NewID()), app, env, c, repo, plan, by, now), nil
}
