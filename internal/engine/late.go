package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// standing is how a hook stands to a push that was recovered before it, or to the
// hooks that came while it was being recovered.
type standing struct {
	// covered says why the hook asks for nothing; "" when it does.
	covered string
	// newer is the recovered commit that the hook's may be older than; git knows.
	newer string
}

// standingOf compares a hook with what is known of its branch, so that a hook that
// comes late makes no second run, and none of an older commit after a newer one's.
func (e *Engine) standingOf(ctx context.Context, set *catalog.Set, h delivery.Hook) (standing, error) {
	if h.Push.Branch == "" || len(set.EnvironmentsOf(h.Push)) == 0 {
		return standing{}, nil
	}
	last, err := e.lastBefore(ctx, set, h)
	if err != nil || last == nil {
		return standing{}, err
	}
	same := last.Push.After == h.Push.After
	switch {
	case h.Recovered() && same:
		return standing{covered: "its hook came after all"}, nil
	case h.Recovered() || !last.Recovered():
		return standing{}, nil
	case same:
		return standing{covered: fmt.Sprintf("this push was recovered before its hook came, by hook %s", last.ID)}, nil
	case last.Push.After == h.Push.Before:
		return standing{}, nil
	}
	return standing{newer: last.Push.After}, nil
}

// lastBefore returns the last hook of the branch before this one that said where the
// branch is; nil when there is none. Those that were found to be old did not.
func (e *Engine) lastBefore(ctx context.Context, set *catalog.Set, h delivery.Hook) (*delivery.Hook, error) {
	hooks, err := e.store.PushedTo(ctx, h, listed)
	if err != nil {
		return nil, err
	}
	apps := set.AppsOf(delivery.Push{Repo: h.Push.Repo})
	for i, app := range apps {
		if slices.ContainsFunc(apps[:i], func(a delivery.App) bool { return a.Repo == app.Repo }) {
			continue
		}
		repo, err := e.cfg.Forge.Repo(app.Repo)
		if err != nil || repo.Forge == h.Push.Repo.Forge && repo.ProjectID == h.Push.Repo.ProjectID {
			continue // nothing was recovered of a repository that cannot be looked at
		}
		more, err := e.store.PushedTo(ctx, recoveredTo(named(repo), h.Push.Branch), listed)
		if err != nil {
			return nil, err
		}
		hooks = append(hooks, more...)
	}
	slices.SortStableFunc(hooks, func(a, b delivery.Hook) int { return b.ReceivedAt.Compare(a.ReceivedAt) })
	for _, other := range hooks {
		earlier := other.ID != h.ID && !other.ReceivedAt.After(h.ReceivedAt)
		if earlier && other.Push.After != "" && (other.Recovered() || other.State == delivery.HookExpanded) {
			return &other, nil
		}
	}
	return nil, nil
}
