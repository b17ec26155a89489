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

// heard is what a kubelet last said of a check.
type heard struct {
	said.Probe
	at    time.Time
	words string
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
		h, _ := p.hear(s, kind)
		return p.killed(s, h, t)
	}
	if code := exit(t); code != 0 && code != -9 && code != -15 {
		return nil
	}
	// A kubelet says little more of a pod of which it has said much, such as that a check
	// failed every second.
	if h, ok := p.hear(s, "Startup"); ok && p.hadItsTime(s.Name, t) || p.endedWithIt(s.Name, t) {
		return p.killed(s, h, t)
	}
	if h, ok := p.hear(s, "Liveness"); ok && h.at.After(t.FinishedAt.Add(-p.grace()-time.Minute)) && !h.at.After(t.FinishedAt.Add(time.Second)) {
		return p.killed(s, h, t)
	}
	return nil
}

// endedWithIt tells whether a container ended just when a kubelet ends one that has not
// started in its time, of which that kubelet may say nothing at all.
func (p pod) endedWithIt(container string, t corev1.ContainerStateTerminated) bool {
	c := p.probe(container, "Startup")
	if c == nil || !p.hadItsTime(container, t) || t.FinishedAt.Sub(t.StartedAt.Time) < settling {
		return false
	}
	most := c.InitialDelaySeconds + (max(1, c.FailureThreshold)+1)*(max(1, c.PeriodSeconds)+c.TimeoutSeconds)
	return t.FinishedAt.Sub(t.StartedAt.Time) <= time.Duration(most)*time.Second+p.grace()
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
		if h, ok := p.hear(s, kind); ok && p.probe(s.Name, kind) != nil {
			return p.failing(s, h)
		}
	}
	if c := p.condition(corev1.PodReady); c == nil || c.Reason != "ContainersNotReady" || p.now.Sub(s.State.Running.StartedAt.Time) < quiet {
		return nil
	}
	if p.probe(s.Name, kinds[0]) == nil {
		return nil
	}
	return p.failing(s, heard{Probe: said.Probe{Kind: kinds[0]}})
}

// quiet is how long a kubelet may say nothing of a check before we do.
const quiet = 10 * time.Second

// hear finds what the kubelet last said of a check.
func (p pod) hear(s corev1.ContainerStatus, kind string) (heard, bool) {
	for _, e := range p.events("Unhealthy") {
		if path := e.InvolvedObject.FieldPath; path != "" && !strings.Contains(path, "{"+s.Name+"}") {
			continue
		}
		if probe, ok := said.ReadProbe(e.Message); ok && probe.Kind == kind {
			return heard{probe, said.Seen(e), said.Line(e.Message)}, true
		}
	}
	return heard{Probe: said.Probe{Kind: kind}}, false
}

// failing is a check that fails on a container that runs.
func (p pod) failing(s corev1.ContainerStatus, h heard) *finding {
	f := p.checked(s, h, p.log(p.Name, s, false))
	f.since = s.State.Running.StartedAt.Time
	return f
}

// killed is a check that a container was ended for.
func (p pod) killed(s corev1.ContainerStatus, h heard, t corev1.ContainerStateTerminated) *finding {
	f := p.checked(s, h, p.log(p.Name, s, true))
	f.since, f.restarts = finished(t), p.loops(s, t)
	if n := restarts(s); n != "" {
		f.args["restarts"] = n
	}
	return f
}

// checked is a check that fails, with what the app wrote.
func (p pod) checked(s corev1.ContainerStatus, h heard, output []string) *finding {
	f := &finding{code: checks[h.Kind].code, crash: &diagnose.Crash{Output: output, Roots: home}}
	check, slow := describe(p.probe(s.Name, h.Kind), p.ports(s.Name)), ""
	if h.Slow {
		slow = p.patience(s.Name, h.Kind)
	}
	f.args = given("container", s.Name, "check", check, "status", h.Status, "refused", h.Refused, "slow", slow, "said", h.Said)
	if h.words != "" {
		f.words = []string{h.words}
	}
	if h.Status != "" {
		f.crash.Reason = check + " answered " + h.Status
	}
	p.elsewhere(f, h.Probe)
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
