package engine

import (
	"cmp"
	"context"
	"fmt"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/standard"
)

// Principal is an authenticated Actor with what it may do.
type Principal struct {
	Actor  delivery.Actor
	Grants delivery.Grants
	// Address is where the request came from, for the audit; "" is not known.
	Address string
}

// command authorises, lets do change a draft, and commits it with an audit entry.
func (e *Engine) command(ctx context.Context, p Principal, cmd delivery.Command, on delivery.Object, detail string, do func(*draft) error) error {
	decision, err := e.Can(ctx, p, cmd, on)
	if err == nil {
		err = decision.Err()
	}
	if err != nil {
		e.refuse(ctx, p, cmd, on, err)
		return err
	}
	return e.carryOut(ctx, p, decision.Rule, cmd, on, detail, do)
}

// carryOut is a command that a rule allows.
func (e *Engine) carryOut(ctx context.Context, p Principal, rule string, cmd delivery.Command, on delivery.Object, detail string, do func(*draft) error) error {
	return e.change(ctx, p, func(d *draft) error {
		if err := do(d); err != nil {
			return err
		}
		d.extra.Audit = append(d.extra.Audit, delivery.AuditEntry{
			At: d.now, Actor: p.Actor, Command: cmd, Subject: on.String(), Rule: rule, Detail: detail,
		})
		return nil
	})
}

// change lets do change a draft, and commits it. It is for commands that audit
// themselves; a lost race is tried again on fresh state.
func (e *Engine) change(ctx context.Context, p Principal, do func(*draft) error) error {
	for try := 0; ; try++ {
		d := newDraft(e.store, e.now(), p.Actor)
		if err := do(d); err != nil {
			return err
		}
		d.witness(p)
		err := e.keep(ctx, d, nil)
		if delivery.KindOf(err) != delivery.Conflict || try == maxConflicts {
			return err
		}
	}
}

// Allow authorises a command that changes nothing, such as reading.
func (e *Engine) Allow(ctx context.Context, p Principal, cmd delivery.Command, on delivery.Object) error {
	d, err := e.Can(ctx, p, cmd, on)
	if err != nil {
		return err
	}
	return d.Err()
}

// Can decides whether a command would be allowed, and says by what.
func (e *Engine) Can(ctx context.Context, p Principal, cmd delivery.Command, on delivery.Object) (delivery.Decision, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return delivery.Decision{}, err
	}
	return set.Policy.Decide(p.Actor, p.Grants, cmd, set.Place(on)), nil
}

// ReceiveHook makes a delivery durable. A redelivery changes nothing.
func (e *Engine) ReceiveHook(ctx context.Context, h delivery.Hook) error {
	h.State, h.ReceivedAt, h.Version = delivery.HookReceived, e.now(), 0
	_, err := e.commit(ctx, &delivery.Change{
		Hooks: []*delivery.Hook{&h},
		Wakes: []delivery.Wake{{Ref: h.Ref()}},
	})
	if delivery.KindOf(err) != delivery.Conflict {
		return err
	}
	if _, known := e.store.Hook(ctx, h.ID); known == nil {
		return nil
	}
	return err
}

// StartRun asks for a run of a commit; without a commit, of the head of the
// environment's branch.
type StartRun struct {
	App string `json:"app"`
	Env string `json:"env"`
	SHA string `json:"commit,omitempty"`
}

// StartRun makes the run that a person asks for. A build of the environment's
// branch or any commit: it stops at the artifact unless the environment is
// automatic.
func (e *Engine) StartRun(ctx context.Context, p Principal, ask StartRun) (delivery.Run, error) {
	if err := e.Allow(ctx, p, delivery.CmdRunStart, delivery.On(ask.App, ask.Env)); err != nil {
		return delivery.Run{}, err
	}
	set, app, env, err := e.place(ctx, ask.App, ask.Env)
	if err != nil {
		return delivery.Run{}, err
	}
	repo, err := e.cfg.Forge.Repo(app.Repo)
	if err != nil {
		return delivery.Run{}, err
	}
	commit := delivery.Commit{SHA: ask.SHA, Branch: env.Branch}
	if ask.SHA == "" {
		if commit, err = e.head(ctx, repo, env); err != nil {
			return delivery.Run{}, err
		}
	}
	run, err := e.newRun(set, app, env, commit, repo, p.Actor, e.now())
	if err != nil {
		return run, err
	}
	err = e.command(ctx, p, delivery.CmdRunStart, delivery.On(ask.App, ask.Env), commit.SHA, func(d *draft) error {
		d.addRun(run)
		return nil
	})
	if err != nil {
		return run, err
	}
	return e.store.Run(ctx, run.ID)
}

func (e *Engine) head(ctx context.Context, repo delivery.Repo, env delivery.Environment) (delivery.Commit, error) {
	if env.Branch == "" {
		return delivery.Commit{}, delivery.E(delivery.Invalid, fmt.Sprintf("environment %s builds no branch: name a commit with --commit", env.Name))
	}
	ctx, cancel := context.WithTimeout(ctx, forgeTimeout)
	defer cancel()
	return e.cfg.Forge.Head(ctx, repo, env.Branch)
}

// place finds an app and an environment in the catalog.
func (e *Engine) place(ctx context.Context, app, env string) (*catalog.Set, delivery.App, delivery.Environment, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return nil, delivery.App{}, delivery.Environment{}, err
	}
	a, ok := set.Apps[app]
	if !ok {
		return nil, a, delivery.Environment{}, delivery.E(delivery.NotFound, fmt.Sprintf("there is no app %q: see `shiplock get apps`, or add it with `shiplock apply`", app))
	}
	en, ok := set.Environments[env]
	if !ok {
		return nil, a, en, delivery.E(delivery.NotFound, fmt.Sprintf("there is no environment %q: see `shiplock get environments`", env))
	}
	return set, a, en, nil
}

// AskPlan asks what a run of the app in the environment would do.
type AskPlan struct {
	App string
	Env string
	// Branch is the branch of the commit; empty is the environment's.
	Branch string
	// Files are those of the commit that refine the plan; nil asks for the plan
	// before that.
	Files []delivery.SourceFile
}

// Plan returns what a run would do.
func (e *Engine) Plan(ctx context.Context, p Principal, ask AskPlan) (delivery.Plan, error) {
	if err := e.Allow(ctx, p, delivery.CmdRead, delivery.On(ask.App, ask.Env)); err != nil {
		return delivery.Plan{}, err
	}
	set, a, en, err := e.place(ctx, ask.App, ask.Env)
	if err != nil {
		return delivery.Plan{}, err
	}
	branch := cmp.Or(ask.Branch, en.Branch)
	in := standard.Input{App: a, Stack: set.Stacks[a.Stack], Environment: en, Clustered: set.Clustered(), Commit: delivery.Commit{Branch: branch}}
	plan, err := standard.Plan(in)
	if err != nil || ask.Files == nil {
		return plan, err
	}
	return standard.Refine(standard.Refinement{
		Plan: plan, App: a.Name, Files: ask.Files, Input: in, Stacks: set.Stacks,
		Facts: standard.Facts{Branch: branch, Environment: en.Name, Labels: a.Labels},
	})
}

// CancelRun ends a run that is not over.
func (e *Engine) CancelRun(ctx context.Context, p Principal, id delivery.RunID, reason string) error {
	run, err := e.store.Run(ctx, id)
	if err != nil {
		return err
	}
	return e.command(ctx, p, delivery.CmdRunCancel, delivery.On(run.App, run.Env).Called(run.Name()), reason, func(d *draft) error {
		return d.record(ctx, run.Ref(), delivery.CancelRequested{By: p.Actor, Reason: reason, At: d.now})
	})
}
