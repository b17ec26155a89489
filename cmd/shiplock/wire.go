package main

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/shiplock/shiplock/internal/auth"
	"github.com/shiplock/shiplock/internal/cache"
	"github.com/shiplock/shiplock/internal/delivery"
	deploy "github.com/shiplock/shiplock/internal/deployer/local"
	"github.com/shiplock/shiplock/internal/engine"
	execpods "github.com/shiplock/shiplock/internal/executor/kubernetes"
	execute "github.com/shiplock/shiplock/internal/executor/local"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/joblog"
	"github.com/shiplock/shiplock/internal/registry"
	"github.com/shiplock/shiplock/internal/seal"
	"github.com/shiplock/shiplock/internal/server"
	"github.com/shiplock/shiplock/internal/store"
)

// instance is one serving process: everything wired, nothing running yet.
type instance struct {
	opts     options
	listener net.Listener
	log      *slog.Logger

	store    *store.Store
	vault    *seal.Vault
	network  *network
	logs     *joblog.Store
	registry *registry.Registry
	// outside is nil with the embedded registry.
	outside  *outside
	images   *image.Client
	executor executor
	// pods is the executor where builds run in pods, and nil where they do not.
	pods     *execpods.Executor
	caches   *cache.Store
	deployer *deploy.Deployer
	// deployers are that one, and those of clusters.
	deployers *deployers
	engine    *engine.Engine
	server    *server.Server
	// reconciler is nil when it is switched off.
	reconciler *engine.Reconciler
	keeper     *auth.Keeper

	url string
	// firstToken and firstPassword are the administrator's, when this start made them.
	firstToken, firstPassword string
	// hookSecret is what forges must know: one secret, or several between spaces.
	hookSecret string
	// pullerSecret opens the embedded registry for the installation itself.
	pullerSecret string
}

// wire opens the data directory and puts the parts together. The caller closes
// the instance.
func wire(ctx context.Context, o options, log *slog.Logger) (_ *instance, err error) {
	in := &instance{opts: o, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.close())
		}
	}()
	if in.opts.data, err = filepath.Abs(o.data); err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	if in.opts.cache, err = filepath.Abs(cmp.Or(o.cache, filepath.Join(o.data, "cache"))); err != nil {
		return nil, fmt.Errorf("find the cache directory: %w", err)
	}
	if err := os.MkdirAll(in.opts.data, 0o700); err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "the data directory cannot be made: choose another with --data", err)
	}
	if err := in.listen(ctx); err != nil {
		return nil, err
	}
	if err := in.open(ctx); err != nil {
		return nil, err
	}
	return in, in.assemble(ctx)
}

func (in *instance) listen(ctx context.Context) error {
	var err error
	if in.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", in.opts.listen); err != nil {
		return delivery.Wrap(delivery.Unavailable, "cannot listen on "+in.opts.listen+": choose another address with --listen", err)
	}
	in.url = cmp.Or(in.opts.url, "http://"+loopback(in.listener.Addr()))
	in.opts.runnerURL = cmp.Or(in.opts.runnerURL, "http://"+loopback(in.listener.Addr()))
	return nil
}

// open opens what is kept on disk. When another server is still believed alive,
// it waits for the end of that one's lease.
func (in *instance) open(ctx context.Context) error {
	var err error
	in.store, err = store.Open(ctx, store.Config{
		Path: in.path("shiplock.db"), URL: in.opts.database, Lease: in.opts.lease, Now: time.Now, NewID: newID,
	})
	if err != nil {
		return err
	}
	if err := in.claimData(ctx); err != nil {
		return err
	}
	if !in.store.Exclusive() {
		in.log.Warn("another server has this data directory; waiting until its lease ends", "lease", in.opts.lease.String())
		if err := in.store.WaitExclusive(ctx); err != nil {
			return err
		}
	}
	if err := in.unlock(ctx); err != nil {
		return err
	}
	if in.logs, err = joblog.Open(joblog.Config{Root: in.path("logs"), Writer: newID(), MaxBytes: int64(in.opts.logLimit) << 20, Now: time.Now}); err != nil {
		return err
	}
	in.registry, err = registry.Open(registry.Config{Dir: in.path("registry"), Authorize: in.authorizeRegistry, Log: in.log})
	return err
}

func (in *instance) path(name string) string { return filepath.Join(in.opts.data, name) }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (in *instance) assemble(ctx context.Context) error {
	if err := in.sealAudit(ctx); err != nil {
		return err
	}
	secret, err := in.secret(ctx, "engine.secret")
	if err != nil {
		return err
	}
	puller, err := in.publishEndpoint(ctx)
	if err != nil {
		return err
	}
	if err := in.identify(ctx); err != nil {
		return err
	}
	hub, err := newForge(in.opts)
	if err != nil {
		return err
	}
	if in.network, err = newNetwork(ctx, in.opts); err != nil {
		return err
	}
	hub.network = in.network
	hooks, err := newHooks(strings.Fields(in.hookSecret))
	if err != nil {
		return err
	}
	in.images = puller.client(filepath.Join(in.opts.cache, "image", "server"))
	if in.opts.registry.external() {
		in.outside = &outside{client: in.images, registry: puller.Registry, store: in.store, log: in.log}
	}
	in.caches = newCaches(in.opts)
	if in.executor, err = in.newExecutor(ctx, puller); err != nil {
		return err
	}
	onChange := func(app, env string) { in.engine.Nudge(delivery.Target{App: app, Env: env}.Ref()) }
	in.deployer = deploy.NewDeployer(deploy.DeployerConfig{
		Supervisor: deploy.EnsureConfig{Dir: in.path("deploy")}, Log: in.log, OnChange: onChange,
	})
	in.deployers = newDeployers(in.deployer, puller.Registry, in.opts.pullSecrets, onChange, in.log)
	in.deployers.vault = in.vault
	jobLogs := logs{in.logs}
	in.engine = engine.New(engine.Config{
		Store: in.store, Executor: in.executor, Deployer: in.deployers, Forge: hub, Chat: in.chat(), Logs: jobLogs, Credentials: in.keeper,
		Images:    images{client: in.images, registry: puller.Registry},
		PublicURL: in.url, RunnerURL: in.opts.runnerURL, Lang: in.opts.lang,
		Registry: puller.Registry, PlainHTTP: puller.PlainHTTP, RegistryCA: puller.CA, Pushes: in.pushes(puller),
		History: hub, BuildsInImages: in.opts.build.executor == inPods,
		Caches: in.buildCaches(), SnapshotLimit: in.caches.SnapshotLimit,
		Credential: hub.credential.forRunner, Vault: in.vault,
		Capacity: in.opts.capacity, LeaseEvery: in.opts.lease / 4, Limits: in.limits(),
		Heartbeat: min(10*time.Second, in.opts.silence/4),
		Secret:    []byte(secret), Now: time.Now, NewID: newID, Log: in.log,
	})
	in.deployers.catalog = in.engine.Catalog
	if in.firstPassword, err = in.engine.FirstUser(ctx, firstUser); err != nil {
		return err
	}
	if in.opts.reconcile > 0 {
		in.reconciler = engine.NewReconciler(in.engine, in.opts.reconcile)
	}
	signOn, signOnName, err := in.signOn(ctx)
	if err != nil {
		return err
	}
	in.server = server.New(server.Config{
		SignOn: signOn, SignOnName: signOnName,
		Reconciler: in.reconciler,
		Engine:     in.engine, Reader: reader{in.store}, Logs: jobLogs, Auth: in.keeper, People: in.store, TrustedProxies: in.opts.proxies,
		Apps:   in.deployers,
		Hooks:  hooks,
		Builds: in.executor, Places: in.opts.capacity, Examiner: examiner{in, puller.Registry},
		Registry: in.served(), PublicURL: in.url, Lang: in.opts.lang, Version: version, Log: in.log, Now: time.Now,
	})
	return nil
}

// firstUser is the first administrator.
const firstUser = "admin"

func (in *instance) limits() delivery.RunLimits {
	l := delivery.DefaultRunLimits()
	l.Silence = in.opts.silence
	if in.opts.build.executor == inPods {
		l.Start = in.opts.build.start
	}
	return l
}

func (in *instance) newExecutor(ctx context.Context, registry endpoint) (executor, error) {
	if in.opts.build.executor == inPods {
		return in.newPodExecutor(ctx, registry)
	}
	return execute.New(execute.Config{
		Dir: in.path("attempts"), CacheDir: in.opts.cache, Runner: []string{in.opts.runner}, Logger: in.log,
		OnExit: func(key string) { in.engine.NudgeAttempt(key) },
	})
}

// identify sets up who may come in: forges by the hook's secret, people by tokens.
func (in *instance) identify(ctx context.Context) (err error) {
	if in.hookSecret = in.opts.hookSecret; in.hookSecret == "" {
		if in.hookSecret, err = in.secret(ctx, "hook.secret"); err != nil {
			return err
		}
	}
	in.keeper = auth.New(auth.Config{Tokens: in.store, Users: in.store, Now: time.Now, NewID: newID})
	if in.opts.adminToken == "" {
		in.firstToken, err = in.keeper.Bootstrap(ctx)
		return err
	}
	err = in.store.AddToken(ctx, delivery.Token{
		ID: newID(), Kind: delivery.TokenAPI, Name: "administrator", Hash: auth.Hash(in.opts.adminToken),
		Grants: delivery.Grants{Admin: true}, CreatedAt: time.Now(),
	})
	if delivery.KindOf(err) == delivery.Conflict {
		return nil // given before
	}
	return err
}

// publishEndpoint writes down how the deployer's supervisor reads images.
func (in *instance) publishEndpoint(ctx context.Context) (e endpoint, err error) {
	if in.opts.registry.external() {
		e, err = in.opts.registry.endpoint()
	} else {
		e, err = in.embedded(ctx)
	}
	if err != nil {
		return e, err
	}
	return e, e.write(in.opts.data)
}

// embedded is the server's own registry, as runners reach it.
func (in *instance) embedded(ctx context.Context) (endpoint, error) {
	password, err := in.secret(ctx, "registry.puller")
	in.pullerSecret = password
	scheme, host, _ := strings.Cut(in.opts.runnerURL, "://")
	return endpoint{
		Registry: host, PlainHTTP: scheme == "http",
		Logins: image.Keys{host: {Username: pullerName, Password: password}},
	}, err
}

const pullerName = "shiplock"

// authorizeRegistry lets a running job push its own image and read, and the
// installation itself do anything.
func (in *instance) authorizeRegistry(r *http.Request, repo string, push bool) error {
	user, password, ok := r.BasicAuth()
	if !ok {
		return delivery.E(delivery.Denied, "log in to the registry")
	}
	if user == pullerName {
		if in.pullerSecret == "" || subtle.ConstantTimeCompare([]byte(password), []byte(in.pullerSecret)) != 1 {
			return delivery.E(delivery.Denied, "the registry's password is wrong")
		}
		return nil
	}
	var err error
	if push {
		err = in.engine.CheckPush(r.Context(), user, password, repo)
	} else {
		err = in.engine.CheckPull(r.Context(), user, password)
	}
	if engine.IsGone(err) || delivery.KindOf(err) == delivery.NotFound {
		return delivery.E(delivery.Denied, "this job is over")
	}
	return err
}

// run serves until ctx ends, the lease is lost, or a part fails.
func (in *instance) run(ctx context.Context) error {
	if err := in.logs.Recover(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return in.server.Serve(ctx, in.listener) })
	g.Go(func() error { return in.executor.Run(ctx) })
	g.Go(func() error { return in.deployer.Run(ctx) })
	g.Go(func() error { return in.deployers.Run(ctx) })
	g.Go(func() error {
		// A job that is started earlier would miss its base image.
		if in.opts.registry.external() {
			in.seedBeside(ctx, g)
		} else {
			in.seed(ctx)
		}
		return in.engine.Run(ctx)
	})
	g.Go(func() error { return in.keeper.Run(ctx, in.log) })
	g.Go(func() error { return in.retain(ctx) })
	g.Go(func() error { return in.rewrapSecrets(ctx) })
	g.Go(func() error { return in.network.proxy.Run(ctx) })
	g.Go(func() error { return in.sweepCaches(ctx) })
	if in.reconciler != nil {
		g.Go(func() error { return in.reconciler.Run(ctx) })
	}
	return g.Wait()
}

// close gives the data directory back; it is safe on a half-made instance.
func (in *instance) close() error {
	var errs []error
	if in.listener != nil {
		if err := in.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if in.network != nil {
		if err := in.network.proxy.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if in.registry != nil {
		errs = append(errs, in.registry.Close())
	}
	if in.logs != nil {
		errs = append(errs, in.logs.Close())
	}
	if in.store != nil {
		errs = append(errs, in.store.Close())
	}
	return errors.Join(errs...)
}
