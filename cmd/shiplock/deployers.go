package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	kubedeploy "github.com/shiplock/shiplock/internal/deployer/kubernetes"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/manifest"
	"github.com/shiplock/shiplock/internal/seal"
	"github.com/shiplock/shiplock/internal/server"
)

// deployers gives each Target to the deployer of its Environment: to that of this machine,
// or to the one of its namespace in a cluster.
type deployers struct {
	local deployer
	// registry is what nodes pull from.
	registry string
	// pullSecrets name Secrets in the namespaces of Environments.
	pullSecrets []string
	catalog     func(context.Context) (*catalog.Set, error)
	onChange    func(app, env string)
	log         *slog.Logger
	// vault holds the kubeconfigs that are secrets.
	vault *seal.Vault

	started chan *space // taken by Run

	mu     sync.Mutex
	spaces map[string]*space // by Environment
}

// deployer is one that people can ask as well.
type deployer interface {
	engine.Deployer
	server.Apps
}

// space is an Environment's part of a cluster.
type space struct {
	is       spaceKey
	deployer *kubedeploy.Deployer
	ended    chan struct{} // closed when another one has taken its place
}

// spaceKey is all that a space is made from.
type spaceKey struct {
	cluster   delivery.Cluster
	namespace string
	heal      bool
	// kubeconfig is the content, where it is a secret.
	kubeconfig string
}

// toolsImage has what writes out the log files of apps. The tag stays: another reference
// would replace all pods.
const toolsImage = "shiplock/web:1"

func newDeployers(local deployer, registry string, pullSecrets []string, onChange func(app, env string), log *slog.Logger) *deployers {
	return &deployers{local: local, registry: registry, pullSecrets: pullSecrets, onChange: onChange, log: log, started: make(chan *space, 16), spaces: map[string]*space{}}
}

// Apply implements engine.Deployer.
func (d *deployers) Apply(ctx context.Context, app, env string, wish delivery.Desired) error {
	set, err := d.catalog(ctx)
	if err != nil {
		return err
	}
	if _, ok := set.Environments[env]; !ok {
		return delivery.E(delivery.Unavailable, fmt.Sprintf("the environment %s is no longer in the catalog, so nobody knows in which cluster it is: apply its document", env))
	}
	to, err := d.of(ctx, env)
	if err != nil {
		return err
	}
	return to.Apply(ctx, app, env, wish)
}

// Observe implements engine.Deployer.
func (d *deployers) Observe(ctx context.Context, app, env string, wish delivery.Desired) (delivery.Observed, error) {
	from, err := d.of(ctx, env)
	if err != nil {
		return delivery.Observed{}, err
	}
	return from.Observe(ctx, app, env, wish)
}

// Preview implements server.Apps.
func (d *deployers) Preview(ctx context.Context, app, env string, wish delivery.Desired) (delivery.Preview, error) {
	from, err := d.of(ctx, env)
	if err != nil {
		return delivery.Preview{}, err
	}
	return from.Preview(ctx, app, env, wish)
}

// ReadLog implements server.Apps.
func (d *deployers) ReadLog(ctx context.Context, app, env string, q delivery.AppLogQuery, hand func(delivery.AppLine) error) error {
	from, err := d.of(ctx, env)
	if err != nil {
		return err
	}
	return from.ReadLog(ctx, app, env, q, hand)
}

// Run watches the clusters of all Environments until ctx ends.
func (d *deployers) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.lookAhead(ctx) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-d.started:
			wg.Go(func() { s.run(ctx) })
		}
	}
}

// run watches until ctx ends, or another space has taken its place.
func (s *space) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer cancel()
		select {
		case <-s.ended:
		case <-ctx.Done():
		}
	})
	s.deployer.Run(ctx)
	cancel()
}

// lookAhead opens what the catalog has, so that what changed there while no server ran is
// seen without anybody asking.
func (d *deployers) lookAhead(ctx context.Context) {
	const patience = time.Second
	for ctx.Err() == nil {
		set, err := d.catalog(ctx)
		if err == nil {
			for name := range set.Environments {
				if _, err := d.of(ctx, name); err != nil && ctx.Err() == nil {
					d.log.Warn("open the cluster of an environment", "env", name, "err", err)
				}
			}
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(patience):
		}
	}
}

// of returns the deployer of an Environment.
func (d *deployers) of(ctx context.Context, env string) (deployer, error) {
	set, err := d.catalog(ctx)
	if err != nil {
		return nil, err
	}
	e := set.Environments[env] // on this machine Apps outlive their Environment's document
	if e.Cluster == "" {
		return d.local, nil
	}
	cluster, ok := set.Clusters[e.Cluster]
	if !ok {
		return nil, delivery.E(delivery.Unavailable, fmt.Sprintf("there is no Cluster %q, which the environment %s is in: apply its document", e.Cluster, env))
	}
	content, err := kubeconfig(ctx, d.vault, cluster)
	if err != nil {
		return nil, err
	}
	return d.open(env, spaceKey{cluster, e.Namespace, e.Drift == delivery.DriftHeal, string(content)})
}

func (d *deployers) open(env string, key spaceKey) (deployer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.spaces[env]
	if old != nil && old.is == key {
		return old.deployer, nil
	}
	client, err := connect(key.cluster, []byte(key.kubeconfig))
	if err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "connect to the cluster "+key.cluster.Name, err)
	}
	s := &space{is: key, ended: make(chan struct{}), deployer: kubedeploy.New(kubedeploy.Config{
		Cluster: client, Name: key.cluster.Name, Env: env, Heal: key.heal,
		Place: manifest.Place{
			Namespace: key.namespace, Registry: d.registry, PullSecrets: d.pullSecrets, Tools: d.registry + "/" + toolsImage,
		},
		OnChange: d.onChange, Log: d.log, Now: time.Now,
	})}
	select {
	case d.started <- s:
	default:
		return nil, delivery.E(delivery.Unavailable, "too many clusters are being opened at once: this is tried again")
	}
	if old != nil {
		close(old.ended)
	}
	d.spaces[env] = s
	return s.deployer, nil
}
