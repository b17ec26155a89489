package kubernetes

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/diagnose/pods"
)

// A pod whose build has ended is left to end by itself, for a while.
func TestClosing(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	with := func(phase corev1.PodPhase, state corev1.ContainerState) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{Name: pods.BuildContainer, State: state}}}}
	}
	ended := func(ago time.Duration) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(now.Add(-ago))}}
	}
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want bool
	}{
		"a build that runs":                 {with(corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}), false},
		"a build that has ended":            {with(corev1.PodRunning, ended(time.Second)), true},
		"so quickly that it was never seen": {with(corev1.PodPending, ended(0)), true},
		"a pod that has ended":              {with(corev1.PodSucceeded, ended(time.Second)), false},
		"a kubelet that does not go on":     {with(corev1.PodRunning, ended(time.Minute)), false},
		"nothing known":                     {&corev1.Pod{}, false},
	} {
		if got := closing(c.pod, now); got != c.want {
			t.Errorf("%s: closing is %v", name, got)
		}
	}
}
