package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/manifest"
	"github.com/shiplock/shiplock/internal/standard"
)

// boundManifests drops what the plan did not ask a runner for, and refuses what is too
// large.
func boundManifests(plan delivery.Plan, a *delivery.Artifact) error {
	if len(plan.Manifests) == 0 {
		a.Manifests = nil
	}
	size := 0
	for _, text := range a.Manifests {
		size += len(text)
	}
	if size > delivery.MaxManifests {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifests of the report have %d bytes, and may have %d", size, delivery.MaxManifests))
	}
	return nil
}

// unreleasable says why the manifests of a run's artifact could not be released to the
// run's own environment; nil when they can: it is told where it can be mended.
func (e *Engine) unreleasable(ctx context.Context, run delivery.Run, a *delivery.Artifact) (*delivery.Cause, error) {
	if a == nil || len(a.Manifests) == 0 {
		return nil, nil
	}
	set, app, env, err := e.place(ctx, run.App, run.Env)
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	named := *a
	named.App = run.App // which the run's end gives it
	fault := manifest.Check(standard.Revision(named, app, set.Stacks[app.Stack], env))
	if delivery.KindOf(fault) != delivery.Invalid {
		return nil, fault
	}
	var known *delivery.Error
	cause := delivery.Because(diagnose.ManifestsFailed, delivery.Args{"error": fault.Error()})
	if errors.As(fault, &known) && known.Err != nil {
		cause = delivery.Because(diagnose.ManifestsFailed, delivery.Args{"error": known.Msg})
		cause.Evidence = []string{known.Err.Error()}
	}
	cause.Step = string(delivery.StepManifests)
	return &cause, nil
}

// checkManifests refuses an artifact whose manifests cannot be released where it is to
// go.
func (e *Engine) checkManifests(ctx context.Context, a delivery.Artifact, env string) error {
	set, app, en, err := e.place(ctx, a.App, env)
	if err != nil {
		return err
	}
	if standard.LacksManifests(a, app, en) {
		return delivery.E(delivery.Conflict, fmt.Sprintf("run %s#%d has no manifests for %s, and the app has some of its own there: build the commit again, and see the log of its step manifests", a.App, a.RunNumber, env))
	}
	return manifest.Check(standard.Revision(a, app, set.Stacks[app.Stack], en))
}

// manifestsOf gives an artifact the manifests of the run that it is known by: other runs
// may have made the same image with others.
func (e *Engine) manifestsOf(ctx context.Context, a *delivery.Artifact) error {
	run, err := e.store.Run(ctx, a.Run)
	if gone(err) || err == nil && run.Artifact == nil {
		return nil
	}
	if err == nil {
		a.Manifests = run.Artifact.Manifests
	}
	return err
}
