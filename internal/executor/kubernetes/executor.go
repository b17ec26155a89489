package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/pods"
	"github.com/shiplock/shiplock/internal/kube"
)

// Config of an Executor.
type Config struct {
	Cluster *kube.Client
	// Namespace is the one that builds run in, and nothing else.
	Namespace string
	// Installation tells this installation's pods from those of others.
	Installation string
	// PriorityClass of pods; "" is the namespace's default.
	PriorityClass string
	// PullSecrets name Secrets in Namespace that every pod pulls images with.
	PullSecrets []string
	// Image is what a Plan without a build image is built in; "" refuses such Plans.
	Image string
	// Cache is how caches are kept; nil is not at all.
	Cache *Claims
	// Registry is where images with runners are kept.
	Registry Registry
	// WithRunner returns the reference of an image with the runner in it, at
	// RunnerPath. It may take minutes, and is asked for each image once in a while.
	WithRunner func(ctx context.Context, image string) (string, error)
	// Active tells whether the server still counts on an attempt.
	Active func(ctx context.Context, key string) (bool, error)
	// AppThere tells whether there still is an App; nil has the caches of Apps that are no
	// more stay.
	AppThere func(ctx context.Context, app string) (bool, error)
	// OnChange is called, one key at a time, when an attempt's status has changed.
	OnChange func(key string)
	Logger   *slog.Logger
	Now      func() time.Time
}

// RunnerPath is where the runner is in a pod.
const RunnerPath = "/shiplock/shiplock-runner"

// Registry is a registry and how a node reads from it; without a user name it takes the
// PullSecrets for that.
type Registry struct{ Host, Username, Password string }

// Claims is how caches are kept: one volume for each trust domain and Stack.
type Claims struct {
	// StorageClass of the volumes; "" is the cluster's default.
	StorageClass string
	// Size of each volume.
	Size delivery.Quantity
	// Shared volumes can be mounted on several nodes at once (ReadWriteMany). Others
	// bind all builds of a Stack and trust domain to one node.
	Shared bool
}

// Executor starts, observes and stops attempts. Its methods may be called
// concurrently, and by several servers on one namespace.
type Executor struct {
	Config
	pods   *kube.Watch[*corev1.Pod]
	events *kube.Watch[*corev1.Event]
	quotas *kube.Watch[*corev1.ResourceQuota]
	images *images
	// bells ring for attempts to look at, leaving for pods that nobody may count on.
	bells, leaving *bells

	mu sync.Mutex
	// made are pods that the watch has not shown yet, waits are attempts without a pod,
	// which wait for room or for the cluster, and gone are how those ended whose pods are
	// no more.
	made  map[string]*corev1.Pod
	waits map[string]*delivery.Cause
	gone  map[string]ending
	// told is what OnChange was called for last.
	told map[string]delivery.AttemptStatus
	// there are the volumes and Secrets that are known to be there.
	there map[string]bool
	// orphaned are volumes of caches whose Apps are no more, and when that was seen.
	orphaned map[string]time.Time
}

// ending is how an attempt ended, and when that was seen.
type ending struct {
	cause *delivery.Cause
	at    time.Time
}

// New returns an Executor. Run must be called for it to see anything.
func New(c Config) (*Executor, error) {
	if c.Cache != nil {
		if size, err := resource.ParseQuantity(string(c.Cache.Size)); err != nil || size.Sign() <= 0 {
			return nil, delivery.E(delivery.Invalid, fmt.Sprintf("%q is no size of a volume of caches: write an amount such as 20Gi", c.Cache.Size))
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	e := &Executor{
		Config: c, bells: newBells(), leaving: newBells(),
		made: map[string]*corev1.Pod{}, waits: map[string]*delivery.Cause{}, gone: map[string]ending{},
		told: map[string]delivery.AttemptStatus{}, there: map[string]bool{}, orphaned: map[string]time.Time{},
	}
	e.images = newImages(c, func(key string) { e.bells.ring(key) })
	ours := labelInstallation + "=" + c.Installation
	e.pods = kube.NewWatch(c.Cluster, kube.Selected{Resource: "pods", Namespace: c.Namespace, Labels: ours},
		&corev1.Pod{}, leanPod, e.podChanged)
	e.events = kube.NewWatch(c.Cluster, kube.Selected{Resource: "events", Namespace: c.Namespace, Fields: "type=Warning,involvedObject.kind=Pod"},
		&corev1.Event{}, func(*corev1.Event) {}, e.warned)
	e.quotas = kube.NewWatch(c.Cluster, kube.Selected{Resource: "resourcequotas", Namespace: c.Namespace},
		&corev1.ResourceQuota{}, func(*corev1.ResourceQuota) {}, func(_, _ *corev1.ResourceQuota) { e.ringWaiting() })
	e.pods.OnTrouble = e.tell
	return e, nil
}

// leanPod takes out what nobody here looks at.
func leanPod(p *corev1.Pod) {
	for i := range p.Spec.Containers {
		p.Spec.Containers[i].Env, p.Spec.Containers[i].VolumeMounts = nil, nil
	}
	for i, c := range p.Spec.InitContainers {
		p.Spec.InitContainers[i] = corev1.Container{Name: c.Name, Resources: c.Resources}
	}
	p.Spec.Volumes = nil
}

// sweepEvery is how often all pods are looked at: for what changes by time alone, and
// for those that nobody counts on.
const sweepEvery = 10 * time.Second

// removers is how many pods are removed at a time.
const removers = 4

// Run watches, tells of changes and removes pods until ctx ends. Attempts live on.
func (e *Executor) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { e.pods.Run(ctx) })
	wg.Go(func() { e.events.Run(ctx) })
	wg.Go(func() { e.quotas.Run(ctx) })
	wg.Go(func() { e.begin(ctx) })
	wg.Go(func() { e.images.run(ctx) })
	wg.Go(func() { e.sweepCaches(ctx) })
	wg.Go(func() { e.bells.answer(ctx, e.changed) })
	for range removers { // many builds may end at once, and news must not wait for them
		wg.Go(func() { e.leaving.answer(ctx, e.removeIdle) })
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			e.sweep(ctx)
		}
	}
}

// Observe tells what is seen of an attempt.
func (e *Executor) Observe(ctx context.Context, key string) (delivery.AttemptStatus, error) {
	if !e.pods.Synced() {
		return delivery.AttemptStatus{}, e.unseen()
	}
	if s, ok := e.seen(key); ok {
		return s, nil
	}
	// Another server may have made it just now.
	p := named(e.Namespace, key)
	switch err := e.Cluster.Get(ctx, "pods", p); {
	case err == nil && e.owns(p):
		return pods.Attempt(p, e.warnings(p), e.Now()), nil
	case err == nil || delivery.KindOf(err) == delivery.NotFound:
		return e.over(key), nil
	default:
		return delivery.AttemptStatus{}, err
	}
}

func (e *Executor) unseen() error {
	return delivery.E(delivery.Unavailable, "the cluster at "+e.Cluster.Host+" has not shown its pods yet")
}

// seen is the status of an attempt as of what was watched, or done here.
func (e *Executor) seen(key string) (delivery.AttemptStatus, bool) {
	if p, ok := e.pods.Get(e.Namespace, key); ok {
		return pods.Attempt(p, e.warnings(p), e.Now()), true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.made[key]; p != nil {
		return pods.Attempt(p, nil, e.Now()), true
	}
	if end, ok := e.gone[key]; ok {
		return delivery.AttemptStatus{Phase: delivery.AttemptOver, Cause: end.cause}, true
	}
	return delivery.AttemptStatus{}, false
}

// over is the status of an attempt whose pod is not there.
func (e *Executor) over(key string) delivery.AttemptStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	cause := delivery.Because("attempt.deleted", nil)
	return delivery.AttemptStatus{Phase: delivery.AttemptOver, Cause: cmp.Or(e.gone[key].cause, &cause)}
}

func (e *Executor) owns(p *corev1.Pod) bool { return p.Labels[labelInstallation] == e.Installation }

// warnings are those about a pod that the watch has seen.
func (e *Executor) warnings(p *corev1.Pod) []corev1.Event {
	if p.Status.Phase != corev1.PodPending {
		return nil
	}
	var about []corev1.Event
	for _, w := range e.events.All() {
		if w.InvolvedObject.UID == p.UID {
			about = append(about, *w)
		}
	}
	return about
}
