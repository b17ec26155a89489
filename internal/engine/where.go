package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// whereWait is how long people wait for histories to be fetched; whereKept is for
	// how long an answer is good.
	whereWait = 20 * time.Second
	whereKept = 10 * time.Second
	minShort  = 4
)

// whereabouts is what one repository's history says of a commit.
type whereabouts struct {
	sha     string
	in      map[string]bool
	unknown map[string]error
}

// Where tells which environments run a commit that is named by its SHA or the
// beginning of it: an environment contains it when it is the running commit or an
// ancestor of that. sha is it in full, as far as some history has it. The caller leaves
// out the Targets that its reader may not see.
func (e *Engine) Where(ctx context.Context, short, app string, targets []delivery.Target) (sha string, all []delivery.Presence, err error) {
	short = strings.ToLower(short)
	if len(short) < minShort || len(short) > 64 || strings.Trim(short, "0123456789abcdef") != "" {
		return "", nil, delivery.E(delivery.Invalid, fmt.Sprintf("%q is no commit: write the first %d or more digits of its SHA", short, minShort))
	}
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return "", nil, err
	}
	if _, known := set.Apps[app]; app != "" && !known {
		return "", nil, delivery.E(delivery.NotFound, fmt.Sprintf("there is no app %q: see `shiplock get apps`", app))
	}
	byRepo := runningByRepo(set, app, targets)
	for _, repo := range slices.Sorted(maps.Keys(byRepo)) {
		found, err := e.whereIn(ctx, repo, short, byRepo[repo])
		if err != nil {
			return "", nil, err
		}
		sha = cmp.Or(sha, found)
		all = append(all, byRepo[repo]...)
	}
	slices.SortStableFunc(all, func(a, b delivery.Presence) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(set.Environments[a.Env].Rank, set.Environments[b.Env].Rank), cmp.Compare(a.Env, b.Env))
	})
	return sha, all, nil
}

// runningByRepo lists what runs of the apps of each repository; one app's alone when
// it is named.
func runningByRepo(set *catalog.Set, app string, targets []delivery.Target) map[string][]delivery.Presence {
	byRepo := map[string][]delivery.Presence{}
	for _, t := range targets {
		a, known := set.Apps[t.App]
		running := t.Running()
		if !known || running == nil || app != "" && app != t.App {
			continue
		}
		byRepo[a.Repo] = append(byRepo[a.Repo], delivery.Presence{
			App: t.App, Env: t.Env, RunNumber: running.Revision.RunNumber, Commit: running.Revision.Commit,
		})
	}
	return byRepo
}

// whereIn fills in the answers for one repository. What runs under that very name
// contains it, whatever git says.
func (e *Engine) whereIn(ctx context.Context, setting, short string, all []delivery.Presence) (sha string, err error) {
	var commits []string
	for _, p := range all {
		commits = append(commits, p.Commit.SHA)
	}
	slices.Sort(commits)
	commits = slices.Compact(commits)
	w, ok, err := e.where.ask(ctx, setting+"\x00"+short+"\x00"+strings.Join(commits, " "), whereWait, e, func(ctx context.Context) (whereabouts, error) {
		return e.askWhere(ctx, setting, short, commits)
	})
	switch {
	case ctx.Err() != nil:
		return "", err
	case delivery.KindOf(err) == delivery.Invalid:
		return "", err // several commits begin so
	case err == nil && !ok:
		err = delivery.E(delivery.Unavailable, "its history is being fetched; ask again in a moment")
	}
	for i := range all {
		p := &all[i]
		why := w.unknown[p.Commit.SHA]
		switch {
		case strings.HasPrefix(p.Commit.SHA, short):
			p.Contains, sha = delivery.ContainsYes, p.Commit.SHA
		case err != nil || why != nil:
			p.Contains, p.Why = delivery.ContainsUnknown, "history not reachable: "+cmp.Or(why, err).Error()
		case w.in[p.Commit.SHA]:
			p.Contains = delivery.ContainsYes
		default:
			p.Contains = delivery.ContainsNo
		}
	}
	return cmp.Or(w.sha, sha), nil
}

func (e *Engine) askWhere(ctx context.Context, setting, short string, commits []string) (w whereabouts, err error) {
	ctx, cancel := context.WithTimeout(ctx, movedLimit)
	defer cancel()
	repo, err := e.cfg.Forge.Repo(setting)
	if err != nil {
		return w, err
	}
	w.sha, w.in, w.unknown, err = e.cfg.History.Where(ctx, repo, short, commits)
	return w, err
}
