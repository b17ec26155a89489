package server

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// sight is what one person may see of everything, by the catalog as it is now.
type sight struct {
	set  *catalog.Set
	view delivery.View
}

// sight is that of who asks.
func (s *Server) sight(ctx context.Context) (sight, error) { return s.sightOf(ctx, principal(ctx)) }

func (s *Server) sightOf(ctx context.Context, p engine.Principal) (sight, error) {
	shown, err := s.catalog.current(ctx)
	if err != nil {
		return sight{}, err
	}
	return sight{shown.set, shown.set.Policy.View(p.Actor, p.Grants, delivery.CmdRead)}, nil
}

// all tells that nothing is hidden.
func (v sight) all() bool { return v.view.Everything }

// some tells that anything at all may be seen.
func (v sight) some() bool { return v.view.Touches(delivery.Object{}) }

// target tells whether an App in an Environment may be seen.
func (v sight) target(app, env string) bool {
	return v.all() || v.view.Has(v.set.Place(delivery.On(app, env)))
}

// app tells whether an App may be seen in one of its Environments.
func (v sight) app(app string) bool {
	return v.all() || app != "" && v.view.Touches(v.set.Place(delivery.On(app, "")))
}

// env tells whether anything in an Environment may be seen.
func (v sight) env(env string) bool {
	return v.all() || v.view.Touches(v.set.Place(delivery.On("", env)))
}

// selects tells whether a selector chooses an App in an Environment that may be seen.
func (v sight) selects(sel delivery.Selector) bool {
	if v.all() {
		return true
	}
	for name, a := range v.set.Apps {
		for env := range v.set.Environments {
			if sel.Matches(a, env) && v.target(name, env) {
				return true
			}
		}
	}
	return false
}

// push tells whether an App of the pushed repository may be seen.
func (v sight) push(p delivery.Push) bool {
	return v.all() || slices.ContainsFunc(v.set.AppsOf(delivery.Push{Repo: p.Repo}), func(a delivery.App) bool { return v.app(a.Name) })
}

// apps narrows a list of one App, or of all when it is "", before it is read; nil is
// all, and none is answered by false.
func (v sight) apps(app string) (list []string, some bool) {
	switch {
	case v.all():
		return nil, true
	case app != "":
		return nil, v.app(app)
	}
	for _, name := range slices.Sorted(maps.Keys(v.set.Apps)) {
		if v.app(name) {
			list = append(list, name)
		}
	}
	return list, len(list) > 0
}

// hidden is what is answered for a thing that may not be seen: the same as for one that
// is not there.
func hidden(kind, name string) error {
	return delivery.E(delivery.NotFound, fmt.Sprintf("there is no %s %s", kind, name))
}

// roleless is answered to who may see nothing at all.
func roleless(a delivery.Actor) error {
	return delivery.E(delivery.Denied, fmt.Sprintf("%s has no role here yet: ask an administrator for one", a))
}

// maxScan bounds the lines of a list that are read for one page.
const maxScan = 2000

// visible reads one page of a list, without the lines that keep does not accept. It
// looks at maxScan lines at most: the page may then be short, or empty, and goes on
// after its next.
func visible[T any](limit int, before string, read func(before string, limit int) ([]T, error), id func(T) string, keep func(T) bool) (page []T, next string, err error) {
	for scanned, size := 0, limit; limit > 0; size = min(4*size, 500) {
		batch, err := read(before, size)
		if err != nil {
			return nil, "", err
		}
		for _, v := range batch {
			before = id(v)
			if keep(v) {
				page = append(page, v)
			}
			if len(page) == limit {
				return page, before, nil
			}
		}
		if scanned += len(batch); len(batch) < size {
			return page, "", nil
		} else if scanned >= maxScan {
			return page, before, nil
		}
	}
	return nil, "", nil
}
