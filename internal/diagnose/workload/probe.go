package workload

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// checks are the codes of checks that fail, and what they are called.
var checks = map[string]struct{ code, name string }{
	"Startup":   {Startup, "startup"},
	"Readiness": {Readiness, "readiness"},
	"Liveness":  {Liveness, "liveness"},
}

// killedByProbe is a check because of which the kubelet ended a container: its exit code
// then says nothing.
func (p pod) killedByProbe(s corev1.ContainerStatus, t corev1.ContainerStateTerminated) *finding {
	for _, e := range p.events("Killing") {
		kind, ok := said.KilledByProbe(e.Message, s.Name)
		at := said.Seen(e)
		if !ok || at.Before(t.StartedAt.Add(-time.Second)) || at.After(t.FinishedAt.Add(time.Minute)) {
			continue
		}
		probe, _, _ := p.said(s, kind)
		probe.Kind = kind
		return p.checked(s, probe, t)
	}
	if code := exit(t); code != 0 && code != -9 && code != -15 {
		return nil
	}
	// A kubelet says little more of a pod of which it has said much, such as that a check
	// failed every second.
	if probe, _, ok := p.said(s, "Startup"); ok && p.hadItsTime(s.Name, t) {
		return p.checked(s, probe, t)
	}
	if probe, at, ok := p.said(s, "Liveness"); ok && at.After(t.FinishedAt.Add(-p.grace()-time.Minute)) && !at.After(t.FinishedAt.Add(time.Second)) {
		return p.checked(s, probe, t)
	}
	return nil
}

// hadItsTime tells whether a container has run for as long as its startup check lets it.
func (p pod) hadItsTime(container string, t corev1.ContainerStateTerminated) bool {
	c := p.probe(container, "Startup")
	if c == nil || t.StartedAt.Unix() <= 0 {
		return false
	}
	limit := c.InitialDelaySeconds + (max(1, c.FailureThreshold)-1)*max(1, c.PeriodSeconds)
	return t.FinishedAt.Sub(t.StartedAt.Time) >= time.Duration(limit)*time.Second
}

func (p pod) grace() time.Duration {
	if g := p.Spec.TerminationGracePeriodSeconds; g != nil {
		return time.Duration(*g) * time.Second
	}
	return 30 * time.Second
}

// settling is how long a container that has just begun may fail its check before that is
// worth a word.
const settling = 3 * time.Second

// unready is why a container that runs is not ready.
func (p pod) unready(s corev1.ContainerStatus) *finding {
	kinds := []string{"Readiness", "Liveness"}
	if s.Started != nil && !*s.Started {
		kinds = []string{"Startup"}
		if p.now.Sub(s.State.Running.StartedAt.Time) < settling {
			return nil
		}
	}
	for _, kind := range kinds {
		if probe, _, ok := p.said(s, kind); ok && p.probe(s.Name, kind) != nil {
			return p.checked(s, probe, corev1.ContainerStateTerminated{})
		}
	}
	if c := p.condition(corev1.PodReady); c == nil || c.Reason != "ContainersNotReady" || p.now.Sub(s.State.Running.StartedAt.Time) < 10*time.Second {
		return nil
	}
	if p.probe(s.Name, kinds[0]) == nil {
		return nil
	}
	return p.checked(s, said.Probe{Kind: kinds[0]}, corev1.ContainerStateTerminated{})
}

// said is what the kubelet last said of a check, and when.
func (p pod) said(s corev1.ContainerStatus, kind string) (said.Probe, time.Time, bool) {
	for _, e := range p.events("Unhealthy") {
		if path := e.InvolvedObject.FieldPath; path != "" && !strings.Contains(path, "{"+s.Name+"}") {
			continue
		}
		if probe, ok := said.ReadProbe(e.Message); ok && probe.Kind == kind {
			return probe, said.Seen(e), true
		}
	}
	return said.Probe{}, time.Time{}, false
}

// checked words a check that fails; t is how the container ended because of it, if it
// did.
func (p pod) checked(s corev1.ContainerStatus, probe said.Probe, t corev1.ContainerStateTerminated) *finding {
	check := checks[probe.Kind]
	f := &finding{code: check.code, args: given("container", s.Name, "status", probe.Status, "refused", probe.Refused, "said", probe.Said, "restarts", restarts(s)), since: finished(t)}
	if t.FinishedAt.IsZero() {
		f.since = s.State.Running.StartedAt.Time
	} else {
		f.restarts = p.loops(s, t)
	}
	f.args["check"] = describe(p.probe(s.Name, probe.Kind), p.ports(s.Name))
	if probe.Slow {
		f.args["slow"] = p.patience(s.Name, probe.Kind)
	}
	for _, e := range p.events("Unhealthy") {
		if this, ok := said.ReadProbe(e.Message); ok && this.Kind == probe.Kind {
			f.words = append(f.words, said.Line(e.Message))
			break
		}
	}
	f.crash = &diagnose.Crash{Output: p.log(p.Name, s, !t.FinishedAt.IsZero()), Roots: home}
	if probe.Status != "" {
		f.crash.Reason = f.args["check"] + " answered " + probe.Status
	}
	p.elsewhere(f, probe)
	return f
}

// elsewhere looks whether the app says that it listens where the check does not ask.
func (p pod) elsewhere(f *finding, probe said.Probe) {
	at, ok := diagnose.Listening(f.crash.Output)
	if !ok || probe.Refused == "" {
		return
	}
	switch {
	case strconv.Itoa(at.Port) != probe.Refused:
		f.args["port"] = strconv.Itoa(at.Port)
	case at.Loopback:
		f.args["loopback"] = at.String()
	default:
		return
	}
	f.code, f.args["probe"] = Port, checks[probe.Kind].name
}

// probe is a container's check.
func (p pod) probe(container, kind string) *corev1.Probe {
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if c.Name != container {
			continue
		}
		return map[string]*corev1.Probe{"Startup": c.StartupProbe, "Readiness": c.ReadinessProbe, "Liveness": c.LivenessProbe}[kind]
	}
	return nil
}

// ports are a container's, by name.
func (p pod) ports(container string) map[string]int32 {
	named := map[string]int32{}
	for _, c := range p.Spec.Containers {
		if c.Name == container {
			for _, port := range c.Ports {
				named[port.Name] = port.ContainerPort
			}
		}
	}
	return named
}

// patience is how long a check waits for an answer.
func (p pod) patience(container, kind string) string {
	seconds := int32(1)
	if c := p.probe(container, kind); c != nil {
		seconds = max(1, c.TimeoutSeconds)
	}
	return (time.Duration(seconds) * time.Second).String()
}

// describe says what a check asks: "GET /healthz on port 8080".
func describe(c *corev1.Probe, named map[string]int32) string {
	number := func(port intstr.IntOrString) string {
		if n, ok := named[port.StrVal]; ok && port.Type == intstr.String {
			return strconv.Itoa(int(n))
		}
		return port.String()
	}
	switch {
	case c == nil:
		return ""
	case c.HTTPGet != nil:
		return said.Line("GET " + cmp.Or(c.HTTPGet.Path, "/") + " on port " + number(c.HTTPGet.Port))
	case c.TCPSocket != nil:
		return said.Line("port " + number(c.TCPSocket.Port))
	case c.GRPC != nil:
		return "gRPC on port " + strconv.Itoa(int(c.GRPC.Port))
	case c.Exec != nil:
		return said.Line(strings.Join(c.Exec.Command, " "))
	}
	return ""
}
