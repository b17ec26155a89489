package engine

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// rangeWait is how long an answer waits for git.
const rangeWait = 2 * time.Second

// Prospect is what a release that is asked for would bring: the Revision that runs, nil
// when none does, and the one that would. Nothing is changed.
func (e *Engine) Prospect(ctx context.Context, p Principal, ask CreateRelease) (t delivery.Target, to delivery.Revision, err error) {
	if err := e.Allow(ctx, p, delivery.CmdRead, delivery.On(ask.App, ask.Env)); err != nil {
		return t, to, err
	}
	_, _, env, err := e.place(ctx, ask.App, ask.Env)
	if err != nil {
		return t, to, err
	}
	if ask.Run == 0 && ask.Artifact == "" && ask.From == "" {
		ask.From = env.Promote.From
	}
	artifact, err := e.chooseArtifact(ctx, ask)
	if err != nil {
		return t, to, err
	}
	rel, err := e.newRelease(ctx, newDraft(e.store, e.now(), p.Actor), artifact, ask.Env)
	if err != nil {
		return t, to, err
	}
	t, err = e.store.Target(ctx, ask.App, ask.Env)
	return t, rel.Revision, err
}

// CommitRange says how two commits of an App stand to each other.
func (e *Engine) CommitRange(ctx context.Context, app string, from, to delivery.Commit) *delivery.CommitRange {
	r := &delivery.CommitRange{From: from, To: to}
	if from.SHA == "" || to.SHA == "" || from.SHA == to.SHA {
		return r
	}
	set, err := e.catalogue.current(ctx)
	if err == nil {
		err = e.countRange(ctx, set.Apps[app].Repo, r)
	}
	if err != nil {
		r.Unknown = err.Error()
	}
	return r
}

func (e *Engine) countRange(ctx context.Context, repository string, r *delivery.CommitRange) error {
	repo, err := e.cfg.Forge.Repo(repository)
	if err != nil {
		return err
	}
	for _, one := range []struct {
		base, head string
		count      *int
	}{{r.From.SHA, r.To.SHA, &r.Ahead}, {r.To.SHA, r.From.SHA, &r.Behind}} {
		a, ok, err := e.ahead.ask(ctx, repo.CloneURL+"\x00range\x00"+one.base+"\x00"+one.head, rangeWait, e, func(ctx context.Context) (ahead, error) {
			ctx, cancel := context.WithTimeout(ctx, movedLimit)
			defer cancel()
			n, err := e.cfg.History.Ahead(ctx, repo, one.base, one.head)
			return ahead{head: one.head, by: n}, err
		})
		if err == nil && !ok {
			err = delivery.E(delivery.Unavailable, "git has not answered yet: look again in a moment")
		}
		if err != nil {
			return err
		}
		*one.count = a.by
	}
	return nil
}
