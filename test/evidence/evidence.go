//go:build e2e

// Package evidence collects what a real cluster says of apps, beside the product.
package evidence

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/workload"
	"github.com/shiplock/shiplock/internal/kube"
	testkube "github.com/shiplock/shiplock/test/kube"
)

// Sight is what a cluster shows of a namespace, by watches of its own.
type Sight struct {
	namespace   string
	client      *kube.Client
	deployments *kube.Watch[*appsv1.Deployment]
	sets        *kube.Watch[*appsv1.ReplicaSet]
	pods        *kube.Watch[*corev1.Pod]
	events      *kube.Watch[*corev1.Event]

	mu      sync.Mutex
	changed chan struct{} // closed at the next change
}

// Look begins to watch the namespace, until the test ends.
func Look(t testing.TB, n *testkube.Namespace) *Sight {
	t.Helper()
	client, err := kube.Connect(kube.Config{Kubeconfig: n.Kubeconfig, UserAgent: "shiplock-test"})
	if err != nil {
		t.Fatal(err)
	}
	s := &Sight{namespace: n.Name, client: client, changed: make(chan struct{})}
	of := func(resource string) kube.Selected { return kube.Selected{Resource: resource, Namespace: n.Name} }
	ofApps := func(resource string) kube.Selected {
		return kube.Selected{Group: appsv1.SchemeGroupVersion, Resource: resource, Namespace: n.Name}
	}
	s.deployments = kube.NewWatch(client, ofApps("deployments"), &appsv1.Deployment{}, whole, tells[*appsv1.Deployment](s))
	s.sets = kube.NewWatch(client, ofApps("replicasets"), &appsv1.ReplicaSet{}, whole, tells[*appsv1.ReplicaSet](s))
	s.pods = kube.NewWatch(client, of("pods"), &corev1.Pod{}, whole, tells[*corev1.Pod](s))
	s.events = kube.NewWatch(client, of("events"), &corev1.Event{}, whole, tells[*corev1.Event](s))

	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, run := range []func(context.Context){s.deployments.Run, s.sets.Run, s.pods.Run, s.events.Run} {
		all.Go(func() { run(ctx) })
	}
	t.Cleanup(func() { cancel(); all.Wait() })
	return s
}

// whole leaves an object as it is.
func whole[T any](T) {}

func tells[T kube.Object](s *Sight) kube.Changes[T] {
	return func(T, T) {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// Next is closed at the next change.
func (s *Sight) Next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Of is the evidence of an app's Deployment, with the logs that are wanted.
func (s *Sight) Of(ctx context.Context, app, deployment string) workload.Evidence {
	e := workload.Evidence{App: app, Logs: map[workload.Log][]string{}}
	d, ok := s.deployments.Get(s.namespace, deployment)
	if !ok {
		return e
	}
	e.Deployment = d
	selects := labels.SelectorFromSet(d.Spec.Selector.MatchLabels)
	names := map[string]bool{deployment: true}
	for _, r := range s.sets.All() {
		if selects.Matches(labels.Set(r.Labels)) {
			e.ReplicaSets, names[r.Name] = append(e.ReplicaSets, r), true
		}
	}
	for _, p := range s.pods.All() {
		if selects.Matches(labels.Set(p.Labels)) {
			e.Pods, names[p.Name] = append(e.Pods, p), true
		}
	}
	for _, event := range s.events.All() {
		if names[event.InvolvedObject.Name] && (event.Type == corev1.EventTypeWarning || event.Reason == "Killing") {
			e.Events = append(e.Events, event)
		}
	}
	for _, l := range workload.Wanted(e) {
		q := kube.LogQuery{Namespace: s.namespace, Pod: l.Pod, Container: l.Container, Previous: l.Previous, Lines: workload.WantedLines}
		if text, err := s.client.Log(ctx, q); err == nil {
			e.Logs[l] = strings.Split(strings.TrimSpace(string(text)), "\n")
		}
	}
	return e
}

// Await judges a Deployment at every change, and every second since some rules wait for
// nothing else, until seen is content.
func (s *Sight) Await(t testing.TB, app, deployment string, seen func(c *delivery.Cause, failed bool) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last *delivery.Cause
	for ctx.Err() == nil {
		next := s.Next()
		cause, failed := workload.Judge(s.Of(ctx, app, deployment), time.Now())
		if cause != nil && !cause.Same(last) {
			t.Logf("%s (given up %v): %s %q", cause.Code, failed, cause.Text, cause.Evidence)
		}
		if last = cause; seen(cause, failed) {
			return
		}
		select {
		case <-next:
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	t.Fatalf("%s is not what the test waits for; at last %+v", deployment, last)
}

// patience is for a container that is restarted a few times, on a busy machine.
const patience = 4 * time.Minute
