package workload

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// container is what is wrong with one; nil when nothing is, or it is about to start.
func (p pod) container(s corev1.ContainerStatus) *finding {
	switch {
	case s.State.Waiting != nil:
		return p.waits(s, *s.State.Waiting)
	case s.State.Terminated != nil:
		if isInit(p.Pod, s.Name) && s.State.Terminated.ExitCode == 0 {
			return nil
		}
		return p.died(s, *s.State.Terminated)
	case s.State.Running == nil, s.Ready, isInit(p.Pod, s.Name):
		return nil
	}
	if t := s.LastTerminationState.Terminated; t != nil && p.begins(s) {
		if f := p.died(s, *t); f != nil {
			return f
		}
	}
	return p.unready(s)
}

// begins tells whether a container that runs has not come further than the one before
// it, whose end then tells more.
func (p pod) begins(s corev1.ContainerStatus) bool {
	return s.Started != nil && !*s.Started || p.now.Sub(s.State.Running.StartedAt.Time) < time.Minute
}

// waits is what a container waits for.
func (p pod) waits(s corev1.ContainerStatus, w corev1.ContainerStateWaiting) *finding {
	switch w.Reason {
	case "InvalidImageName":
		return &finding{code: ImageName, args: given("image", p.image(s)), words: said.LastLines(w.Message), since: p.placed()}
	case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "SignatureValidationFailed", "ImageInspectError":
		return p.unpulled(p.image(s), p.pullWords(s, w))
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError":
		return p.unstarted(s, cmp.Or(w.Message, w.Reason))
	case "CrashLoopBackOff":
		if t := s.LastTerminationState.Terminated; t != nil {
			return p.died(s, *t)
		}
	}
	return nil
}

// image is the one that the pod names: the status has what a runtime made of it.
func (p pod) image(s corev1.ContainerStatus) string {
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if c.Name == s.Name && c.Image != "" {
			return c.Image
		}
	}
	return s.Image
}

// pullWords are why an image was not pulled: while the kubelet pauses, that may be in
// its last warning only.
func (p pod) pullWords(s corev1.ContainerStatus, w corev1.ContainerStateWaiting) string {
	if said.ReadPull(w.Message) != said.PullUnknown || w.Reason != "ImagePullBackOff" {
		return cmp.Or(w.Message, w.Reason)
	}
	for _, e := range p.events("Failed") {
		if image, why, ok := said.FailedPull(e.Message); ok && image == p.image(s) {
			return why
		}
	}
	return w.Message
}

// pulls are the codes of why an image was not pulled.
var pulls = map[said.Pull]string{
	said.PullMissing:     ImageMissing,
	said.PullDenied:      ImageDenied,
	said.PullUnreachable: ImageUnreachable,
	said.PullPlatform:    ImagePlatform,
	said.PullUnsigned:    ImageUnsigned,
	said.PullUnknown:     Image,
}

func (p pod) unpulled(image, words string) *finding {
	why, end := said.ReadPull(words), said.PullEnd(words)
	f := &finding{code: pulls[why], args: given("image", image, "node", p.Spec.NodeName), words: said.LastLines(end), since: p.placed()}
	if why == said.PullUnknown {
		f.args["message"] = said.Line(end)
	}
	return f
}

// unstarted is why a runtime, or the kubelet before it, does not start a container.
func (p pod) unstarted(s corev1.ContainerStatus, words string) *finding {
	f := &finding{code: Start, args: given("container", s.Name, "message", said.Line(words)), words: said.LastLines(words), since: p.placed(), restarts: int(s.RestartCount)}
	if m, ok := said.ReadMissing(words); ok {
		f.code, f.args = Configuration, missing(m, p.Namespace)
		return f
	}
	if why, command := said.ReadStart(words); why != said.StartUnknown {
		f.code, f.args = p.notRun(s, why, command)
	}
	return f
}

// commands are what is wrong with a command, as its phrases tell it.
var commands = map[said.Start]string{
	said.StartMissing: "missing", said.StartForbidden: "forbidden", said.StartInterpreter: "interpreter", said.StartFolder: "folder",
}

// notRun is the code and the arguments of a command that is not run.
func (p pod) notRun(s corev1.ContainerStatus, why said.Start, command string) (string, delivery.Args) {
	args := given("container", s.Name, "command", command, "node", p.Spec.NodeName, "why", commands[why])
	switch why {
	case said.StartRoot:
		return Root, args
	case said.StartFormat:
		return Architecture, args
	}
	return Command, args
}
