package manifest

import (
	"fmt"
	"maps"
	"slices"
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
)

// strict reads an object as its kind has it: what Kubernetes would not know is refused.
func strict(o Object) (runtime.Object, error) {
	into := map[string]runtime.Object{
		"Deployment": &appsv1.Deployment{}, "Service": &corev1.Service{}, "Ingress": &networkingv1.Ingress{},
		"HorizontalPodAutoscaler": &autoscalingv2.HorizontalPodAutoscaler{}, "PodDisruptionBudget": &policyv1.PodDisruptionBudget{},
		"ConfigMap": &corev1.ConfigMap{}, "CronJob": &batchv1.CronJob{}, "ServiceAccount": &corev1.ServiceAccount{},
		"NetworkPolicy": &networkingv1.NetworkPolicy{}, "PersistentVolumeClaim": &corev1.PersistentVolumeClaim{},
	}[o.GetKind()]
	if into == nil {
		return nil, nil // a type of others
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true)
	if err != nil {
		return nil, delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s is not as Kubernetes has it: %s", called(o), strings.TrimPrefix(err.Error(), "strict decoding error: ")))
	}
	return into, nil
}

// normalize writes an object as the cluster will have it, amounts above all: otherwise it
// would look as if somebody had changed them.
func normalize(o Object) error {
	known, err := strict(o)
	if err != nil {
		return err
	}
	if known != nil {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(known)
		if err != nil {
			return delivery.Wrap(delivery.Internal, "write "+called(o), err)
		}
		o.Object = written(fields, o.Object).(map[string]any)
	}
	delete(o.Object, "status")
	withoutNull(o.Object)
	return nil
}

// written is what a typed object says, without the fields that the original does not
// have: the type's empty ones among them would be ours, and never be so.
func written(known, original any) any {
	switch known := known.(type) {
	case map[string]any:
		from, ok := original.(map[string]any)
		if !ok {
			return known
		}
		all := map[string]any{}
		for name, field := range known {
			if there, ok := from[name]; ok {
				all[name] = written(field, there)
			}
		}
		return all
	case []any:
		from, ok := original.([]any)
		if !ok || len(from) != len(known) {
			return known
		}
		all := make([]any, len(known))
		for i, element := range known {
			all[i] = written(element, from[i])
		}
		return all
	}
	return known
}

// check refuses what changes an object that the standard has none of.
func (l *layer) check() error {
	for kind, missing := range map[string]bool{
		"Service":                 len(l.pod.servicePorts()) == 0,
		"HorizontalPodAutoscaler": l.pod.workload.Autoscale.Max == 0,
		"ServiceMonitor":          l.pod.workload.Metrics.Port == 0,
	} {
		patch := l.patches[kind]
		if patch == nil || !missing {
			continue
		}
		field := map[string]string{"Service": "port of the Stack", "HorizontalPodAutoscaler": "workload.autoscale", "ServiceMonitor": "workload.metrics"}[kind]
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s changes what the app does not have: set %s first", called(patch), field))
	}
	return nil
}

// checkObject refuses pods that cannot be there twice, or reach into their nodes.
func (l *layer) checkObject(o Object) error {
	known, err := strict(o)
	if err != nil {
		return err
	}
	switch known := known.(type) {
	case *appsv1.Deployment:
		if err := l.checkClaims(o, known.Spec.Template.Spec); err != nil {
			return err
		}
		return l.checkPod(o, known.Spec.Template.Spec)
	case *batchv1.CronJob:
		return l.checkPod(o, known.Spec.JobTemplate.Spec.Template.Spec)
	}
	return nil
}

func (l *layer) checkPod(o Object, p corev1.PodSpec) error {
	if p.HostNetwork || p.HostPID || p.HostIPC {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s shares the network or the processes of its node, which two versions cannot: remove hostNetwork, hostPID and hostIPC", called(o)))
	}
	for _, v := range p.Volumes {
		if v.HostPath != nil {
			return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s mounts %s of its node, which the next instance may not find: use a PersistentVolumeClaim or an emptyDir", called(o), v.HostPath.Path))
		}
	}
	for _, c := range slices.Concat(p.InitContainers, p.Containers) {
		if err := l.checkContainer(o, c); err != nil {
			return err
		}
	}
	return nil
}

func (l *layer) checkContainer(o Object, c corev1.Container) error {
	if c.Image == "" {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the container %s of the manifest %s has no image: name it %s to change the app's own, or write an image; %s is the app's", c.Name, called(o), l.App, placeholder))
	}
	if c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the container %s of the manifest %s is privileged, which gives it its node: remove that", c.Name, called(o)))
	}
	for _, port := range c.Ports {
		if port.HostPort != 0 {
			return delivery.E(delivery.Invalid, fmt.Sprintf("the container %s of the manifest %s takes port %d of its node, which two versions cannot both have: remove hostPort, the Service leads to the pods", c.Name, called(o), port.HostPort))
		}
	}
	return nil
}

// checkClaims refuses a volume that only one node can have: a release has instances of
// two versions at once.
func (l *layer) checkClaims(o Object, p corev1.PodSpec) error {
	for _, v := range p.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		for _, claim := range l.beside {
			modes, _, _ := unstructured.NestedStringSlice(claim.Object, "spec", "accessModes")
			if claim.GetKind() != "PersistentVolumeClaim" || claim.GetName() != v.PersistentVolumeClaim.ClaimName ||
				slices.Contains(modes, string(corev1.ReadWriteMany)) || slices.Contains(modes, string(corev1.ReadOnlyMany)) {
				continue
			}
			return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s mounts the claim %s, which one node alone can have, and a release has instances of two versions at once: give the claim ReadWriteMany, or keep the data outside of the app", called(o), claim.GetName()))
		}
	}
	return nil
}

// checkService refuses a Service that would lead elsewhere than to the version that is
// to serve.
func (l *layer) checkService(o Object) error {
	theirs, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
	ours := map[string]string{}
	if d := l.patches["Deployment"]; d != nil { // kustomize writes its labels to both
		ours, _, _ = unstructured.NestedStringMap(d.Object, "spec", "template", "metadata", "labels")
	}
	ours = joined(ours, with(labels(l.App, l.Env, l.Team), LabelTrack, theirs[LabelTrack]))
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if theirs[name] != ours[name] {
			return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s selects pods by %s=%s, and which pods a Service leads to decides which version serves: remove the selector, or write app: %s", called(o), name, theirs[name], l.App))
		}
	}
	if early, _, _ := unstructured.NestedBool(o.Object, "spec", "publishNotReadyAddresses"); early {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s leads to pods that are not ready, so a version that does not work would have traffic: remove publishNotReadyAddresses", called(o)))
	}
	return nil
}
