package pods

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

// waitsFor is what keeps the pod from running, if anything does; hopeless when more
// waiting is in vain.
func (a attempt) waitsFor() (cause *delivery.Cause, hopeless bool) {
	for _, c := range a.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return because(delivery.AttemptUnschedulable, "message", oneLine(c.Message)), false
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
		return because(delivery.AttemptVolume, "message", oneLine(w.Message)), false
	case "CreateContainerError", "RunContainerError":
		return because("attempt.sandbox", "node", a.Spec.NodeName, "message", oneLine(w.Message)), false
	case "CrashLoopBackOff":
		if t := s.LastTerminationState.Terminated; t != nil && s.Name != BuildContainer {
			return service(s.Name, t), false
		}
		return because("attempt.service", "service", s.Name, "message", oneLine(w.Message)), false
	}
	return nil, false
}

// unpulled says why an image is not there. While the kubelet pauses, the reason is in
// its last warning.
func (a attempt) unpulled(s corev1.ContainerStatus, w corev1.ContainerStateWaiting) *delivery.Cause {
	said := w.Message
	if w.Reason == "ImagePullBackOff" && !strings.Contains(said, "ErrImagePull:") {
		if e := a.pullFailure(); e != nil {
			said = e.Message
		}
	}
	return unpulled(s.Image, said)
}

func unpulled(image, said string) *delivery.Cause {
	cause := because(delivery.AttemptImage, "image", image, "reason", pullReason(said))
	cause.Evidence = lastLines(said)
	return cause
}

// pullReason is what a runtime's words about a pull come to.
func pullReason(said string) string {
	lower := strings.ToLower(said)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(lower, w) })
	}
	switch {
	case has("not found", "manifest unknown", "does not exist", "name unknown"):
		return "the registry has no such image, or hides it"
	case has("unauthorized", "authorization failed", "forbidden", "401", "403", "denied", "no basic auth"):
		return "the registry refuses the credentials"
	case has("connection refused", "no such host", "i/o timeout", "deadline exceeded", "eof", "tls", "x509", "503", "502", "500"):
		return "the registry does not answer"
	}
	return oneLine(said)
}

// service says why a program beside the build does not run.
func service(name string, t *corev1.ContainerStateTerminated) *delivery.Cause {
	cause := because("attempt.service", "service", name, "message", t.Reason+", exit "+exit(*t))
	cause.Evidence = lastLines(t.Message)
	return cause
}

// warned is the last trouble with what a pod needs before its containers start, which
// only events tell of.
func (a attempt) warned() *delivery.Cause {
	if e := a.last("FailedMount", "FailedAttachVolume", "FailedMapVolume"); e != nil {
		return because(delivery.AttemptVolume, "message", oneLine(e.Message))
	}
	if e := a.last("FailedCreatePodSandBox"); e != nil {
		return because("attempt.sandbox", "node", a.Spec.NodeName, "message", oneLine(e.Message))
	}
	// While the kubelet tries again it says nothing else.
	if e := a.pullFailure(); e != nil {
		_, rest, _ := strings.Cut(e.Message, pullFailed)
		image, said, _ := strings.Cut(rest, `": `)
		return unpulled(image, said)
	}
	return nil
}

// pullFailed is how a kubelet's words about a pull begin; others have the same reason.
const pullFailed = `Failed to pull image "`

func (a attempt) pullFailure() *corev1.Event {
	for i := range a.warnings {
		if e := &a.warnings[i]; e.Reason == "Failed" && strings.HasPrefix(e.Message, pullFailed) {
			return e
		}
	}
	return nil
}

// last is the newest warning for one of the reasons.
func (a attempt) last(reasons ...string) *corev1.Event {
	var found *corev1.Event
	for i := range a.warnings {
		e := &a.warnings[i]
		if slices.Contains(reasons, e.Reason) && (found == nil || !seen(*e).Before(seen(*found))) {
			found = e
		}
	}
	return found
}
