package workload

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// container is what is wrong with one; nil when nothing is, or it is about to start.
func (p pod) container(s corev1.ContainerStatus) *finding {
	switch {
	case s.State.Waiting != nil:
		return p.waits(s, *s.State.Waiting)
	case s.State.Terminated != nil:
		if isInit(p.Pod, s.Name) && s.State.Terminated.ExitCode == 0 {
			return nil
		}
		return p.ended(s, *s.State.Terminated)
	case s.State.Running == nil, s.Ready, isInit(p.Pod, s.Name):
		return nil
	}
	if t := s.LastTerminationState.Terminated; t != nil {
		if f := p.ended(s, *t); f != nil {
			return f
		}
	}
	return p.unready(s)
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
			return p.ended(s, *t)
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
	why := said.ReadPull(words)
	f := &finding{code: pulls[why], args: given("image", image, "node", p.Spec.NodeName), words: said.LastLines(words), since: p.placed()}
	if why == said.PullUnknown {
		f.args["message"] = said.Line(words)
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

// ended is why a container has ended.
func (p pod) ended(s corev1.ContainerStatus, t corev1.ContainerStateTerminated) *finding {
	switch t.Reason {
	case "OOMKilled":
		return p.outOfMemory(s, t)
	case "StartError", "ContainerCannotRun":
		return p.unstarted(s, cmp.Or(t.Message, t.Reason))
	case "ContainerStatusUnknown":
		return nil
	}
	if f := p.killedByProbe(s, t); f != nil {
		return f
	}
	f := &finding{code: p.role(s), args: given("container", s.Name, "restarts", restarts(s)), since: finished(t), restarts: p.loops(s, t)}
	f.crash = &diagnose.Crash{Exited: true, Exit: new(exit(t)), Output: p.output(s, t), Roots: home}
	f.args["exit"] = strconv.Itoa(*f.crash.Exit)
	if *f.crash.Exit < 0 {
		f.args["signal"] = signal(-*f.crash.Exit)
	}
	for _, line := range f.crash.Output {
		if why, command := said.ReadLast(line); why != said.StartUnknown {
			f.code, f.args = p.notRun(s, why, command)
		}
	}
	return f
}

// home is where an image has the App's own code.
var home = diagnose.Roots{{Dir: "/home/services"}}

// role is the code of a container that ended, by what it is in the pod.
func (p pod) role(s corev1.ContainerStatus) string {
	switch {
	case isInit(p.Pod, s.Name):
		return Init
	case s.Name != p.App:
		return Sidecar
	case s.State.Terminated != nil && s.State.Terminated.ExitCode == 0,
		s.State.Terminated == nil && s.LastTerminationState.Terminated != nil && s.LastTerminationState.Terminated.ExitCode == 0:
		return Ended
	}
	return Crashed
}

// output is what an instance that ended wrote: its log, or else its last message.
func (p pod) output(s corev1.ContainerStatus, t corev1.ContainerStateTerminated) []string {
	if lines := p.log(p.Name, s, true); len(lines) > 0 {
		return lines
	}
	return strings.Split(strings.TrimRight(t.Message, "\n"), "\n")
}

func (p pod) outOfMemory(s corev1.ContainerStatus, t corev1.ContainerStateTerminated) *finding {
	limit := ""
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if q := c.Resources.Limits[corev1.ResourceMemory]; c.Name == s.Name && !q.IsZero() {
			limit = q.String()
		}
	}
	f := &finding{code: Memory, args: given("container", s.Name, "limit", limit, "node", p.Spec.NodeName, "restarts", restarts(s)), since: finished(t), restarts: p.loops(s, t)}
	if peak, ok := p.Peak[p.Name]; ok && s.Name == p.App {
		f.args["peak"] = peak.String()
	}
	f.crash = &diagnose.Crash{Output: p.output(s, t), Roots: home}
	f.words = []string{said.Line("container " + s.Name + ": OOMKilled, exit " + strconv.Itoa(int(t.ExitCode)))}
	return f
}

// loops is how often a container was restarted; 1 at most when it had run for so long
// before that its kubelet begins to count anew.
func (p pod) loops(s corev1.ContainerStatus, t corev1.ContainerStateTerminated) int {
	if t.StartedAt.Unix() > 0 && t.FinishedAt.Sub(t.StartedAt.Time) >= 10*time.Minute {
		return min(1, int(s.RestartCount))
	}
	return int(s.RestartCount)
}

func restarts(s corev1.ContainerStatus) string {
	if s.RestartCount == 0 {
		return ""
	}
	return strconv.Itoa(int(s.RestartCount))
}

func finished(t corev1.ContainerStateTerminated) time.Time {
	if t.FinishedAt.Unix() <= 0 {
		return time.Time{}
	}
	return t.FinishedAt.Time
}

// exit is a container's exit code, or minus the signal that ended it, which runtimes say
// as 128 more.
func exit(t corev1.ContainerStateTerminated) int {
	switch {
	case t.Signal > 0:
		return -int(t.Signal)
	case t.ExitCode > 128 && t.ExitCode <= 128+31:
		return -int(t.ExitCode - 128)
	}
	return int(t.ExitCode)
}

// signals are those that end a program, by number.
var signals = map[int]string{1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM"}

func signal(n int) string {
	if name := signals[n]; name != "" {
		return name
	}
	return "signal " + strconv.Itoa(n)
}
