package kubernetes

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

// annotationApplied is a hash of what was applied, but for what changes by itself.
const annotationApplied = "shiplock.dev/applied"

// plan is a step: how a Target is to be now, held against what is there.
type plan struct {
	live    live
	shape   manifest.Shape
	objects []object
	// surplus are objects of ours that the step does without.
	surplus []kube.Object
	heal    bool
}

// object is one that is to be there.
type object struct {
	kind
	want *unstructured.Unstructured
	// have is what is there, nil when nothing is, and version its resource version.
	have    map[string]any
	version string
	// applied says that this very content was applied before: then what differs was changed
	// by somebody else.
	applied bool
	differs []difference
	// foreign are labels that somebody has added to a Service's selector, which then
	// selects less.
	foreign []string
	// scaled says that an autoscaler has the number of pods.
	scaled bool
}

func newPlan(l live, shape manifest.Shape, rendered []manifest.Object, heal bool) (plan, error) {
	p := plan{live: l, shape: shape, heal: heal}
	there := map[string]kube.Object{}
	for _, o := range l.objects() {
		there[id(kindName(o), o.GetName())] = o
	}
	for _, want := range rendered {
		o, err := newObject(want, there, scaled(rendered, want))
		if err != nil {
			return plan{}, err
		}
		p.objects = append(p.objects, o)
		delete(there, id(o.want.GetKind(), o.want.GetName()))
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if o := there[name]; !p.keeps(o) {
			p.surplus = append(p.surplus, o)
		}
	}
	return p, nil
}

// scaled tells whether there is an autoscaler for an object among all.
func scaled(all []manifest.Object, o manifest.Object) bool {
	return o.GetKind() == "Deployment" && slices.ContainsFunc(all, func(other manifest.Object) bool {
		return other.GetKind() == "HorizontalPodAutoscaler" && other.GetName() == o.GetName()
	})
}

func id(kind, name string) string { return kind + "/" + name }

func newObject(want manifest.Object, there map[string]kube.Object, scaled bool) (o object, err error) {
	o.want, o.scaled = want, scaled
	if o.kind, err = kindOf(want.GetKind()); err != nil {
		return object{}, err
	}
	generation := o.annotate(manifest.AnnotationGeneration, "")
	o.annotate(annotationApplied, "")
	hash := o.hash()
	have, ok := there[id(o.want.GetKind(), o.want.GetName())]
	if ok {
		if o.have, err = runtime.DefaultUnstructuredConverter.ToUnstructured(have); err != nil {
			return object{}, delivery.Wrap(delivery.Internal, "read an object", err)
		}
		o.version = have.GetResourceVersion()
		o.applied = have.GetAnnotations()[annotationApplied] == hash
		// What is watched does not say what it is.
		o.have["apiVersion"], o.have["kind"] = want.GetAPIVersion(), want.GetKind()
		o.differs = differences(want.Object, o.have)
		o.foreign = foreign(want, o.have)
	}
	o.annotate(manifest.AnnotationGeneration, generation)
	o.annotate(annotationApplied, hash)
	return o, nil
}

// annotate sets an annotation, or takes it away, and returns what it was.
func (o object) annotate(name, value string) (before string) {
	all := o.want.GetAnnotations()
	if all == nil {
		all = map[string]string{}
	}
	before = all[name]
	if all[name] = value; value == "" {
		delete(all, name)
	}
	o.want.SetAnnotations(all)
	return before
}

// hash names the content of an object. How many pods an autoscaler has asked for is no
// part of it.
func (o object) hash() string {
	content := o.want.DeepCopy().Object
	if o.scaled {
		unstructured.RemoveNestedField(content, "spec", "replicas")
	}
	return string(delivery.HashJSON(content))[len("sha256:"):][:16]
}

// missing tells whether the object is to be made; stale whether it was applied for
// another step; drifted what others changed, by whether it decides about traffic.
func (o object) missing() bool { return o.have == nil && o.watched }
func (o object) stale() bool   { return o.have != nil && !o.applied }

func (o object) drifted() (traffic, rest []difference) {
	if !o.applied {
		return nil, nil
	}
	for _, d := range o.differs {
		if o.decides(d.path) {
			traffic = append(traffic, d)
		} else {
			rest = append(rest, d)
		}
	}
	return traffic, rest
}

// foreign lists what a Service's selector has beyond what is wanted.
func foreign(want manifest.Object, have map[string]any) []string {
	if want.GetKind() != "Service" {
		return nil
	}
	asked, _, _ := unstructured.NestedStringMap(want.Object, "spec", "selector")
	there, _, _ := unstructured.NestedStringMap(have, "spec", "selector")
	maps.DeleteFunc(there, func(name, _ string) bool { _, ok := asked[name]; return ok })
	return slices.Sorted(maps.Keys(there))
}

// decides tells whether a field says which version serves, and how much of it is there.
func (o object) decides(path string) bool {
	switch o.want.GetKind() {
	case "Service":
		return strings.HasPrefix(path, ".spec")
	case "Deployment":
		return path == ".spec.replicas" || strings.HasPrefix(path, ".spec.template.metadata") || strings.HasSuffix(path, ".image")
	}
	return false
}

// once tells whether the object is made and never changed: a command runs once.
func (o object) once() bool { return o.want.GetKind() == "Job" }

// due tells whether the object is to be written.
func (o object) due(heal bool) bool {
	if o.once() {
		return o.missing()
	}
	traffic, rest := o.drifted()
	return o.missing() || o.stale() || len(traffic) > 0 || len(o.foreign) > 0 || heal && len(rest) > 0
}

// behind tells whether there is something to write or to remove.
func (p plan) behind() bool {
	return len(p.surplus) > 0 || slices.ContainsFunc(p.objects, func(o object) bool { return o.due(p.heal) })
}

// drift is what others have changed, and is left so.
func (p plan) drift() []delivery.Drift {
	var all []delivery.Drift
	for _, o := range p.objects {
		if o.due(p.heal) {
			continue
		}
		_, rest := o.drifted()
		if o.once() {
			continue
		}
		for _, d := range rest {
			all = append(all, delivery.Drift{
				Object: id(o.want.GetKind(), o.want.GetName()), Field: d.path, Want: shown(d.path, d.want), Have: shown(d.path, d.have),
			})
		}
	}
	return all
}

// keeps tells whether an object that the step does not render is still needed.
func (p plan) keeps(o kube.Object) bool {
	if o.GetDeletionTimestamp() != nil {
		return true // on its way out already
	}
	if job, ok := o.(*batchv1.Job); ok { // the newest one stays, for people to look at
		return p.shape.Prepare == "" || job.Annotations[manifest.AnnotationRelease] == string(p.shape.Prepare)
	}
	switch o := o.(type) {
	case *corev1.ConfigMap:
		return p.uses(func(s corev1.PodSpec) bool { return refersTo(s, o.Name) })
	case *corev1.ServiceAccount:
		return p.uses(func(s corev1.PodSpec) bool { return s.ServiceAccountName == o.Name })
	case *corev1.PersistentVolumeClaim:
		return true // what it holds is for people to remove
	}
	return p.shape.KeepCanary && strings.HasPrefix(o.GetName(), manifest.CanaryName(p.live.app))
}

// uses tells whether a pod that is there is such a one.
func (p plan) uses(such func(corev1.PodSpec) bool) bool {
	return slices.ContainsFunc(p.live.pods, func(pod *corev1.Pod) bool { return such(pod.Spec) })
}

// refersTo tells whether a pod has something of a ConfigMap, as files or as variables.
func refersTo(s corev1.PodSpec, config string) bool {
	for _, v := range s.Volumes {
		if v.ConfigMap != nil && v.ConfigMap.Name == config {
			return true
		}
	}
	for _, c := range slices.Concat(s.InitContainers, s.Containers) {
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil && from.ConfigMapRef.Name == config {
				return true
			}
		}
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil && e.ValueFrom.ConfigMapKeyRef.Name == config {
				return true
			}
		}
	}
	return false
}

// kindName is the kind of an object that a watch has seen, which does not say it.
func kindName(o kube.Object) string {
	switch o.(type) {
	case *appsv1.Deployment:
		return "Deployment"
	case *corev1.Service:
		return "Service"
	case *batchv1.Job:
		return "Job"
	case *corev1.ConfigMap:
		return "ConfigMap"
	case *autoscalingv2.HorizontalPodAutoscaler:
		return "HorizontalPodAutoscaler"
	case *policyv1.PodDisruptionBudget:
		return "PodDisruptionBudget"
	case *networkingv1.Ingress:
		return "Ingress"
	case *batchv1.CronJob:
		return "CronJob"
	case *networkingv1.NetworkPolicy:
		return "NetworkPolicy"
	case *corev1.ServiceAccount:
		return "ServiceAccount"
	case *corev1.PersistentVolumeClaim:
		return "PersistentVolumeClaim"
	}
	return ""
}

// newer tells whether a resource version is later than another; both are of one object.
func newer(a, b string) bool {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	return errX == nil && errY == nil && x > y
}
