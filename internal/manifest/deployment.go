package manifest

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	// placing is what a pod may take beside its App: to find a node, and to pull the image.
	placing = 2 * time.Minute
	// oldSets are kept for people who look; going back takes another way.
	oldSets = 2
)

func (h half) deployment() *appsv1.Deployment {
	d := &appsv1.Deployment{TypeMeta: kind("apps/v1", "Deployment"), ObjectMeta: h.meta(h.name())}
	d.Labels = with(d.Labels, LabelTrack, string(h.track), LabelRevision, h.Revision.ID.Short())
	d.Annotations[AnnotationRevision] = string(h.Revision.ID)
	d.Spec = appsv1.DeploymentSpec{
		Replicas: new(int32(h.Replicas)),
		Selector: &metav1.LabelSelector{MatchLabels: h.selector()},
		Template: h.template(),
		// A version that replaces another in place takes nothing away before it is ready.
		Strategy: appsv1.DeploymentStrategy{
			Type: appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxUnavailable: new(intstr.FromInt32(0)), MaxSurge: new(intstr.FromString("100%")),
			},
		},
		ProgressDeadlineSeconds: new(seconds(h.pod.healthTimeout() + placing)),
		RevisionHistoryLimit:    new(int32(oldSets)),
	}
	return d
}

// selector is of the half's pods. It never changes: Kubernetes allows no change.
func (h half) selector() map[string]string {
	return map[string]string{"app": h.App, LabelTrack: string(h.track)}
}

func (h half) template() corev1.PodTemplateSpec {
	t := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{
		Labels:      with(labels(h.App, h.Env, h.Team), LabelTrack, string(h.track), LabelRevision, h.Revision.ID.Short()),
		Annotations: map[string]string{AnnotationRevision: string(h.Revision.ID)},
	}}
	if !h.RestartedAt.IsZero() {
		t.Annotations[AnnotationRestarted] = h.RestartedAt.UTC().Format(time.RFC3339)
	}
	t.Spec = h.pod.serving()
	t.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway,
		LabelSelector: &metav1.LabelSelector{MatchLabels: h.selector()}, MatchLabelKeys: []string{"pod-template-hash"},
	}}
	return t
}

// seconds rounds up: a limit is not to be cut short.
func seconds(d time.Duration) int32 { return int32((d + time.Second - 1) / time.Second) }
