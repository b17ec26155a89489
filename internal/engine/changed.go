package engine

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// changedTimeout bounds how long one repository holds up the other hooks.
	changedTimeout = 10 * time.Second
	// shunFor is how long a host that did not answer is not asked again, so that it
	// holds up the other hooks only once in a while.
	shunFor = time.Minute
)

// needsPaths tells whether the changed paths decide on anything and the forge did not
// send them all. A new branch has nothing to compare with.
func needsPaths(p delivery.Push, apps []delivery.App) bool {
	return !p.PathsComplete && strings.Trim(p.Before, "0") != "" &&
		slices.ContainsFunc(apps, func(a delivery.App) bool { return a.Path != "" })
}

// completePaths asks git for the changed paths. Without an answer the push concerns
// every app of its repository, and the note says why.
func (e *Engine) completePaths(ctx context.Context, p delivery.Push, x *expansion) (delivery.Push, error) {
	paths, err := e.changed(ctx, p)
	if ctx.Err() != nil {
		return p, context.Cause(ctx)
	}
	if err != nil {
		e.cfg.Log.Warn("changed paths not known", "repo", p.Repo.Path, "commit", p.After, "err", err)
		x.say("every app, as git does not say what changed: %v", err)
		return p, nil
	}
	p.Paths, p.PathsComplete = paths, true
	return p, nil
}

func (e *Engine) changed(ctx context.Context, p delivery.Push) ([]string, error) {
	host := hostOf(p.Repo.CloneURL)
	if e.shunned.is(host, e.now()) {
		return nil, delivery.E(delivery.Unavailable, host+" did not answer a moment ago")
	}
	ctx, cancel := context.WithTimeout(ctx, changedTimeout)
	defer cancel()
	paths, err := e.cfg.Forge.Changed(ctx, p.Repo, p.Before, p.After)
	if delivery.KindOf(err) == delivery.Unavailable || ctx.Err() != nil {
		e.shunned.add(host, e.now().Add(shunFor))
	}
	return paths, err
}

func hostOf(cloneURL string) string {
	if u, err := url.Parse(cloneURL); err == nil && u.Host != "" {
		return u.Host
	}
	host, _, _ := strings.Cut(cloneURL, ":")
	return host
}

// shunned are the hosts that are left alone for a while.
type shunned struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (s *shunned) is(host string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until[host])
}

func (s *shunned) add(host string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil || len(s.until) > 1000 { // hosts are few; hooks say which
		s.until = map[string]time.Time{}
	}
	s.until[host] = until
}
