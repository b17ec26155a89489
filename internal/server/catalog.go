package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// documents keeps the catalog, as the API shows it, until a document changes.
type documents struct {
	reader Catalog
	mu     sync.Mutex
	kept   *shownCatalog
}

// shownCatalog is one version of the catalog. Nobody changes it.
type shownCatalog struct {
	version      int64
	set          *catalog.Set
	apps         []api.App // by name, without Targets
	environments []api.Environment
	stacks       []api.Stack
	clusters     []api.Cluster
	channels     []api.Channel // without their health
	bindings     []api.RoleBinding
}

func (d *documents) current(ctx context.Context) (*shownCatalog, error) {
	version, err := d.reader.CatalogVersion(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept != nil && d.kept.version == version {
		return d.kept, nil
	}
	docs, err := d.reader.Documents(ctx)
	if err != nil {
		return nil, err
	}
	set, err := catalog.NewSet(version, docs)
	if err != nil {
		return nil, err
	}
	d.kept = show(set)
	return d.kept, nil
}

func show(set *catalog.Set) *shownCatalog {
	c := &shownCatalog{version: set.Version, set: set}
	for _, name := range slices.Sorted(maps.Keys(set.Apps)) {
		c.apps = append(c.apps, api.App{App: set.Apps[name], Manager: set.Manager(catalog.KindApp, name), Targets: []api.Target{}})
	}
	for _, name := range slices.Sorted(maps.Keys(set.Stacks)) {
		c.stacks = append(c.stacks, api.Stack{Stack: set.Stacks[name], Manager: set.Manager(catalog.KindStack, name)})
	}
	for _, e := range set.Ranked() {
		c.environments = append(c.environments, api.Environment{Environment: e, Manager: set.Manager(catalog.KindEnvironment, e.Name)})
	}
	for _, name := range slices.Sorted(maps.Keys(set.Clusters)) {
		cluster := api.Cluster{Cluster: set.Clusters[name], Manager: set.Manager(catalog.KindCluster, name), Environments: []string{}}
		for _, e := range set.Ranked() {
			if e.Cluster == name {
				cluster.Environments = append(cluster.Environments, e.Name)
			}
		}
		c.clusters = append(c.clusters, cluster)
	}
	for _, name := range slices.Sorted(maps.Keys(set.Channels)) {
		c.channels = append(c.channels, api.Channel{Channel: set.Channels[name], Manager: set.Manager(catalog.KindChannel, name)})
	}
	for _, name := range slices.Sorted(maps.Keys(set.Bindings)) {
		c.bindings = append(c.bindings, api.RoleBinding{Binding: set.Bindings[name], Manager: set.Manager(catalog.KindRoleBinding, name)})
	}
	return c
}

// app finds one app, or NotFound.
func (c *shownCatalog) app(name string) (api.App, error) {
	i, ok := slices.BinarySearchFunc(c.apps, name, func(a api.App, name string) int { return cmp.Compare(a.Name, name) })
	if !ok {
		return api.App{}, delivery.E(delivery.NotFound, fmt.Sprintf("there is no app %q: see `shiplock get apps`, or add it with `shiplock apply`", name))
	}
	return c.apps[i], nil
}

// knows is NotFound unless the catalog has both the app and the environment.
func (d *documents) knows(ctx context.Context, app, env string) error {
	c, err := d.current(ctx)
	if err != nil {
		return err
	}
	if _, err := c.app(app); err != nil {
		return err
	}
	if !slices.ContainsFunc(c.environments, func(e api.Environment) bool { return e.Name == env }) {
		return delivery.E(delivery.NotFound, fmt.Sprintf("there is no environment %q: see `shiplock get environments`", env))
	}
	return nil
}

func (s *Server) listEnvironments(ctx context.Context, _ *nothing) (api.Page[api.Environment], error) {
	c, err := s.catalog.current(ctx)
	if err != nil {
		return api.Page[api.Environment]{}, err
	}
	v, err := s.sight(ctx)
	shown := slices.DeleteFunc(slices.Clone(c.environments), func(e api.Environment) bool { return !v.env(e.Name) })
	return api.Page[api.Environment]{Items: orEmpty(shown)}, err
}

func (s *Server) listStacks(ctx context.Context, _ *nothing) (api.Page[api.Stack], error) {
	c, err := s.catalog.current(ctx)
	if err != nil {
		return api.Page[api.Stack]{}, err
	}
	return api.Page[api.Stack]{Items: c.stacks}, nil
}

func (s *Server) listApps(ctx context.Context, _ *nothing) (api.Page[api.App], error) {
	c, err := s.catalog.current(ctx)
	if err != nil {
		return api.Page[api.App]{}, err
	}
	v, targets, err := s.visibleTargets(ctx)
	if err != nil {
		return api.Page[api.App]{}, err
	}
	byApp := map[string][]api.Target{}
	for _, t := range targets {
		byApp[t.App] = append(byApp[t.App], t)
	}
	apps := slices.DeleteFunc(slices.Clone(c.apps), func(a api.App) bool { return !v.app(a.Name) })
	for i, a := range apps {
		apps[i] = v.within(a)
		apps[i].Targets = orEmpty(byApp[a.Name])
	}
	return api.Page[api.App]{Items: orEmpty(apps)}, nil
}

// within leaves out what an App is in Environments that may not be seen.
func (v sight) within(a api.App) api.App {
	if !v.all() {
		a.Environments = maps.Clone(a.Environments)
		maps.DeleteFunc(a.Environments, func(env string, _ delivery.AppEnvironment) bool { return !v.target(a.Name, env) })
	}
	return a
}

// AppPath names an app.
type AppPath struct {
	App string `path:"app" maxLength:"63"`
}

func (s *Server) getApp(ctx context.Context, in *AppPath) (api.App, error) {
	c, err := s.catalog.current(ctx)
	if err != nil {
		return api.App{}, err
	}
	a, err := c.app(in.App)
	if err != nil {
		return a, err
	}
	v, targets, err := s.visibleTargets(ctx)
	a = v.within(a)
	for _, t := range targets {
		if t.App == a.Name {
			a.Targets = append(slices.Clip(a.Targets), t)
		}
	}
	return a, err
}

type planInput struct {
	AppPath
	Env    string `query:"env" required:"true"`
	Branch string `query:"branch" doc:"of the commit; the environment's, when it is left out"`
}

func (s *Server) plan(ctx context.Context, in *planInput) (delivery.Plan, error) {
	return s.cfg.Engine.Plan(ctx, principal(ctx), engine.AskPlan{App: in.App, Env: in.Env, Branch: in.Branch})
}

type refineInput struct {
	AppPath
	Body api.AskPlan
}

// refinedPlan is what a run does with a commit that has these files.
func (s *Server) refinedPlan(ctx context.Context, in *refineInput) (delivery.Plan, error) {
	files := in.Body.Files
	if files == nil {
		files = []delivery.SourceFile{}
	}
	return s.cfg.Engine.Plan(ctx, principal(ctx), engine.AskPlan{App: in.App, Env: in.Body.Env, Branch: in.Body.Branch, Files: files})
}

type applyInput struct{ Body api.Apply }

// apply changes the catalog to the documents, all of them or none.
func (s *Server) apply(ctx context.Context, in *applyInput) (catalog.Diff, error) {
	docs := make([]delivery.Document, len(in.Body.Documents))
	for i, d := range in.Body.Documents {
		docs[i] = delivery.Document{Kind: d.Kind, Name: d.Name, Spec: d.Spec}
	}
	return s.cfg.Engine.Apply(ctx, principal(ctx), engine.ApplyCatalog{
		Manager: in.Body.Manager, Documents: docs, Prune: in.Body.Prune, Dry: in.Body.Dry,
	})
}
