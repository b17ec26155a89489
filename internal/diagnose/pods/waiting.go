package pods

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// waitsFor is what keeps the pod from running, if anything does; hopeless when more
// waiting is in vain.
func (a attempt) waitsFor() (cause *delivery.Cause, hopeless bool) {
	for _, c := range a.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return because(delivery.AttemptUnschedulable, "message", said.Line(c.Message)), false
		}
	}
	for _, s := range slices.Concat(a.Status.InitContainerStatuses, a.Status.ContainerStatuses) {
		if w := s.State.Waiting; w != nil {
			if cause, final := a.waits(s, *w); cause != nil {
				return cause, final || a.outOfPatience()
			}
		}
		if t := s.State.Terminated; t != nil && s.Name != BuildContainer {
			return service(s.Name, t), a.outOfPatience()
		}
		// It has been started again a moment ago, and is not there yet.
		if t := s.LastTerminationState.Terminated; t != nil && s.Name != BuildContainer && (s.Started == nil || !*s.Started) {
			return service(s.Name, t), a.outOfPatience()
		}
	}
	return a.warned(), false
}

// outOfPatience counts from when a node was found: before that nothing was tried.
func (a attempt) outOfPatience() bool {
	for _, c := range a.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionTrue {
			return a.now.Sub(c.LastTransitionTime.Time) >= Patience
		}
	}
	return false
}

// waits is what one container waits for.
func (a attempt) waits(s corev1.ContainerStatus, w corev1.ContainerStateWaiting) (cause *delivery.Cause, final bool) {
	switch w.Reason {
	case "InvalidImageName":
		return because(delivery.AttemptImageName, "image", s.Image), true
	case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError":
		return a.unpulled(s, w), false
	case "CreateContainerConfigError":
		return because(delivery.AttemptVolume, "message", said.Line(w.Message)), false
	case "CreateContainerError", "RunContainerError":
		return because("attempt.sandbox", "node", a.Spec.NodeName, "message", said.Line(w.Message)), false
	case "CrashLoopBackOff":
		if t := s.LastTerminationState.Terminated; t != nil && s.Name != BuildContainer {
			return service(s.Name, t), false
		}
		return because("attempt.service", "service", s.Name, "message", said.Line(w.Message)), false
	}
	return nil, false
}

// unpulled says why an image is not there. While the kubelet pauses, the reason is in
// its last warning.
func (a attempt) unpulled(s corev1.ContainerStatus, w corev1.ContainerStateWaiting) *delivery.Cause {
	words := w.Message
	if w.Reason == "ImagePullBackOff" && !strings.Contains(words, "ErrImagePull:") {
		if e := a.pullFailure(); e != nil {
			words = e.Message
		}
	}
	return unpulled(s.Image, words)
}

func unpulled(image, words string) *delivery.Cause {
	cause := because(delivery.AttemptImage, "image", image, "reason", cmp.Or(said.ReadPull(words).Reason(), said.Line(words)))
	cause.Evidence = said.LastLines(words)
	return cause
}

// service says why a program beside the build does not run.
func service(name string, t *corev1.ContainerStateTerminated) *delivery.Cause {
	cause := because("attempt.service", "service", name, "message", t.Reason+", exit "+exit(*t))
	cause.Evidence = said.LastLines(t.Message)
	return cause
}

// warned is the last trouble with what a pod needs before its containers start, which
// only events tell of.
func (a attempt) warned() *delivery.Cause {
	if e := a.last("FailedMount", "FailedAttachVolume", "FailedMapVolume"); e != nil {
		return because(delivery.AttemptVolume, "message", said.Line(e.Message))
	}
	if e := a.last("FailedCreatePodSandBox"); e != nil {
		return because("attempt.sandbox", "node", a.Spec.NodeName, "message", said.Line(e.Message))
	}
	// While the kubelet tries again it says nothing else.
	if e := a.pullFailure(); e != nil {
		image, why, _ := said.FailedPull(e.Message)
		return unpulled(image, why)
	}
	return nil
}

func (a attempt) pullFailure() *corev1.Event {
	for i := range a.warnings {
		if e := &a.warnings[i]; e.Reason == "Failed" {
			if _, _, ok := said.FailedPull(e.Message); ok {
				return e
			}
		}
	}
	return nil
}

// last is the newest warning for one of the reasons.
func (a attempt) last(reasons ...string) *corev1.Event {
	var found *corev1.Event
	for i := range a.warnings {
		e := &a.warnings[i]
		if slices.Contains(reasons, e.Reason) && (found == nil || !said.Seen(e).Before(said.Seen(found))) {
			found = e
		}
	}
	return found
}
