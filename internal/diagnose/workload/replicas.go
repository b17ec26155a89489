package workload

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// replicas is why the controllers cannot make pods.
func (j judge) replicas() []finding {
	var all []finding
	for _, r := range j.ReplicaSets {
		if r == nil || r.Spec.Replicas != nil && *r.Spec.Replicas == 0 {
			continue
		}
		for _, c := range r.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue && c.Reason == "FailedCreate" {
				words, at := j.newer(r.Name, c.Message, c.LastTransitionTime.Time)
				all = append(all, j.refused("the pods", r.Namespace, words, at))
			}
		}
	}
	if c := j.condition(appsv1.DeploymentProgressing); c != nil && c.Reason == "ReplicaSetCreateError" {
		all = append(all, j.refused("the ReplicaSet", j.Deployment.Namespace, c.Message, c.LastTransitionTime.Time))
	}
	return all
}

// newer is what was said last: a condition keeps the words that it began with.
func (j judge) newer(replicaSet, words string, at time.Time) (string, time.Time) {
	for _, e := range j.about("ReplicaSet", replicaSet, "FailedCreate") {
		if last := said.Seen(e); last.After(at) {
			return strings.TrimPrefix(e.Message, "Error creating: "), at
		}
		break
	}
	return words, at
}

func (j judge) refused(object, namespace, words string, since time.Time) finding {
	f := refusal(object, namespace, words)
	f.whole, f.since = true, since
	return f
}
