package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/standard"
)

// CreateRelease asks for a release. Of Run, Artifact and From at most one is set;
// none means the newest good run for the environment.
type CreateRelease struct {
	App string `json:"app"`
	Env string `json:"env"`
	// Run is a run's number.
	Run      int             `json:"run,omitempty"`
	Artifact delivery.Digest `json:"artifact,omitempty"`
	// From takes what runs in another environment.
	From   string `json:"from,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Emergency takes the emergency lane.
	Emergency *delivery.Emergency `json:"emergency,omitempty"`
}

// command is what the request needs a permission for.
func (ask CreateRelease) command() delivery.Command {
	if ask.Emergency != nil {
		return ask.Emergency.Command()
	}
	return delivery.CmdReleaseCreate
}

// CreateRelease offers an existing artifact to a Target.
func (e *Engine) CreateRelease(ctx context.Context, p Principal, ask CreateRelease) (delivery.Release, error) {
	if err := e.Allow(ctx, p, ask.command(), delivery.On(ask.App, ask.Env)); err != nil {
		return delivery.Release{}, err
	}
	if err := ask.Emergency.Check(ask.Reason); err != nil {
		return delivery.Release{}, err
	}
	_, _, env, err := e.place(ctx, ask.App, ask.Env)
	if err != nil {
		return delivery.Release{}, err
	}
	if ask.Run == 0 && ask.Artifact == "" && ask.From == "" {
		ask.From = env.Promote.From
	}
	artifact, err := e.chooseArtifact(ctx, ask)
	if err == nil {
		err = e.checkManifests(ctx, artifact, ask.Env)
	}
	if err != nil {
		return delivery.Release{}, err
	}
	var rel delivery.Release
	err = e.command(ctx, p, ask.command(), delivery.On(ask.App, ask.Env), ask.detail(artifact), func(d *draft) error {
		if rel, err = e.newRelease(ctx, d, artifact, ask.Env); err != nil {
			return err
		}
		rel.By, rel.Reason, rel.From, rel.Emergency = p.Actor, ask.Reason, ask.From, ask.Emergency
		rel, err = e.propose(ctx, d, rel)
		return err
	})
	return rel, err
}

// detail is what the audit says of the request.
func (ask CreateRelease) detail(a delivery.Artifact) string {
	if ask.Emergency == nil {
		return string(a.Digest)
	}
	return fmt.Sprintf("%s: %s (%s)", a.Digest, ask.Reason, ask.Emergency.Incident)
}

func (e *Engine) chooseArtifact(ctx context.Context, ask CreateRelease) (delivery.Artifact, error) {
	switch {
	case ask.Run != 0:
		run, err := e.store.RunByNumber(ctx, ask.App, ask.Run)
		if err != nil {
			return delivery.Artifact{}, err
		}
		if run.Artifact == nil {
			return delivery.Artifact{}, delivery.E(delivery.Conflict, fmt.Sprintf("%s is %s and has no artifact to release", run.Name(), run.State()))
		}
		return *run.Artifact, nil
	case ask.Artifact != "":
		return e.store.Artifact(ctx, ask.App, ask.Artifact)
	case ask.From != "":
		return e.promoted(ctx, ask)
	}
	a, err := e.store.LatestArtifact(ctx, ask.App, ask.Env)
	if delivery.KindOf(err) == delivery.NotFound {
		return a, delivery.E(delivery.NotFound, fmt.Sprintf("%s has no good run for %s yet: push to its branch, start one with `shiplock run start`, or take another environment's with --from", ask.App, ask.Env))
	}
	return a, err
}

// promoted is what runs in the environment that a release takes from. It must be
// healthy there: what is not, a person may name by its run.
func (e *Engine) promoted(ctx context.Context, ask CreateRelease) (delivery.Artifact, error) {
	if _, _, _, err := e.place(ctx, ask.App, ask.From); err != nil {
		return delivery.Artifact{}, err
	}
	if ask.From == ask.Env {
		return delivery.Artifact{}, delivery.E(delivery.Invalid, fmt.Sprintf("%s cannot take from itself: name another environment with --from, or restart what runs with `shiplock target restart`", ask.Env))
	}
	t, err := e.store.Target(ctx, ask.App, ask.From)
	if err != nil {
		return delivery.Artifact{}, err
	}
	running := t.Running()
	if running == nil {
		return delivery.Artifact{}, delivery.E(delivery.Conflict, fmt.Sprintf("nothing of %s runs in %s yet: release it there first, or name a run with --run", ask.App, ask.From))
	}
	if seen := t.Observed.Of(running.Revision.ID); !seen.Healthy() {
		state := "is not seen to run"
		if seen != nil {
			state = fmt.Sprintf("has %d of %d instances ready", seen.Ready, seen.Total)
		}
		return delivery.Artifact{}, delivery.E(delivery.Conflict, fmt.Sprintf("%s#%d %s in %s, so it is not promoted: see `shiplock target explain %s --env %s`, or take it all the same with --run %d",
			ask.App, running.Revision.RunNumber, state, ask.From, ask.App, ask.From, running.Revision.RunNumber))
	}
	a, err := e.store.Artifact(ctx, ask.App, running.Revision.Artifact)
	// The same digest may have come of several runs: people know it by the one that
	// runs there.
	a.Run, a.RunNumber, a.Commit = running.Revision.Run, running.Revision.RunNumber, running.Revision.Commit
	if err != nil {
		return a, err
	}
	return a, e.manifestsOf(ctx, &a)
}

// newRelease makes a proposed deploy of an artifact with the configuration that
// the catalog holds now.
func (e *Engine) newRelease(ctx context.Context, d *draft, a delivery.Artifact, env string) (delivery.Release, error) {
	set, app, en, err := e.place(ctx, a.App, env)
	if err != nil {
		return delivery.Release{}, err
	}
	stack, ok := set.Stacks[app.Stack]
	if !ok && a.Runtime == nil { // an artifact that does not say how it runs
		return delivery.Release{}, delivery.E(delivery.Invalid, fmt.Sprintf("stack %q is not in the catalog", app.Stack))
	}
	if err := standard.Runs(a, stack, en); err != nil {
		return delivery.Release{}, err
	}
	built, err := builtBy(ctx, d, a.Run)
	return delivery.Release{
		ID: delivery.ReleaseID(e.cfg.NewID()), App: a.App, Env: env, Kind: delivery.ReleaseDeploy,
		Revision: standard.Revision(a, app, stack, en), Strategy: standard.Strategy(app, en), Bake: en.Bake,
		State: delivery.ReleaseIsProposed, By: d.actor, CreatedAt: d.now, BuiltBy: built,
	}, err
}

// builtBy is who started a run by hand; nil when a push did, or when it is gone.
func builtBy(ctx context.Context, d *draft, id delivery.RunID) (*delivery.Actor, error) {
	run, err := d.run(ctx, id)
	switch {
	case gone(err):
		return nil, nil
	case err != nil || run.after.Hook != "":
		return nil, err
	}
	by := run.after.By
	return &by, nil
}

// RollBack makes a rollback to the last good revision, or to a named one of the
// Target's history.
func (e *Engine) RollBack(ctx context.Context, p Principal, app, env string, to delivery.RevisionID, reason string) (delivery.Release, error) {
	var rel delivery.Release
	err := e.command(ctx, p, delivery.CmdReleaseRollback, delivery.On(app, env), reason, func(d *draft) error {
		l, err := d.target(ctx, app, env)
		if err != nil {
			return err
		}
		back, err := rollbackTo(l.after, to)
		if err != nil {
			return err
		}
		rel, err = e.offer(ctx, d, delivery.ReleaseRollback, back, reason)
		return err
	})
	return rel, err
}

// offer proposes a revision that the Target knows, in one step to all traffic.
func (e *Engine) offer(ctx context.Context, d *draft, kind delivery.ReleaseKind, r delivery.Revision, reason string) (delivery.Release, error) {
	return e.propose(ctx, d, delivery.Release{
		ID: delivery.ReleaseID(e.cfg.NewID()), App: r.App, Env: r.Env, Kind: kind, Revision: r,
		State: delivery.ReleaseIsProposed, By: d.actor, Reason: reason, CreatedAt: d.now,
	})
}

func rollbackTo(t delivery.Target, to delivery.RevisionID) (delivery.Revision, error) {
	if t.Active != "" {
		return delivery.Revision{}, delivery.E(delivery.Conflict, fmt.Sprintf("a release is under way on %s: `shiplock release abort %s --env %s` takes it back to the old version", t.Key(), t.App, t.Env))
	}
	if to == "" {
		if d := t.Previous(); d != nil {
			return d.Revision, nil
		}
		return delivery.Revision{}, delivery.E(delivery.Conflict, fmt.Sprintf("%s has no earlier healthy version to go back to", t.Key()))
	}
	for _, d := range t.History {
		if d.Revision.ID == to || d.Revision.ID.Short() == string(to) {
			return d.Revision, nil
		}
	}
	return delivery.Revision{}, delivery.E(delivery.NotFound, fmt.Sprintf("%s never ran %s: see `shiplock target history %s --env %s`", t.Key(), to, t.App, t.Env))
}

// CommandRelease carries out continue, full, pause, resume, abort or cancel.
func (e *Engine) CommandRelease(ctx context.Context, p Principal, id delivery.ReleaseID, cmd delivery.Command, reason string) (delivery.Release, error) {
	before, err := e.store.Release(ctx, id)
	if err != nil {
		return before, err
	}
	var after delivery.Release
	err = e.command(ctx, p, cmd, delivery.On(before.App, before.Env).Called(string(id)), reason, func(d *draft) error {
		l, err := d.release(ctx, id)
		if err != nil {
			return err
		}
		ev, err := e.releaseEvent(ctx, cmd, p.Actor, reason, before.Batch, d, l.after)
		if err != nil {
			return err
		}
		err = d.record(ctx, l.after.Ref(), ev)
		after = l.after
		return err
	})
	return after, err
}

func (e *Engine) releaseEvent(ctx context.Context, cmd delivery.Command, by delivery.Actor, reason string, batch int, d *draft, r delivery.Release) (delivery.Event, error) {
	who := delivery.Cancellation{By: by, Reason: reason, At: d.now}
	switch cmd {
	case delivery.CmdReleaseContinue:
		said, err := e.mayGoOn(ctx, d, r)
		return delivery.ContinueRequested{By: by, Batch: batch, At: d.now, Window: said}, err
	case delivery.CmdReleaseFull:
		said, err := e.mayGoOn(ctx, d, r)
		return delivery.FullRequested{By: by, At: d.now, Window: said}, err
	case delivery.CmdReleasePause:
		return delivery.PauseRequested{By: who}, nil
	case delivery.CmdReleaseResume:
		return delivery.ResumeRequested{By: by, At: d.now}, nil
	case delivery.CmdReleaseAbort:
		return delivery.AbortRequested{By: who}, nil
	case delivery.CmdReleaseCancel:
		return delivery.ReleaseWithdrawn{By: who}, nil
	}
	return nil, delivery.E(delivery.Invalid, fmt.Sprintf("%q is not a command for a release", cmd))
}

// PauseTarget stops releases from starting and batches from advancing; ResumeTarget
// undoes it.
func (e *Engine) PauseTarget(ctx context.Context, p Principal, app, env, reason string) error {
	return e.onTarget(ctx, p, delivery.CmdTargetPause, app, env, reason, func(d *draft) delivery.Event {
		return delivery.TargetPaused{By: delivery.Cancellation{By: p.Actor, Reason: reason, At: d.now}}
	})
}

func (e *Engine) ResumeTarget(ctx context.Context, p Principal, app, env string) error {
	return e.onTarget(ctx, p, delivery.CmdTargetResume, app, env, "", func(*draft) delivery.Event { return delivery.TargetResumed{} })
}

func (e *Engine) onTarget(ctx context.Context, p Principal, cmd delivery.Command, app, env, reason string, ev func(*draft) delivery.Event) error {
	return e.command(ctx, p, cmd, delivery.On(app, env), reason, func(d *draft) error {
		if _, _, _, err := e.place(ctx, app, env); err != nil {
			return err
		}
		l, err := d.target(ctx, app, env)
		if err != nil {
			return err
		}
		return d.record(ctx, l.after.Ref(), ev(d))
	})
}

// Restart makes a release that restarts what runs.
func (e *Engine) Restart(ctx context.Context, p Principal, app, env, reason string) (delivery.Release, error) {
	var rel delivery.Release
	err := e.command(ctx, p, delivery.CmdTargetRestart, delivery.On(app, env), reason, func(d *draft) error {
		l, err := d.target(ctx, app, env)
		if err != nil {
			return err
		}
		running := l.after.Running()
		if running == nil {
			return delivery.E(delivery.Conflict, fmt.Sprintf("nothing of %s runs in %s", app, env))
		}
		rel, err = e.offer(ctx, d, delivery.ReleaseRestart, running.Revision, reason)
		return err
	})
	return rel, err
}

// MaxReplicas bounds how many instances a person may ask for.
const MaxReplicas = 1000

// Scale makes a release that changes how many instances there are; with 0 to what the
// catalog says. It is kept over later releases until the catalog has another number.
func (e *Engine) Scale(ctx context.Context, p Principal, app, env string, replicas int, reason string) (delivery.Release, error) {
	var rel delivery.Release
	detail := fmt.Sprintf("replicas %d", replicas)
	if reason != "" {
		detail += ": " + reason
	}
	err := e.command(ctx, p, delivery.CmdTargetScale, delivery.On(app, env), detail, func(d *draft) error {
		if replicas < 0 || replicas > MaxReplicas {
			return delivery.E(delivery.Invalid, fmt.Sprintf("%d instances cannot be asked for: name 1 to %d", replicas, MaxReplicas))
		}
		_, _, en, err := e.place(ctx, app, env)
		if err != nil {
			return err
		}
		l, err := d.target(ctx, app, env)
		if err != nil {
			return err
		}
		running := l.after.Running()
		if running == nil {
			return delivery.E(delivery.Conflict, fmt.Sprintf("nothing of %s runs in %s", app, env))
		}
		if running.Revision.Autoscaled() {
			return delivery.E(delivery.Conflict, fmt.Sprintf("%s/%s has an autoscaler, which decides how many instances there are: edit workload.autoscale of the App, and release it", app, env))
		}
		rel = delivery.Release{
			ID: delivery.ReleaseID(e.cfg.NewID()), App: app, Env: env, Kind: delivery.ReleaseScale, Revision: running.Revision,
			State: delivery.ReleaseIsProposed, By: d.actor, Reason: reason, CreatedAt: d.now, Replicas: replicas, Bake: en.Bake,
		}
		rel, err = e.propose(ctx, d, rel)
		return err
	})
	return rel, err
}

// Blockers lists why a proposed release may not start now.
func (e *Engine) Blockers(ctx context.Context, r delivery.Release) ([]delivery.Cause, error) {
	if r.State.Terminal() {
		return nil, nil
	}
	if r.State != delivery.ReleaseIsProposed {
		return e.heldUp(ctx, r)
	}
	now := e.now()
	facts, err := e.releaseFacts(ctx, newDraft(e.store, now, delivery.System()), r)
	if err != nil {
		return nil, err
	}
	if facts.Place, err = e.placeOf(ctx, now, r, facts.Windows); err != nil {
		return nil, err
	}
	return r.Blockers(now, facts), nil
}

// heldUp says that the deployer of a release that is under way is in trouble.
func (e *Engine) heldUp(ctx context.Context, r delivery.Release) ([]delivery.Cause, error) {
	t := delivery.Target{App: r.App, Env: r.Env}
	why, due, tries, waits, err := e.store.WakeWhy(ctx, t.Ref())
	if err != nil || !waits || tries == 0 || why == "" {
		return nil, err
	}
	return []delivery.Cause{delivery.Because("deployer.trouble", delivery.Args{
		"target": t.Key(), "message": why, "at": due.UTC().Format(time.TimeOnly),
	})}, nil
}
