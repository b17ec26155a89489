package engine

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// requirementWait is how long a decision waits for git.
const requirementWait = 2 * time.Second

// requirementFacts is how what an Environment requires stands for a waiting release.
func (e *Engine) requirementFacts(ctx context.Context, d *draft, r delivery.Release) (delivery.RequirementFacts, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil || r.State != delivery.ReleaseIsProposed {
		return delivery.RequirementFacts{}, err
	}
	f := delivery.RequirementFacts{Requirement: set.Environments[r.Env].Requires}
	if f.Gate != "" {
		if f.Made, err = e.made(ctx, d, r.Revision.Run); err != nil {
			return f, err
		}
	}
	if f.Environment == "" {
		return f, nil
	}
	there, err := d.target(ctx, r.App, f.Environment)
	if err != nil {
		return f, err
	}
	f = there.after.Proves(f)
	running := there.after.Running()
	if running == nil {
		return f, nil
	}
	f.Runs = running.Revision.Artifact == r.Revision.Artifact
	if !f.Runs && f.Same == delivery.SameCommit {
		f.Runs, f.Unknown = e.contained(ctx, set.Apps[r.App].Repo, running.Revision.Commit.SHA, r.Revision.Commit.SHA)
	}
	return f, nil
}

// made is what the run that made an artifact has shown.
func (e *Engine) made(ctx context.Context, d *draft, id delivery.RunID) (delivery.GateFacts, error) {
	run, err := d.run(ctx, id)
	if gone(err) {
		return delivery.GateFacts{Forgotten: true}, nil
	}
	if err != nil {
		return delivery.GateFacts{}, err
	}
	return delivery.GateFacts{Tests: run.after.Tests()}, nil
}

// contained tells whether a commit has another one in its history, or why that cannot be
// told.
func (e *Engine) contained(ctx context.Context, repository, commit, other string) (yes bool, unknown string) {
	switch {
	case commit == other:
		return true, ""
	case commit == "" || other == "":
		return false, ""
	}
	repo, err := e.cfg.Forge.Repo(repository)
	if err != nil {
		return false, err.Error()
	}
	a, ok, err := e.ahead.ask(ctx, repo.CloneURL+"\x00range\x00"+commit+"\x00"+other, requirementWait, e, func(ctx context.Context) (ahead, error) {
		ctx, cancel := context.WithTimeout(ctx, movedLimit)
		defer cancel()
		n, err := e.cfg.History.Ahead(ctx, repo, commit, other)
		return ahead{head: other, by: n}, err
	})
	switch {
	case err != nil:
		return false, err.Error()
	case !ok:
		return false, "git has not answered yet"
	}
	return a.by == 0, ""
}

// wakeRequiring has the releases looked at that wait for something to prove itself where
// it now looks different.
func (e *Engine) wakeRequiring(ctx context.Context, d *draft, app, env string) error {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return err
	}
	for _, other := range set.Ranked() {
		if other.Requires.Environment != env {
			continue
		}
		waiting, err := e.store.WaitingReleases(ctx, app, other.Name)
		if err != nil {
			return err
		}
		for _, id := range waiting {
			d.wake(delivery.Ref{Kind: delivery.KindRelease, ID: string(id)}, time.Time{})
		}
	}
	return nil
}
