package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	execute "github.com/shiplock/shiplock/internal/executor/kubernetes"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/server"
)

// executor runs builds, until it is told to end.
type executor interface {
	engine.Executor
	server.Builds
	Run(ctx context.Context) error
}

const (
	onThisMachine = "local"
	inPods        = "kubernetes"
)

// buildOptions are where and how builds run.
type buildOptions struct {
	executor                string // onThisMachine or inPods
	kubeconfig, kubeContext string
	namespace               string
	priorityClass           string
	pullSecrets             []string
	image                   string
	// start limits how long a build may wait for its pod to run.
	start time.Duration
	// cacheSize is of each volume of caches; "" keeps none.
	cacheSize, cacheClass string
	cacheShared           bool
}

func (o *buildOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.executor, "executor", onThisMachine, "where builds run: local, as processes of this machine, for trusted code; or kubernetes, in pods")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster that builds run in (default: the cluster that this server runs in)")
	f.StringVar(&o.kubeContext, "kube-context", "", "context of the kubeconfig (default: its current one)")
	f.StringVar(&o.namespace, "build-namespace", "shiplock-builds", "namespace of builds, and of nothing else")
	f.StringVar(&o.priorityClass, "build-priority-class", "shiplock-build", "PriorityClass of builds; empty is the cluster's default")
	f.StringSliceVar(&o.pullSecrets, "build-pull-secret", nil, "Secret in the builds' namespace that every build pulls images with; may be repeated")
	f.StringVar(&o.image, "build-image", "", "image of builds whose Stack names none")
	f.DurationVar(&o.start, "build-start", 10*time.Minute, "how long a build may wait for its pod to run before it is given up")
	f.StringVar(&o.cacheSize, "build-cache-size", "20Gi", "size of each volume of caches, one for each trust domain and Stack; empty keeps no caches")
	f.StringVar(&o.cacheClass, "build-cache-class", "", "StorageClass of the volumes of caches (default: the cluster's)")
	f.BoolVar(&o.cacheShared, "build-cache-shared", false, "the volumes of caches can be mounted on several nodes at once (ReadWriteMany)")
}

func (o *buildOptions) check(runnerURL string) error {
	if o.executor == onThisMachine {
		return nil
	}
	if o.executor != inPods {
		return delivery.E(delivery.Invalid, fmt.Sprintf("--executor is local or kubernetes, not %q", o.executor))
	}
	u, err := url.Parse(runnerURL)
	if ip := net.ParseIP(u.Hostname()); err != nil || u.Hostname() == "" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return delivery.E(delivery.Invalid, "builds in pods need --runner-url: the address by which a pod reaches this server")
	}
	if o.start < 10*time.Second {
		return delivery.E(delivery.Invalid, "--build-start must be at least 10s")
	}
	return nil
}

// newPodExecutor runs builds in pods.
func (in *instance) newPodExecutor(ctx context.Context, registry endpoint) (executor, error) {
	o := in.opts.build
	cluster, err := kube.Connect(kube.Config{Kubeconfig: o.kubeconfig, Context: o.kubeContext, UserAgent: "shiplock/" + version})
	if err != nil {
		return nil, err
	}
	installation, err := in.secret(ctx, "installation.id")
	if err != nil {
		return nil, err
	}
	layer, err := in.runnerLayer()
	if err != nil {
		return nil, err
	}
	c := execute.Config{
		Cluster: cluster, Namespace: o.namespace, Installation: installation[:16],
		PriorityClass: o.priorityClass, PullSecrets: o.pullSecrets, Image: o.image, Logger: in.log, Now: time.Now,
		WithRunner: withRunner(registry, layer),
		Active:     func(ctx context.Context, key string) (bool, error) { return in.engine.AttemptActive(ctx, key) },
		AppThere:   func(ctx context.Context, app string) (bool, error) { return in.engine.AppThere(ctx, app) },
		OnChange:   func(key string) { in.engine.NudgeAttempt(key) },
	}
	if !in.opts.registry.external() { // nodes have their own way to another one
		_, login := registry.Logins.For(registry.Registry)
		c.Registry = execute.Registry{Host: registry.Registry, Username: login.Username, Password: login.Password}
	}
	if o.cacheSize != "" {
		c.Cache = &execute.Claims{Size: delivery.Quantity(o.cacheSize), StorageClass: o.cacheClass, Shared: o.cacheShared}
	}
	in.pods, err = execute.New(c)
	return in.pods, err
}

// withRunner gives an image the layer with the runner, in our registry.
func withRunner(registry endpoint, layer string) func(context.Context, string) (string, error) {
	client := registry.client("")
	return func(ctx context.Context, base string) (string, error) {
		tag := delivery.HashJSON(base)[len("sha256:"):][:16] // keeps what is in use from being collected
		r, err := client.Build(ctx, image.Spec{
			Base: base, Dir: layer, Into: filepath.Dir(execute.RunnerPath),
			Dest: registry.Registry + "/shiplock/builders:" + string(tag),
		})
		return r.Ref, err
	}
}

// runnerLayer makes a folder with the runner and nothing else.
func (in *instance) runnerLayer() (string, error) {
	dir := in.path("runner")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for the runner: %w", err)
	}
	from, err := os.Open(in.opts.runner)
	if err != nil {
		return "", fmt.Errorf("read the runner: %w", err)
	}
	defer func() { _ = from.Close() }() // it was only read
	path := filepath.Join(dir, filepath.Base(execute.RunnerPath))
	to, err := os.CreateTemp(in.opts.data, "runner-*")
	if err != nil {
		return "", fmt.Errorf("copy the runner: %w", err)
	}
	_, err = io.Copy(to, from)
	for _, next := range []func() error{
		to.Close,
		func() error { return os.Chmod(to.Name(), 0o755) },
		func() error { return os.Rename(to.Name(), path) },
	} {
		if err == nil {
			err = next()
		}
	}
	if err != nil {
		_ = os.Remove(to.Name()) // it is of no use
		return "", fmt.Errorf("copy the runner: %w", err)
	}
	return dir, nil
}
