package kubernetes

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

// labelApp is on all that is of an App. The label app is not on the pods of Jobs, which
// are no instances.
const labelApp = "app.kubernetes.io/name"

// watches see what Apps have in the namespace.
type watches struct {
	deployments *kube.Watch[*appsv1.Deployment]
	replicaSets *kube.Watch[*appsv1.ReplicaSet]
	pods        *kube.Watch[*corev1.Pod]
	services    *kube.Watch[*corev1.Service]
	endpoints   *kube.Watch[*discoveryv1.EndpointSlice]
	configs     *kube.Watch[*corev1.ConfigMap]
	scalers     *kube.Watch[*autoscalingv2.HorizontalPodAutoscaler]
	budgets     *kube.Watch[*policyv1.PodDisruptionBudget]
	ingresses   *kube.Watch[*networkingv1.Ingress]
	jobs        *kube.Watch[*batchv1.Job]
	// warnings, and the ends that kubelets give to containers, are events by the name of
	// the object that they are about.
	warnings, killings *kube.Watch[*corev1.Event]

	// What follows is only of Apps that bring manifests of their own. A server whose rights
	// are from before there were any works on for the others.
	cronJobs *kube.Watch[*batchv1.CronJob]
	policies *kube.Watch[*networkingv1.NetworkPolicy]
	accounts *kube.Watch[*corev1.ServiceAccount]
	claims   *kube.Watch[*corev1.PersistentVolumeClaim]
}

// watch is what all of them have in common.
type watch interface {
	Run(ctx context.Context)
	InSync() <-chan struct{}
	Trouble() error
}

func (w *watches) all() []watch {
	return []watch{w.deployments, w.replicaSets, w.pods, w.services, w.endpoints, w.configs, w.scalers, w.budgets, w.ingresses, w.jobs, w.warnings, w.killings}
}

// extra are those without which most Apps do, by the kinds that they see.
func (w *watches) extra() map[string]watch {
	return map[string]watch{"CronJob": w.cronJobs, "NetworkPolicy": w.policies, "ServiceAccount": w.accounts, "PersistentVolumeClaim": w.claims}
}

func (w *watches) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, one := range slices.Concat(w.all(), slices.Collect(maps.Values(w.extra()))) {
		wg.Go(func() { one.Run(ctx) })
	}
	wg.Wait()
}

// trouble is why the watches see nothing; nil when they do.
func (w *watches) trouble() error {
	for _, one := range w.all() {
		if err := one.Trouble(); err != nil {
			return err
		}
	}
	return nil
}

// firstLook is how long a caller waits for the first sight of a namespace.
const firstLook = 5 * time.Second

// synced waits until all watches have seen what is there, and is false when that takes
// too long.
func (w *watches) synced(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	for _, one := range w.all() {
		select {
		case <-one.InSync():
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// changes are told what the watches have seen.
type changes struct {
	// changed is called with the App that something of has changed.
	changed func(app string)
	// gone is called before that with an object that was removed.
	gone func(o kube.Object)
}

// newWatches prepares them.
func newWatches(c *kube.Client, namespace string, told changes) *watches {
	w := &watches{}
	w.deployments = ofApps(c, namespace, "apps", "v1", "deployments", &appsv1.Deployment{}, told)
	w.replicaSets = ofApps(c, namespace, "apps", "v1", "replicasets", &appsv1.ReplicaSet{}, told)
	w.pods = ofApps(c, namespace, "", "v1", "pods", &corev1.Pod{}, told)
	w.services = ofApps(c, namespace, "", "v1", "services", &corev1.Service{}, told)
	w.endpoints = ofApps(c, namespace, "discovery.k8s.io", "v1", "endpointslices", &discoveryv1.EndpointSlice{}, told)
	w.configs = ofApps(c, namespace, "", "v1", "configmaps", &corev1.ConfigMap{}, told)
	w.scalers = ofApps(c, namespace, "autoscaling", "v2", "horizontalpodautoscalers", &autoscalingv2.HorizontalPodAutoscaler{}, told)
	w.budgets = ofApps(c, namespace, "policy", "v1", "poddisruptionbudgets", &policyv1.PodDisruptionBudget{}, told)
	w.ingresses = ofApps(c, namespace, "networking.k8s.io", "v1", "ingresses", &networkingv1.Ingress{}, told)
	w.jobs = ofApps(c, namespace, "batch", "v1", "jobs", &batchv1.Job{}, told)
	w.cronJobs = ofApps(c, namespace, "batch", "v1", "cronjobs", &batchv1.CronJob{}, told)
	w.policies = ofApps(c, namespace, "networking.k8s.io", "v1", "networkpolicies", &networkingv1.NetworkPolicy{}, told)
	w.accounts = ofApps(c, namespace, "", "v1", "serviceaccounts", &corev1.ServiceAccount{}, told)
	w.claims = ofApps(c, namespace, "", "v1", "persistentvolumeclaims", &corev1.PersistentVolumeClaim{}, told)
	w.warnings = w.ofEvents(c, namespace, "type=Warning", told)
	w.killings = w.ofEvents(c, namespace, "reason=Killing", told)
	return w
}

func (w *watches) ofEvents(c *kube.Client, namespace, fields string, told changes) *kube.Watch[*corev1.Event] {
	return kube.NewWatch(c, kube.Selected{
		Resource: "events", Namespace: namespace, Fields: fields,
		Index: func(o kube.Object) string { return o.(*corev1.Event).InvolvedObject.Name },
	}, &corev1.Event{}, func(*corev1.Event) {}, func(_, now *corev1.Event) {
		if now != nil {
			if app := w.appOf(now.InvolvedObject); app != "" {
				told.changed(app)
			}
		}
	})
}

// ofApps watches the objects of one kind that are ours.
func ofApps[T kube.Object](c *kube.Client, namespace, group, version, resource string, like T, told changes) *kube.Watch[T] {
	var none T
	label := func(o kube.Object) string { return o.GetLabels()[labelApp] }
	return kube.NewWatch(c, kube.Selected{
		Group: in(group, version, "").GroupVersion(), Resource: resource, Namespace: namespace,
		Labels: "app.kubernetes.io/managed-by=" + manifest.ManagedBy, Index: label,
	}, like, func(T) {}, func(before, now T) {
		o := now
		if any(now) == any(none) {
			o = before
			told.gone(o)
		}
		told.changed(label(o))
	})
}

// appOf finds the App that an event's object is of, "" when it is none of ours.
func (w *watches) appOf(o corev1.ObjectReference) string {
	switch o.Kind {
	case "Pod":
		return labelOf(w.pods.Get(o.Namespace, o.Name))
	case "ReplicaSet":
		return labelOf(w.replicaSets.Get(o.Namespace, o.Name))
	case "Deployment":
		return labelOf(w.deployments.Get(o.Namespace, o.Name))
	case "Job":
		return labelOf(w.jobs.Get(o.Namespace, o.Name))
	case "HorizontalPodAutoscaler":
		return labelOf(w.scalers.Get(o.Namespace, o.Name))
	}
	return ""
}

func labelOf[T kube.Object](o T, ok bool) string {
	if !ok {
		return ""
	}
	return o.GetLabels()[labelApp]
}
