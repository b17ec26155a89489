package engine

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// shunFor is how long a host that did not answer is not asked again.
const shunFor = time.Minute

// ask completes a push by what git says. Without an answer the push concerns every app
// of its repository, and the note says why.
func (e *Engine) ask(ctx context.Context, host string, p delivery.Push, q question) found {
	f := found{push: p}
	if q.newer != "" {
		if f.covered = e.older(ctx, p, q.newer); f.covered != "" {
			return f
		}
	}
	if !q.paths {
		return f
	}
	if e.shunned.is(host, e.now()) {
		return f.unknown(delivery.E(delivery.Unavailable, host+" did not answer a moment ago"))
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	paths, note, err := e.changed(ctx, p, q.branches)
	if err != nil {
		if delivery.KindOf(err) == delivery.Unavailable || ctx.Err() != nil {
			e.shunned.add(host, e.now().Add(shunFor))
		}
		e.cfg.Log.Warn("changed paths not known", "repo", p.Repo.Path, "commit", p.After, "err", err)
		return f.unknown(err)
	}
	if note != "" {
		f.notes = append(f.notes, note)
	}
	f.push.Paths, f.push.PathsComplete = paths, true
	return f
}

// older says that a push is older than what was recovered, or may be: then the branch
// is looked at again, and nothing newer is lost.
func (e *Engine) older(ctx context.Context, p delivery.Push, newer string) string {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	contains, err := e.cfg.History.Contains(ctx, p.Repo, newer, p.After)
	switch {
	case err != nil:
		return fmt.Sprintf("its hook came after %.8s was recovered, and git does not say which is newer (%v); the branch is looked at again", newer, err)
	case contains:
		return fmt.Sprintf("its hook came after the newer %.8s was recovered", newer)
	}
	return ""
}

func (f found) unknown(err error) found {
	f.notes = append(f.notes, fmt.Sprintf("every app, as git does not say what changed: %v", err))
	return f
}

// changed lists the files that a push changed; those of a new branch since it left
// another one, which the note names.
func (e *Engine) changed(ctx context.Context, p delivery.Push, branches []string) (paths []string, note string, err error) {
	before := p.Before
	if p.Creates() {
		var from string
		if before, from, err = e.fork(ctx, p, branches); err != nil {
			return nil, "", err
		}
		note = fmt.Sprintf("branch %s is new, and was compared with %s at %.8s", p.Branch, from, before)
		if before == p.After {
			return nil, note, nil
		}
	}
	paths, err = e.cfg.Forge.Changed(ctx, p.Repo, before, p.After)
	return paths, note, err
}

// fork finds where a new branch left another one.
func (e *Engine) fork(ctx context.Context, p delivery.Push, branches []string) (base, from string, err error) {
	heads, err := e.cfg.History.Heads(ctx, p.Repo, branches...)
	if err != nil {
		return "", "", err
	}
	if len(heads) == 0 {
		return "", "", delivery.E(delivery.NotFound, "there is no other branch to compare it with")
	}
	return e.cfg.History.Fork(ctx, p.Repo, p.After, heads)
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
