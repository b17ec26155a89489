package manifest

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// disruptable is the part of the instances that may be away at once because of their
// nodes; at least one.
const disruptable = "25%"

// autoscaled tells whether the half has an autoscaler. A canary has none: its size is
// its share's.
func (h half) autoscaled() bool {
	return h.track == TrackStable && h.pod.workload.Autoscale.Max > 0
}

// fewest is how many instances there are at least.
func (h half) fewest() int {
	if h.autoscaled() {
		return max(h.pod.workload.Autoscale.Min, h.Floor, 1)
	}
	return h.Replicas
}

// autoscaler goes by the App's own container: what stands beside it is not its load.
func (h half) autoscaler() *autoscalingv2.HorizontalPodAutoscaler {
	w := h.pod.workload.Autoscale
	a := &autoscalingv2.HorizontalPodAutoscaler{TypeMeta: kind("autoscaling/v2", "HorizontalPodAutoscaler"), ObjectMeta: h.meta(h.name())}
	a.Labels = with(a.Labels, LabelTrack, string(h.track))
	a.Spec = autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: h.name()},
		MinReplicas:    new(int32(h.fewest())),
		MaxReplicas:    int32(max(w.Max, h.fewest())),
		Metrics: []autoscalingv2.MetricSpec{{
			Type: autoscalingv2.ContainerResourceMetricSourceType,
			ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
				Name: corev1.ResourceCPU, Container: h.App,
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(w.CPU))},
			},
		}},
	}
	return a
}

// budget keeps nodes that are emptied from taking too many instances, of both halves
// together; nil when there is one alone, which could then never be moved.
func (r renderer) budget() *policyv1.PodDisruptionBudget {
	all := 0
	for _, h := range r.halves() {
		all += h.fewest()
	}
	if all < 2 {
		return nil
	}
	b := &policyv1.PodDisruptionBudget{TypeMeta: kind("policy/v1", "PodDisruptionBudget"), ObjectMeta: r.meta(r.App)}
	b.Spec = policyv1.PodDisruptionBudgetSpec{
		Selector:       &metav1.LabelSelector{MatchLabels: map[string]string{"app": r.App}},
		MaxUnavailable: new(intstr.FromString(disruptable)),
		// What does not work anyway must not keep its node from being emptied.
		UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
	}
	return b
}
