package workload

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// died is why a container has ended.
func (p pod) died(s corev1.ContainerStatus, t corev1.ContainerStateTerminated) *finding {
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
	f := &finding{code: p.role(s, t), args: given("container", s.Name, "restarts", restarts(s)), since: finished(t), restarts: p.loops(s, t)}
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
func (p pod) role(s corev1.ContainerStatus, t corev1.ContainerStateTerminated) string {
	switch {
	case isInit(p.Pod, s.Name):
		return Init
	case s.Name != p.App:
		return Sidecar
	case t.ExitCode == 0:
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
