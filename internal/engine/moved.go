package engine

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// movedWait is how long a release's page waits for git.
	movedWait = 2 * time.Second
	// movedLimit bounds the question itself.
	movedLimit = time.Minute
	// movedKept is how old an answer may be.
	movedKept = 30 * time.Second
)

// ahead is how far a branch is beyond a commit.
type ahead struct {
	head string
	by   int
}

// Moved says how far the branch of a release's environment is beyond its commit; nil
// when it is not, or for a release that is over. It is never followed.
func (e *Engine) Moved(ctx context.Context, r delivery.Release) (*delivery.Moved, error) {
	if r.State.Terminal() || r.Kind != delivery.ReleaseDeploy || r.Automatic || r.Revision.Commit.SHA == "" {
		return nil, nil
	}
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return nil, err
	}
	app, branch := set.Apps[r.App], set.Environments[r.Env].Branch
	if branch == "" || app.Repo == "" {
		return nil, nil
	}
	m := delivery.Moved{Branch: branch, Since: r.Revision.Commit.SHA}
	repo, err := e.cfg.Forge.Repo(app.Repo)
	if err != nil {
		m.Unknown = err.Error()
		return &m, nil
	}
	a, ok, err := e.ahead.ask(ctx, repo.CloneURL+"\x00"+branch+"\x00"+m.Since, movedWait, e, func(ctx context.Context) (ahead, error) {
		return e.countAhead(ctx, repo, branch, m.Since)
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		m.Unknown = err.Error()
	case !ok:
		m.Unknown = "git has not answered yet; look again in a moment"
	case a.by == 0:
		return nil, nil
	}
	m.By, m.Head = a.by, a.head
	return &m, nil
}

func (e *Engine) countAhead(ctx context.Context, repo delivery.Repo, branch, since string) (ahead, error) {
	ctx, cancel := context.WithTimeout(ctx, movedLimit)
	defer cancel()
	host := hostOf(repo.CloneURL)
	if e.shunned.is(host, e.now()) {
		return ahead{}, delivery.E(delivery.Unavailable, host+" did not answer a moment ago")
	}
	heads, err := e.cfg.History.Heads(ctx, repo, branch)
	if err != nil || heads[branch] == "" {
		return ahead{}, err
	}
	n, err := e.cfg.History.Ahead(ctx, repo, since, heads[branch])
	return ahead{head: heads[branch], by: n}, err
}
