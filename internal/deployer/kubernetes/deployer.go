package kubernetes

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

// Config is what a Deployer needs.
type Config struct {
	Cluster *kube.Client
	// Name is the cluster's, for people.
	Name  string
	Env   string
	Place manifest.Place
	// Heal takes back also what others changed that has nothing to do with traffic.
	Heal bool
	// OnChange is told, without waiting, when something about a Target changed.
	OnChange func(app, env string)
	Log      *slog.Logger
	Now      func() time.Time
}

// Deployer makes the wishes of one Environment real, in its namespace.
type Deployer struct {
	Config
	watches *watches

	mu sync.Mutex
	// written are objects as they were answered when they were applied, until the
	// watches have seen as much.
	written map[string]written
	// refusals are why the API server would not have the last step of an App.
	refusals map[string]refusal
	// read are logs of containers, which are not read again for each look.
	read map[instance]readLog
	// blames are who changed what of Apps.
	blames map[string]blame
}

// fieldManager owns the fields that are applied.
const fieldManager = "shiplock"

// New returns a Deployer; Run must be called for it to see.
func New(c Config) *Deployer {
	d := &Deployer{Config: c, written: map[string]written{}, refusals: map[string]refusal{}, read: map[instance]readLog{}, blames: map[string]blame{}}
	d.watches = newWatches(c.Cluster, c.Place.Namespace, changes{
		changed: func(app string) { c.OnChange(app, c.Env) }, gone: d.forget,
	})
	return d
}

// Run watches until ctx ends.
func (d *Deployer) Run(ctx context.Context) { d.watches.run(ctx) }

// Apply takes the step that is due towards a wish. Conflict: the cluster has had a
// newer wish. Unavailable: the cluster does not answer, or has not yet.
func (d *Deployer) Apply(ctx context.Context, app, _ string, wish delivery.Desired) error {
	p, err := d.plan(ctx, app, wish)
	if err != nil {
		return err
	}
	if g := p.live.generation(); g > wish.Generation {
		return delivery.E(delivery.Conflict, fmt.Sprintf("the cluster %s has generation %d of %s/%s, and this is %d", d.Name, g, app, d.Env, wish.Generation))
	}
	return d.carryOut(ctx, p)
}

// Observe tells what is there, held against the wish.
func (d *Deployer) Observe(ctx context.Context, app, env string, wish delivery.Desired) (delivery.Observed, error) {
	p, err := d.plan(ctx, app, wish)
	if err != nil {
		return delivery.Observed{}, err
	}
	seen := delivery.Observed{
		Generation: max(wish.Generation, p.live.generation()),
		Behind:     p.behind() && !d.inVain(p), Drift: d.blamed(ctx, p, p.drift()), URL: d.url(p),
	}
	for _, r := range p.revisions(wish) {
		seen.Versions = append(seen.Versions, d.version(ctx, p, r))
	}
	return seen, nil
}

// plan compares a wish's next step with what is there.
func (d *Deployer) plan(ctx context.Context, app string, wish delivery.Desired) (plan, error) {
	if err := d.blind(ctx); err != nil {
		return plan{}, err
	}
	l := d.overlay(d.watches.live(d.Place.Namespace, app))
	shape := manifest.Next(wish.Scaled(), l.halves(wish.Prepare))
	shape.App, shape.Env = app, d.Env
	rendered, err := manifest.Render(d.Place, shape)
	if err != nil {
		return plan{}, err
	}
	for _, o := range rendered {
		if err := d.watches.unseen(ctx, o.GetKind()); err != nil {
			return plan{}, err
		}
	}
	if shape.Prepare != "" {
		before, err := manifest.PreDeploy(d.Place, manifest.Migration{
			App: app, Env: d.Env, Generation: shape.Generation, Release: shape.Prepare, Revision: *shape.For,
		})
		if err != nil {
			return plan{}, err
		}
		rendered = append(before, besides(rendered, before)...)
	}
	return newPlan(l, shape, rendered, d.Heal)
}

// besides are the objects that are not among the first ones: an older version may have
// the same settings as a command before a release.
func besides(all, first []manifest.Object) []manifest.Object {
	return slices.DeleteFunc(all, func(o manifest.Object) bool {
		return slices.ContainsFunc(first, func(f manifest.Object) bool { return id(f.GetKind(), f.GetName()) == id(o.GetKind(), o.GetName()) })
	})
}

// blind is why nothing can be said of the cluster now; nil when it can.
func (d *Deployer) blind(ctx context.Context) error {
	if err := d.watches.trouble(); err != nil {
		return delivery.Wrap(delivery.KindOf(err), "the cluster "+d.Name+" is not seen", err)
	}
	if !d.watches.synced(ctx) {
		return delivery.E(delivery.Unavailable, "the cluster "+d.Name+" is being looked at for the first time")
	}
	return nil
}
