package kubernetes

import (
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

// live is what the cluster has of a Target, as the watches have seen it. Nothing of it
// may be changed.
type live struct {
	app            string
	stable, canary *appsv1.Deployment
	service        *corev1.Service
	replicaSets    []*appsv1.ReplicaSet
	pods           []*corev1.Pod
	endpoints      []*discoveryv1.EndpointSlice
	// jobs are the commands before releases.
	jobs []*batchv1.Job
	// others are the rest: settings, autoscalers, budgets, ingresses, and what the App brings.
	others []kube.Object
}

func (w *watches) live(namespace, app string) live {
	l := live{app: app, replicaSets: w.replicaSets.Of(app), pods: w.pods.Of(app), endpoints: w.endpoints.Of(app)}
	if d, ok := w.deployments.Get(namespace, app); ok {
		l.stable = d
	}
	if d, ok := w.deployments.Get(namespace, manifest.CanaryName(app)); ok {
		l.canary = d
	}
	if s, ok := w.services.Get(namespace, app); ok {
		l.service = s
	}
	l.jobs = w.jobs.Of(app)
	l.others = appendAll(l.others, w.configs.Of(app))
	l.others = appendAll(l.others, w.scalers.Of(app))
	l.others = appendAll(l.others, w.budgets.Of(app))
	l.others = appendAll(l.others, w.ingresses.Of(app))
	l.others = appendAll(l.others, w.cronJobs.Of(app))
	l.others = appendAll(l.others, w.policies.Of(app))
	l.others = appendAll(l.others, w.accounts.Of(app))
	l.others = appendAll(l.others, w.claims.Of(app))
	for _, s := range w.services.Of(app) {
		if s.Name != app {
			l.others = append(l.others, s)
		}
	}
	return l
}

func appendAll[T kube.Object](to []kube.Object, all []T) []kube.Object {
	for _, o := range all {
		to = append(to, o)
	}
	return to
}

// generation is the highest that something of the Target was applied for.
func (l live) generation() int64 {
	highest := int64(0)
	for _, o := range l.objects() {
		g, err := strconv.ParseInt(o.GetAnnotations()[manifest.AnnotationGeneration], 10, 64)
		if err == nil {
			highest = max(highest, g)
		}
	}
	return highest
}

// objects are all that we may have applied.
func (l live) objects() []kube.Object {
	all := appendAll(slices.Clone(l.others), l.jobs)
	if l.stable != nil {
		all = append(all, l.stable)
	}
	if l.canary != nil {
		all = append(all, l.canary)
	}
	if l.service != nil {
		all = append(all, l.service)
	}
	return all
}

// halves is what decides about the next step of a release.
func (l live) halves(r delivery.ReleaseID) manifest.Live {
	h := manifest.Live{Stable: l.half(l.stable), Canary: l.half(l.canary)}
	if j := l.job(r); j != nil {
		h.Prepared = j.Status.Succeeded > 0
	}
	if l.service != nil {
		h.Serving, h.Serve = true, manifest.Track(l.service.Spec.Selector[manifest.LabelTrack])
	}
	return h
}

// job is the command before a release; nil when there is none yet.
func (l live) job(r delivery.ReleaseID) *batchv1.Job {
	for _, j := range l.jobs {
		if r != "" && j.Annotations[manifest.AnnotationRelease] == string(r) {
			return j
		}
	}
	return nil
}

func (l live) half(d *appsv1.Deployment) *manifest.LiveHalf {
	if d == nil {
		return nil
	}
	asked := replicas(d)
	ready := len(l.ready(d))
	return &manifest.LiveHalf{
		Revision: revisionOf(d), Replicas: asked, Ready: ready, Answering: l.answering(d),
		Complete: ready >= asked && d.Status.ObservedGeneration >= d.Generation && d.Status.Replicas == d.Status.UpdatedReplicas && d.Status.UpdatedReplicas >= int32(asked),
	}
}

// answering counts the pods of a Deployment that could take traffic, whatever their
// template.
func (l live) answering(d *appsv1.Deployment) (n int) {
	for _, p := range l.pods {
		if p.Labels[manifest.LabelTrack] == string(trackOf(d)) && isReady(p) && p.DeletionTimestamp == nil {
			n++
		}
	}
	return n
}

func replicas(d *appsv1.Deployment) int {
	if d.Spec.Replicas == nil {
		return 1
	}
	return int(*d.Spec.Replicas)
}

func revisionOf(d *appsv1.Deployment) delivery.RevisionID {
	return delivery.RevisionID(d.Spec.Template.Annotations[manifest.AnnotationRevision])
}

func trackOf(d *appsv1.Deployment) manifest.Track {
	return manifest.Track(d.Spec.Template.Labels[manifest.LabelTrack])
}

// newest is the ReplicaSet of a Deployment's newest template; nil while its controller
// has not looked at that yet.
func (l live) newest(d *appsv1.Deployment) *appsv1.ReplicaSet {
	const number = "deployment.kubernetes.io/revision"
	if d.Status.ObservedGeneration < d.Generation {
		return nil
	}
	for _, rs := range l.replicaSets {
		if owned(rs, d) && rs.Annotations[number] == d.Annotations[number] {
			return rs
		}
	}
	return nil
}

func owned(o, by kube.Object) bool {
	for _, owner := range o.GetOwnerReferences() {
		if owner.UID == by.GetUID() {
			return true
		}
	}
	return false
}

// podsOf are the pods of a Deployment's newest template that are not on their way out.
func (l live) podsOf(d *appsv1.Deployment) []*corev1.Pod {
	rs := l.newest(d)
	if rs == nil {
		return nil
	}
	var all []*corev1.Pod
	for _, p := range l.pods {
		if owned(p, rs) && p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded {
			all = append(all, p)
		}
	}
	return all
}

// ready are those of them that take traffic, or would if the Service pointed to them.
func (l live) ready(d *appsv1.Deployment) []*corev1.Pod {
	serving := l.service != nil && selects(l.service, d)
	var all []*corev1.Pod
	for _, p := range l.podsOf(d) {
		if isReady(p) && (!serving || l.endpoint(p)) {
			all = append(all, p)
		}
	}
	return all
}

func selects(s *corev1.Service, d *appsv1.Deployment) bool {
	t := manifest.Track(s.Spec.Selector[manifest.LabelTrack])
	return t == manifest.TrackBoth || t == trackOf(d)
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// endpoint tells whether a pod is one that the Service sends traffic to.
func (l live) endpoint(p *corev1.Pod) bool {
	for _, slice := range l.endpoints {
		for _, e := range slice.Endpoints {
			if e.TargetRef != nil && e.TargetRef.UID == p.UID && (e.Conditions.Ready == nil || *e.Conditions.Ready) {
				return true
			}
		}
	}
	return false
}

// left counts the pods of a revision that no Deployment asks for any more.
func (l live) left(short string) (ready, total int) {
	for _, p := range l.pods {
		if p.Labels[manifest.LabelRevision] != short || p.DeletionTimestamp != nil {
			continue
		}
		total++
		if isReady(p) {
			ready++
		}
	}
	return ready, total
}

// shares counts the pods that take traffic, by the short name of their revision.
func (l live) shares() (by map[string]int, total int) {
	by = map[string]int{}
	for _, p := range l.pods {
		if l.endpoint(p) {
			by[p.Labels[manifest.LabelRevision]]++
			total++
		}
	}
	return by, total
}
