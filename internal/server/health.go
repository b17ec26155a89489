package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// maxEvents bounds the repositories whose events of no interest are remembered.
	maxEvents = 1000
	// maxHooks bounds the hooks that are read for who may not see all.
	maxHooks = 500
	// sourcesKept is how long the status page does without reading sources again.
	sourcesKept = 5 * time.Second
)

// hookHealth knows how deliveries come in. Pushes are durable; what was of no interest
// or refused is remembered in bounded memory only, so that nobody can fill the
// database from outside.
type hookHealth struct {
	reader Lists
	now    func() time.Time

	mu      sync.Mutex
	events  map[string]event           // by forge and repository
	refused map[string]api.HookRefusal // by forge
	kept    []source
	keptAt  time.Time // zero: read again
}

// event is a delivery of no interest; its time is to the millisecond, as a push's.
type event struct {
	repo delivery.Repo
	at   time.Time
	note string
}

// source is a repository with its last delivery.
type source struct {
	repo    delivery.Repo
	last    time.Time
	outcome string
}

func newHookHealth(reader Lists, now func() time.Time) *hookHealth {
	return &hookHealth{reader: reader, now: now, events: map[string]event{}, refused: map[string]api.HookRefusal{}}
}

// refuse counts a delivery that was not taken.
func (h *hookHealth) refuse(forge string, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused[forge] = api.HookRefusal{Forge: forge, Count: h.refused[forge].Count + 1, Last: h.now().UTC(), Why: why.Error()}
}

// take notes a delivery from one who knows the secret; note is why it is of no
// interest, or "".
func (h *hookHealth) take(hook delivery.Hook, note string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hear(hook.Push.Repo)
	if note == "" || hook.Push.Repo.Path == "" {
		return
	}
	key := sourceKey(hook.Push.Repo)
	if _, known := h.events[key]; known || len(h.events) < maxEvents {
		h.events[key] = event{repo: hook.Push.Repo, at: h.now().UTC().Truncate(time.Millisecond), note: note}
	}
}

// hear remembers a repository that sent a delivery, without reading all again: a status
// page that is looked at under load wants only to know which ones are silent.
func (h *hookHealth) hear(repo delivery.Repo) {
	known := func(s source) bool { return sourceKey(s.repo) == sourceKey(repo) }
	if !h.keptAt.IsZero() && repo.Path != "" && !slices.ContainsFunc(h.kept, known) {
		h.kept = append(slices.Clone(h.kept), source{repo: repo})
	}
}

func sourceKey(r delivery.Repo) string { return r.Forge + "/" + cmp.Or(r.ProjectID, r.Path) }

// refusals lists what was refused, by forge.
func (h *hookHealth) refusals() []api.HookRefusal {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.SortedFunc(maps.Values(h.refused), func(a, b api.HookRefusal) int { return cmp.Compare(a.Forge, b.Forge) })
}

// sources lists every repository that ever sent a delivery, the newest first.
func (h *hookHealth) sources(ctx context.Context) ([]source, error) {
	hooks, err := h.reader.NewestHooks(ctx)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]source, len(hooks))
	for _, hook := range hooks {
		repo := hook.Push.Repo
		repo.Forge = cmp.Or(repo.Forge, hook.Forge)
		byKey[sourceKey(repo)] = source{repo: repo, last: hook.ReceivedAt, outcome: outcomeOf(hook)}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, e := range h.events {
		if s, ok := byKey[key]; !ok || s.last.Before(e.at) {
			byKey[key] = source{repo: e.repo, last: e.at, outcome: e.note}
		}
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b source) int {
		return cmp.Or(b.last.Compare(a.last), cmp.Compare(a.repo.Path, b.repo.Path))
	}), nil
}

func outcomeOf(h delivery.Hook) string {
	ref := h.Push.Branch
	if h.Push.Tag != "" {
		ref = h.Push.Ref()
	}
	says := "push to " + ref + ": " + string(h.State)
	switch n := len(h.Runs); n {
	case 0:
	case 1:
		says = fmt.Sprintf("push to %s: 1 run", ref)
	default:
		says = fmt.Sprintf("push to %s: %d runs", ref, n)
	}
	if h.Note != "" {
		says += ", " + h.Note
	}
	return says
}

// recent is sources as they were a moment ago.
func (h *hookHealth) recent(ctx context.Context) ([]source, error) {
	h.mu.Lock()
	kept, at := h.kept, h.keptAt
	h.mu.Unlock()
	now := h.now()
	if !at.IsZero() && now.Sub(at) < sourcesKept {
		return kept, nil
	}
	all, err := h.sources(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept, h.keptAt = all, now
	return all, nil
}

// silent lists the apps whose repository never sent a delivery.
func (s *Server) silent(ctx context.Context, c *shownCatalog) ([]string, error) {
	sources, err := s.health.recent(ctx)
	if err != nil {
		return nil, err
	}
	heard := map[string]bool{}
	for _, src := range sources {
		for _, app := range c.set.AppsOf(delivery.Push{Repo: src.repo}) {
			heard[app.Name] = true
		}
	}
	silent := []string{}
	for _, a := range c.apps {
		if !heard[a.Name] {
			silent = append(silent, a.Name)
		}
	}
	return silent, nil
}

func (s *Server) listHooks(ctx context.Context, in *limitInput) (api.Hooks, error) {
	out := api.Hooks{Refused: []api.HookRefusal{}, Sources: []api.HookSource{}}
	v, err := s.sight(ctx)
	if err != nil {
		return out, err
	}
	scan := maxHooks
	if v.all() { // what was refused names no repository
		scan, out.Refused, out.Reconciler = in.Limit, orEmpty(s.health.refusals()), s.reconciler()
	}
	hooks, err := s.cfg.Reader.Hooks(ctx, scan)
	if err != nil {
		return out, err
	}
	hooks = slices.DeleteFunc(hooks, func(h delivery.Hook) bool { return !v.push(h.Push) })
	out.Items = orEmpty(hooks[:min(len(hooks), in.Limit)])
	sources, err := s.health.sources(ctx)
	for _, src := range sources {
		if !v.push(delivery.Push{Repo: src.repo}) {
			continue
		}
		apps := []string{}
		for _, app := range v.set.AppsOf(delivery.Push{Repo: src.repo}) {
			if v.app(app.Name) {
				apps = append(apps, app.Name)
			}
		}
		out.Sources = append(out.Sources, api.HookSource{
			Forge: src.repo.Forge, Repo: src.repo.Path, Last: src.last, Outcome: src.outcome, Apps: apps,
		})
	}
	return out, err
}

// reconciler says how the search for pushes without a hook gets on.
func (s *Server) reconciler() *api.Reconciler {
	now := s.cfg.Reconciler.Status()
	if now == nil {
		return nil
	}
	out := &api.Reconciler{
		Every: now.Every.String(), Repositories: now.Repositories, LookedAt: now.LookedAt, Recovered: now.Recovered,
		Failing: make([]api.FailingRepo, len(now.Failing)),
	}
	for i, f := range now.Failing {
		out.Failing[i] = api.FailingRepo(f)
	}
	return out
}
