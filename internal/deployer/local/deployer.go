package local

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// DeployerConfig is what a Deployer needs.
type DeployerConfig struct {
	Supervisor EnsureConfig
	// OnChange is told, once and without waiting, when something about a Target changed.
	OnChange func(app, env string)
	Log      *slog.Logger
}

// Deployer makes the wishes of Targets real through the supervisor of this
// machine.
type Deployer struct {
	cfg    DeployerConfig
	mu     sync.Mutex
	client *Client
}

// NewDeployer returns a Deployer; the supervisor is started when it is first
// needed.
func NewDeployer(cfg DeployerConfig) *Deployer { return &Deployer{cfg: cfg} }

// Apply makes d the wish of its Target. Conflict: the supervisor holds a higher
// generation.
func (p *Deployer) Apply(ctx context.Context, app, env string, d delivery.Desired) error {
	return p.with(ctx, func(c *Client) error {
		_, err := c.Apply(ctx, wish(app, env, d.Scaled()))
		return err
	})
}

// Observe returns what the supervisor sees; generation 0 when it knows nothing of
// the Target.
func (p *Deployer) Observe(ctx context.Context, app, env string, _ delivery.Desired) (delivery.Observed, error) {
	var seen Observation
	err := p.with(ctx, func(c *Client) (err error) {
		if seen, err = c.Observe(ctx, delivery.TargetKey(app, env)); err == nil {
			hearOut(ctx, c, seen)
		}
		return err
	})
	if delivery.KindOf(err) == delivery.NotFound {
		return delivery.Observed{}, nil
	}
	return observed(seen, codeRoots(p.cfg.Supervisor.Dir)), err
}

// Preview has nothing to say: on this machine a version is its artifact and what it runs
// with, and no more.
func (p *Deployer) Preview(context.Context, string, string, delivery.Desired) (delivery.Preview, error) {
	return delivery.Preview{}, nil
}

// Run keeps a supervisor running and passes its news on, until ctx ends.
func (p *Deployer) Run(ctx context.Context) error {
	var since int64
	for ctx.Err() == nil {
		var news Changes
		err := p.with(ctx, func(c *Client) (err error) {
			news, err = c.Watch(ctx, since)
			return err
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.cfg.Log.Warn("watch the supervisor", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		since = news.Version
		for _, o := range news.Targets {
			app, env := SplitKey(o.Key)
			p.cfg.OnChange(app, env)
		}
	}
	return nil
}

// with calls do with a client of a running supervisor, and once more with a new
// one when the supervisor has died.
func (p *Deployer) with(ctx context.Context, do func(*Client) error) error {
	c, err := p.connect(ctx, nil)
	if err != nil {
		return err
	}
	if err = do(c); delivery.KindOf(err) != delivery.Unavailable || ctx.Err() != nil {
		return err
	}
	if c, err = p.connect(ctx, c); err != nil {
		return err
	}
	return do(c)
}

// connect returns the client, or a new one when dead is still the current one.
func (p *Deployer) connect(ctx context.Context, dead *Client) (*Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil && p.client != dead {
		return p.client, nil
	}
	c, err := Ensure(ctx, p.cfg.Supervisor)
	if err != nil {
		return nil, err
	}
	if p.client != nil {
		p.client.Close()
	}
	p.client = c
	return c, nil
}

// wish translates a Desired. The supervisor knows versions with weights, and not
// which one is called canary.
func wish(app, env string, d delivery.Desired) Wish {
	w := Wish{Key: delivery.TargetKey(app, env), Generation: d.Generation, Prepare: preparation(d)}
	if !d.RestartedAt.IsZero() {
		w.RestartedAt = d.RestartedAt.UnixMilli()
	}
	switch {
	case d.Canary == nil && d.Stable == nil:
	case d.Canary == nil || d.Stable != nil && d.Stable.ID == d.Canary.ID:
		w.Versions = []Version{version(*d.Stable, MaxWeight)}
		w.Listen = d.Stable.Config.Listen
	case d.Stable == nil:
		w.Versions = []Version{version(*d.Canary, MaxWeight)}
		w.Listen = d.Canary.Config.Listen
	default:
		w.Versions = []Version{version(*d.Canary, d.Share), version(*d.Stable, MaxWeight-d.Share)}
		w.Listen = d.Stable.Config.Listen
	}
	return w
}

func version(r delivery.Revision, weight int) Version {
	return Version{
		ID: string(r.ID), Weight: weight,
		// Without a host: the registry's address may change, the image does not.
		Image: r.Repository + "@" + string(r.Artifact),
		Config: Config{
			Env: r.Config.Variables, HealthPath: r.Config.Health.Path,
			HealthTimeoutMS: r.Config.Health.Timeout.Std().Milliseconds(), Replicas: r.Config.Replicas,
		},
	}
}

func observed(o Observation, roots diagnose.Roots) delivery.Observed {
	seen := delivery.Observed{Generation: o.Generation, URL: o.URL}
	for _, v := range o.Versions {
		if !v.Wished {
			continue
		}
		seen.Versions = append(seen.Versions, delivery.ObservedVersion{
			Revision: delivery.RevisionID(v.ID), Asked: v.Asked, Effective: int(math.Round(v.Effective)),
			Ready: v.Ready, Total: v.Replicas, Failed: v.GaveUp, Cause: cause(v, roots),
		})
	}
	return seen
}
