package pods

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// BuildContainer is the name of the container that runs a build's runner.
const BuildContainer = "build"

// Patience is how long what a kubelet tries again by itself (an image that cannot be
// pulled, a service that does not run) may fail before the attempt is given up.
const Patience = 2 * time.Minute

// lostAfter is how long a pod that was told to go may take beyond its time: its node
// is dead by then.
const lostAfter = 30 * time.Second

// Attempt tells what became of an attempt from its pod and the warnings that were
// given about it, at now.
func Attempt(p *corev1.Pod, warnings []corev1.Event, now time.Time) delivery.AttemptStatus {
	a := attempt{Pod: p, warnings: warnings, now: now}
	if cause := a.end(); cause != nil {
		return delivery.AttemptStatus{Phase: delivery.AttemptOver, Cause: cause}
	}
	if s := a.build(); s != nil && s.State.Running != nil {
		return delivery.AttemptStatus{Phase: delivery.AttemptAlive, Cause: a.ending()}
	}
	cause, hopeless := a.waitsFor()
	if hopeless {
		return delivery.AttemptStatus{Phase: delivery.AttemptOver, Cause: cause}
	}
	return delivery.AttemptStatus{Phase: delivery.AttemptPending, Cause: cause}
}

// EndOfBuild is when the runner's container ended; zero while it has not.
func EndOfBuild(p *corev1.Pod) time.Time {
	if s := (attempt{Pod: p}).build(); s != nil && s.State.Terminated != nil {
		return s.State.Terminated.FinishedAt.Time
	}
	return time.Time{}
}

type attempt struct {
	*corev1.Pod
	warnings []corev1.Event
	now      time.Time
}

// build is the state of the runner's container; nil before the kubelet has told any.
func (a attempt) build() *corev1.ContainerStatus {
	for i := range a.Status.ContainerStatuses {
		if s := &a.Status.ContainerStatuses[i]; s.Name == BuildContainer {
			return s
		}
	}
	return nil
}

// end is why the pod has ended; nil while it has not.
func (a attempt) end() *delivery.Cause {
	terminal := a.Status.Phase == corev1.PodFailed || a.Status.Phase == corev1.PodSucceeded
	if s := a.build(); s != nil && s.State.Terminated != nil && s.State.Terminated.Reason == "OOMKilled" {
		return a.outOfMemory()
	}
	if c := a.disrupted(); c != nil && (terminal || a.overdue()) {
		return c
	}
	switch s := a.build(); {
	case a.overdue():
		return because("attempt.node_lost", "node", a.Spec.NodeName)
	case s != nil && s.State.Terminated != nil:
		return ended(*s.State.Terminated)
	case terminal && a.Status.Reason != "":
		return because("attempt.evicted", "message", said.Line(a.Status.Reason+": "+a.Status.Message))
	case terminal:
		return because("attempt.deleted")
	}
	return nil
}

// ending is why the pod was told to end; nil when it was not.
func (a attempt) ending() *delivery.Cause {
	if c := a.disrupted(); c != nil || a.DeletionTimestamp == nil {
		return c
	}
	return because("attempt.deleted")
}

// overdue tells whether nobody carries out that the pod shall go.
func (a attempt) overdue() bool {
	return a.DeletionTimestamp != nil && a.now.Sub(a.DeletionTimestamp.Time) > lostAfter
}

func (a attempt) outOfMemory() *delivery.Cause {
	limit := ""
	for _, c := range a.Spec.Containers {
		if c.Name == BuildContainer {
			limit = c.Resources.Limits.Memory().String()
		}
	}
	return because(delivery.AttemptMemory, "limit", limit)
}

// disrupted is what the cluster did to the pod, as far as it says so.
func (a attempt) disrupted() *delivery.Cause {
	switch {
	case a.Status.Reason != "Evicted":
	case said.TurnedAway(a.Status.Message):
		return because(delivery.AttemptTurnedAway, "node", a.Spec.NodeName, "message", said.Line(a.Status.Message))
	default:
		return evicted(a.Status.Message)
	}
	for _, c := range a.Status.Conditions {
		if c.Type != corev1.DisruptionTarget || c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Reason {
		case "PreemptionByScheduler":
			return because(delivery.AttemptPreempted, "message", said.Line(c.Message))
		case "DeletionByPodGC":
			return because("attempt.node_lost", "node", a.Spec.NodeName)
		case "DeletionByTaintManager", "EvictionByEvictionAPI":
			return because(delivery.AttemptReclaimed, "node", a.Spec.NodeName, "message", said.Line(c.Message))
		case "TerminationByKubelet":
			if strings.Contains(c.Message, "shutdown") {
				return because(delivery.AttemptReclaimed, "node", a.Spec.NodeName, "message", said.Line(c.Message))
			}
			return evicted(c.Message)
		}
	}
	return nil
}

// evicted tells a pod that used more disk than it may from one that its node had no
// room for.
func evicted(message string) *delivery.Cause {
	if limit, ok := said.OwnDisk(message); ok {
		return because(delivery.AttemptDisk, "limit", limit)
	}
	return because("attempt.evicted", "message", said.Line(message))
}

// ended is why the runner's container has ended. What the runner itself reported, if
// it did, comes first, and is not asked for here.
func ended(t corev1.ContainerStateTerminated) *delivery.Cause {
	var cause delivery.Cause
	switch {
	case t.ExitCode == 0 || t.Reason == "Completed":
		cause = delivery.Because("runner.ended", nil)
	default:
		cause = delivery.Because("attempt.killed", delivery.Args{"reason": t.Reason, "exit": exit(t)})
	}
	cause.Evidence = said.LastLines(t.Message)
	return &cause
}
