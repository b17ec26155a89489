package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// driftWait is how long people wait for all repositories together.
	driftWait = 20 * time.Second
	// driftPerHost bounds the repositories of one host that are asked at once, so that one
	// which hangs keeps no other waiting.
	driftPerHost = 4
)

// Drift says how what runs stands to the heads of the branches that its environments
// build; an empty app or env is any. A repository that does not answer makes its own
// apps unknown. The caller leaves out the Targets that its reader may not see.
func (e *Engine) Drift(ctx context.Context, app, env string, targets []delivery.Target) ([]delivery.Divergence, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return nil, err
	}
	if _, known := set.Apps[app]; app != "" && !known {
		return nil, delivery.E(delivery.NotFound, fmt.Sprintf("there is no app %q: see `shiplock get apps`", app))
	}
	if _, known := set.Environments[env]; env != "" && !known {
		return nil, delivery.E(delivery.NotFound, fmt.Sprintf("there is no environment %q: see `shiplock get environments`", env))
	}
	byRepo := branchedByRepo(set, app, env, targets)
	e.diverge(ctx, byRepo)
	var all []delivery.Divergence
	for _, some := range byRepo {
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b delivery.Divergence) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(set.Environments[a.Env].Rank, set.Environments[b.Env].Rank), cmp.Compare(a.Env, b.Env))
	})
	return all, ctx.Err()
}

// branchedByRepo lists what runs in environments that have a branch, by repository.
func branchedByRepo(set *catalog.Set, app, env string, targets []delivery.Target) map[string][]delivery.Divergence {
	byRepo := map[string][]delivery.Divergence{}
	for _, t := range targets {
		a, known := set.Apps[t.App]
		branch, running := set.Environments[t.Env].Branch, t.Running()
		if !known || running == nil || branch == "" || app != "" && app != t.App || env != "" && env != t.Env {
			continue
		}
		byRepo[a.Repo] = append(byRepo[a.Repo], delivery.Divergence{
			App: t.App, Env: t.Env, RunNumber: running.Revision.RunNumber, Commit: running.Revision.Commit, Branch: branch,
		})
	}
	return byRepo
}

// diverge fills in the answers of all repositories, which are asked side by side.
func (e *Engine) diverge(ctx context.Context, byRepo map[string][]delivery.Divergence) {
	ctx, cancel := context.WithTimeout(ctx, driftWait)
	defer cancel()
	slots := map[string]chan struct{}{}
	var asking sync.WaitGroup
	defer asking.Wait()
	for setting, some := range byRepo {
		repo, err := e.cfg.Forge.Repo(setting)
		if err != nil {
			judge(some, nil, err)
			continue
		}
		host := hostOf(repo.CloneURL)
		if slots[host] == nil {
			slots[host] = make(chan struct{}, driftPerHost)
		}
		slot := slots[host]
		asking.Go(func() {
			select {
			case slot <- struct{}{}:
				defer func() { <-slot }()
			case <-ctx.Done():
				judge(some, nil, errNoAnswer())
				return
			}
			found, err := e.askDrift(ctx, repo, some)
			judge(some, found, err)
		})
	}
}

// distance is how a commit stands to a branch.
type distance struct {
	head           string
	ahead, outside int
	err            error
}

// place is a commit that runs, and the branch that it is held against.
type place struct{ branch, commit string }

func (e *Engine) askDrift(ctx context.Context, repo delivery.Repo, some []delivery.Divergence) (map[place]distance, error) {
	unique := map[place]bool{}
	for _, d := range some {
		unique[place{d.Branch, d.Commit.SHA}] = true
	}
	places := slices.SortedFunc(maps.Keys(unique), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.branch, b.branch), cmp.Compare(a.commit, b.commit))
	})
	key := repo.CloneURL
	for _, p := range places {
		key += "\x00" + p.branch + "\x00" + p.commit
	}
	found, ok, err := e.drift.ask(ctx, key, driftWait, e, func(ctx context.Context) (map[place]distance, error) {
		return e.distances(ctx, repo, places)
	})
	if !ok {
		err = errNoAnswer()
	}
	return found, err
}

func errNoAnswer() error {
	return delivery.E(delivery.Unavailable, "git has not answered yet: look again in a moment")
}

// distances asks one repository, within a time of its own.
func (e *Engine) distances(ctx context.Context, repo delivery.Repo, places []place) (map[place]distance, error) {
	ctx, cancel := context.WithTimeout(ctx, movedLimit)
	defer cancel()
	if host := hostOf(repo.CloneURL); e.shunned.is(host, e.now()) {
		return nil, delivery.E(delivery.Unavailable, host+" did not answer a moment ago")
	}
	var branches []string
	for _, p := range places {
		branches = append(branches, p.branch)
	}
	heads, err := e.cfg.History.Heads(ctx, repo, slices.Compact(branches)...)
	if err != nil {
		return nil, err
	}
	found := map[place]distance{}
	for _, p := range places {
		d := e.distance(ctx, repo, heads[p.branch], p.commit)
		if delivery.KindOf(d.err) == delivery.Unavailable {
			return nil, d.err // it answers no other question either
		}
		found[p] = d
	}
	return found, nil
}

func (e *Engine) distance(ctx context.Context, repo delivery.Repo, head, commit string) (d distance) {
	d.head = head
	if commit == "" {
		d.err = delivery.E(delivery.NotFound, "the commit that runs was not recorded")
	}
	if head == "" || d.err != nil {
		return d
	}
	if d.outside, d.err = e.cfg.History.Ahead(ctx, repo, head, commit); d.err == nil {
		d.ahead, d.err = e.cfg.History.Ahead(ctx, repo, commit, head)
	}
	return d
}

// judge fills in what git said, or why it said nothing.
func judge(some []delivery.Divergence, found map[place]distance, err error) {
	for i, d := range some {
		at := found[place{d.Branch, d.Commit.SHA}]
		if why := cmp.Or(err, at.err); why != nil {
			some[i] = d.Unknown(why.Error())
			continue
		}
		some[i] = d.Against(at.head, at.ahead, at.outside)
	}
}
