package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// maxLooks and looksPerHost bound the repositories that are looked at at a time.
	maxLooks     = 8
	looksPerHost = 2
	// maxGrace is how long a hook may be under way before it is missed.
	maxGrace = 30 * time.Second
	// maxPause is the longest that a repository which cannot be read is left alone.
	maxPause = time.Hour
	// spread is over what time the first looks are spread after a start.
	spread = 30 * time.Second
	// listed is how many hooks of one branch are looked through for a push.
	listed = 10
)

// Reconciler finds pushes whose hook never came: a forge sends none when one push
// changes many branches, when it switched the hook off, or while this server was away.
// It asks each repository of the catalog where the branches are that environments
// build, and makes up the hook of a branch that moved.
type Reconciler struct {
	engine *Engine
	every  time.Duration
	grace  time.Duration

	all   chan struct{} // a slot of maxLooks
	mu    sync.Mutex
	repos map[string]*watched // by RepoName
	hosts map[string]chan struct{}
	found int
}

// watched is one repository as the reconciler knows it.
type watched struct {
	repo     delivery.Repo
	setting  string
	branches []string
	next     time.Time
	busy     bool
	// missing says since when a branch is where no hook has said.
	missing map[string]time.Time
	looked  time.Time
	fails   int
	since   time.Time // of the first of these fails
	why     error
}

// NewReconciler returns a Reconciler that looks at every repository once in a while.
func NewReconciler(e *Engine, every time.Duration) *Reconciler {
	return &Reconciler{
		engine: e, every: every, grace: min(every, maxGrace),
		all: make(chan struct{}, maxLooks), repos: map[string]*watched{}, hosts: map[string]chan struct{}{},
	}
}

// Run looks until ctx ends.
func (r *Reconciler) Run(ctx context.Context) error {
	var looks sync.WaitGroup
	defer looks.Wait()
	for {
		if err := r.refresh(ctx); err != nil && ctx.Err() == nil {
			r.engine.cfg.Log.Warn("reconciler reads the catalog", "err", err)
		}
		now := r.engine.now()
		due, next := r.due(now)
		for _, name := range due {
			looks.Go(func() { r.look(ctx, name) })
		}
		t := time.NewTimer(next.Sub(now))
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// refresh takes over what the catalog says of repositories and branches.
func (r *Reconciler) refresh(ctx context.Context) error {
	set, err := r.engine.catalogue.current(ctx)
	if err != nil {
		return err
	}
	branches := boundBranches(set)
	r.mu.Lock()
	defer r.mu.Unlock()
	wanted := map[string]bool{}
	for _, app := range set.Apps {
		name := delivery.RepoName(app.Repo)
		wanted[name] = true
		w := r.repos[name]
		if w == nil {
			w = &watched{missing: map[string]time.Time{}, next: r.engine.now().Add(jitter(min(r.every, spread)))}
			r.repos[name] = w
		}
		w.setting, w.branches = app.Repo, branches
	}
	maps.DeleteFunc(r.repos, func(name string, _ *watched) bool { return !wanted[name] })
	return nil
}

// boundBranches are those that some environment builds.
func boundBranches(set *catalog.Set) []string {
	var branches []string
	for _, e := range set.Environments {
		if e.Builds(delivery.Push{Branch: e.Branch}) {
			branches = append(branches, e.Branch)
		}
	}
	slices.Sort(branches)
	return slices.Compact(branches)
}

// jitter is a random part of a time, so that repositories are not asked all at once.
func jitter(d time.Duration) time.Duration { return rand.N(max(d, 1)) }

// due marks the repositories that are to be looked at now, and says when to ask again.
func (r *Reconciler) due(now time.Time) (names []string, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next = now.Add(min(r.every, 10*time.Second)) // the catalog may change
	for name, w := range r.repos {
		switch {
		case w.busy:
		case !w.next.After(now):
			w.busy = true
			names = append(names, name)
		case w.next.Before(next):
			next = w.next
		}
	}
	return names, next
}

// look asks one repository, within the bounds, and plans its next look.
func (r *Reconciler) look(ctx context.Context, name string) {
	r.mu.Lock()
	w := r.repos[name]
	if w == nil { // the catalog just dropped it
		r.mu.Unlock()
		return
	}
	at := *w
	r.mu.Unlock()
	repo, err := r.engine.cfg.Forge.Repo(at.setting)
	if err == nil {
		err = r.bounded(ctx, hostOf(repo.CloneURL), func() error { return r.reconcile(ctx, name, w, repo, at.branches) })
	}
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.busy, w.looked, w.repo = false, r.engine.now(), repo
	w.plan(r, err)
}

// plan says when a repository is looked at next. One that cannot be read is left alone
// for ever longer.
func (w *watched) plan(r *Reconciler, err error) {
	pause := r.every
	switch {
	case err != nil:
		if w.fails++; w.fails == 1 {
			w.since = w.looked
		}
		w.why = err
		pause = min(r.every<<min(w.fails, 10), max(maxPause, r.every))
		if w.fails == 1 {
			r.engine.cfg.Log.Warn("repository cannot be looked at", "repo", w.setting, "err", err)
		}
	case len(w.missing) > 0:
		w.fails, w.why = 0, nil
		w.next = w.looked.Add(r.grace)
		return
	default:
		w.fails, w.why = 0, nil
	}
	w.next = w.looked.Add(pause - pause/10 + jitter(pause/5))
}

// bounded does something at a host when there is room, unless it did not answer a
// moment ago.
func (r *Reconciler) bounded(ctx context.Context, host string, do func() error) error {
	for _, slot := range []chan struct{}{r.slot(host), r.all} {
		select {
		case slot <- struct{}{}:
			defer func() { <-slot }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	e := r.engine
	if e.shunned.is(host, e.now()) {
		return delivery.E(delivery.Unavailable, host+" did not answer a moment ago")
	}
	err := do()
	if delivery.KindOf(err) == delivery.Unavailable {
		e.shunned.add(host, e.now().Add(shunFor))
	}
	return err
}

func (r *Reconciler) slot(host string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hosts[host] == nil {
		r.hosts[host] = make(chan struct{}, looksPerHost)
	}
	return r.hosts[host]
}

// reconcile compares where the branches are with what is known of them.
func (r *Reconciler) reconcile(ctx context.Context, name string, w *watched, repo delivery.Repo, branches []string) error {
	e := r.engine
	started := e.now()
	heads, err := e.cfg.History.Heads(ctx, repo, branches...)
	if err != nil {
		return err
	}
	known, err := e.store.Heads(ctx, name)
	if err != nil {
		return err
	}
	var errs []error
	for _, branch := range branches {
		errs = append(errs, r.branch(ctx, w, repo, sighting{
			Head:  delivery.Head{Repo: name, Branch: branch, SHA: heads[branch], At: started},
			known: headOf(known, branch),
		}))
	}
	return errors.Join(errs...)
}

func headOf(known []delivery.Head, branch string) *delivery.Head {
	for i := range known {
		if known[i].Branch == branch {
			return &known[i]
		}
	}
	return nil
}

// sighting is a branch as it is now, and as it was known.
type sighting struct {
	delivery.Head
	known *delivery.Head // nil when it was never looked for
}

// branch accounts for one branch: by the hook that came for it, or else, when none
// came in good time, by one that is made up.
func (r *Reconciler) branch(ctx context.Context, w *watched, repo delivery.Repo, s sighting) error {
	switch {
	case s.known == nil:
		return r.engine.accountFor(ctx, s.Head, nil)
	case s.known.SHA == s.SHA:
		r.forgive(w, s.Branch)
		return nil
	case s.SHA == "": // deleted: whatever waits for it fails by itself
		r.forgive(w, s.Branch)
		return r.engine.accountFor(ctx, s.Head, nil)
	}
	hooks, repo, err := r.engine.pushedTo(ctx, repo, s.Branch)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(hooks, func(h delivery.Hook) bool { return h.Push.After == s.SHA && !h.ReceivedAt.Before(s.known.At) }) {
		r.forgive(w, s.Branch)
		return r.engine.accountFor(ctx, s.Head, nil)
	}
	if !r.overdue(w, s.Branch, s.At) {
		return nil
	}
	if err := r.engine.recover(ctx, s, repo); err != nil {
		return err
	}
	r.forgive(w, s.Branch)
	r.mu.Lock()
	r.found++
	r.mu.Unlock()
	return nil
}

// overdue tells whether a branch has been where no hook has said for long enough.
func (r *Reconciler) overdue(w *watched, branch string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	since, known := w.missing[branch]
	if !known {
		w.missing[branch] = now
	}
	return known && now.Sub(since) >= r.grace
}

func (r *Reconciler) forgive(w *watched, branch string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(w.missing, branch)
}

// accountFor keeps where a branch is, with the hook that was made up for it, if any.
func (e *Engine) accountFor(ctx context.Context, h delivery.Head, hook *delivery.Hook) error {
	c := &delivery.Change{Heads: []delivery.Head{h}}
	if hook != nil {
		c.Hooks = []*delivery.Hook{hook}
		c.Wakes = []delivery.Wake{{Ref: hook.Ref()}}
	}
	_, err := e.commit(ctx, c)
	if hook != nil && delivery.KindOf(err) == delivery.Conflict {
		return nil // another server was faster
	}
	return err
}

// recover makes up the hook of a push.
func (e *Engine) recover(ctx context.Context, s sighting, repo delivery.Repo) error {
	now := delivery.Commit{SHA: s.SHA}
	if described, err := e.describe(ctx, repo, s.SHA); err == nil {
		now = described
	} // a title is for people, and not worth a push
	h := s.known.Recover(named(repo), now)
	h.State, h.ReceivedAt = delivery.HookReceived, e.now()
	e.cfg.Log.Info("push recovered", "repo", s.Repo, "branch", s.Branch, "commit", s.SHA)
	return e.accountFor(ctx, s.Head, &h)
}

func (e *Engine) describe(ctx context.Context, repo delivery.Repo, sha string) (delivery.Commit, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return e.cfg.History.Describe(ctx, repo, sha)
}

// pushedTo lists the newest hooks of a branch, under whatever name its forge has for
// the repository; that name is returned, for a hook that is made up.
func (e *Engine) pushedTo(ctx context.Context, repo delivery.Repo, branch string) ([]delivery.Hook, delivery.Repo, error) {
	newest, err := e.store.NewestHooks(ctx)
	if err != nil {
		return nil, repo, err
	}
	names := []delivery.Repo{named(repo)}
	for _, h := range slices.Backward(newest) {
		if h.Push.Repo.Is(repo.CloneURL) || repo.Path != "" && h.Push.Repo.Is(repo.Path) {
			names = append(names, withForge(h))
		}
	}
	var hooks []delivery.Hook
	for _, name := range names {
		found, err := e.store.PushedTo(ctx, recoveredTo(name, branch), listed)
		if err != nil {
			return nil, repo, err
		}
		hooks = append(hooks, found...)
	}
	slices.SortStableFunc(hooks, func(a, b delivery.Hook) int { return b.ReceivedAt.Compare(a.ReceivedAt) })
	return slices.CompactFunc(hooks, func(a, b delivery.Hook) bool { return a.ID == b.ID }), names[len(names)-1], nil
}

// named gives a repository of no known forge a name of its own.
func named(repo delivery.Repo) delivery.Repo {
	if repo.Path == "" {
		repo.Path = delivery.RepoName(repo.CloneURL)
	}
	return repo
}

// recoveredTo is like a hook that was made up, for those of the same branch.
func recoveredTo(repo delivery.Repo, branch string) delivery.Hook {
	return delivery.Hook{Forge: delivery.ForgeReconciler, Push: delivery.Push{Repo: repo, Branch: branch}}
}

// withForge is the repository of a hook with the forge that its key has.
func withForge(h delivery.Hook) delivery.Repo {
	repo := h.Push.Repo
	if repo.Forge == "" {
		repo.Forge = h.Forge
	}
	return repo
}

// ReconcilerStatus is how the reconciler gets on.
type ReconcilerStatus struct {
	Every        time.Duration
	Repositories int
	// LookedAt is when the repository that waits the longest was looked at; zero when
	// one never was.
	LookedAt  time.Time
	Recovered int
	Failing   []FailingRepo
}

// FailingRepo is a repository that cannot be looked at.
type FailingRepo struct {
	Repo  string
	Since time.Time
	Why   string
}

// Status says how the reconciler gets on. It is safe on nil, which is switched off.
func (r *Reconciler) Status() *ReconcilerStatus {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &ReconcilerStatus{Every: r.every, Repositories: len(r.repos), Recovered: r.found}
	oldest := true
	for _, name := range slices.Sorted(maps.Keys(r.repos)) {
		w := r.repos[name]
		if w.why != nil {
			s.Failing = append(s.Failing, FailingRepo{Repo: name, Since: w.since, Why: fmt.Sprint(w.why)})
		}
		if oldest || w.looked.Before(s.LookedAt) {
			s.LookedAt, oldest = w.looked, false
		}
	}
	return s
}
