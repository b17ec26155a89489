package workload

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// stuckAfter is how long a pod that was told to go may take beyond its grace.
const stuckAfter = 30 * time.Second

// pod is one of the version, with all that is known beside it.
type pod struct {
	*corev1.Pod
	judge
}

// finding is what is wrong with the pod; nil when nothing is, or it is on its way.
func (p pod) finding() *finding {
	switch {
	case ended(p.Pod):
		return p.gone()
	case p.DeletionTimestamp != nil:
		return p.going()
	case p.ready():
		return nil
	}
	if f := p.unplaced(); f != nil {
		return f
	}
	for _, s := range statuses(p.Pod) {
		if f := p.container(s); f != nil {
			return f
		}
	}
	if f := p.unprepared(); f != nil {
		return f
	}
	return p.gated()
}

func (p pod) ready() bool {
	c := p.condition(corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

func (p pod) condition(kind corev1.PodConditionType) *corev1.PodCondition {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &p.Status.Conditions[i]
}

// placed is when a node was found; zero while there is none.
func (p pod) placed() time.Time {
	if c := p.condition(corev1.PodScheduled); c != nil && c.Status == corev1.ConditionTrue {
		return c.LastTransitionTime.Time
	}
	return time.Time{}
}

// events are the warnings about the pod, the newest first.
func (p pod) events(reasons ...string) []*corev1.Event {
	return slices.DeleteFunc(p.about("Pod", p.Name, reasons...), func(e *corev1.Event) bool {
		return e.InvolvedObject.UID != "" && p.UID != "" && e.InvolvedObject.UID != p.UID
	})
}

// unprepared is what a pod lacks before its containers start, which only events tell.
func (p pod) unprepared() *finding {
	if len(p.Status.ContainerStatuses) > 0 && !slices.ContainsFunc(statuses(p.Pod), func(s corev1.ContainerStatus) bool { return s.State.Waiting != nil }) {
		return nil
	}
	trouble := p.events("FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "Failed")
	for _, e := range trouble { // before what only says that this or another volume is late
		if _, ok := said.ReadMissing(e.Message); ok && e.Reason == "FailedMount" {
			return p.unmounted(e.Message)
		}
	}
	for _, e := range trouble {
		switch image, why, ok := said.FailedPull(e.Message); {
		case ok:
			return p.unpulled(image, why)
		case e.Reason == "FailedCreatePodSandBox":
			return &finding{code: Sandbox, args: given("node", p.Spec.NodeName, "message", said.Line(e.Message)), words: []string{said.Line(e.Message)}, since: p.placed()}
		case e.Reason != "Failed":
			return p.unmounted(e.Message)
		}
	}
	return nil
}

func (p pod) unmounted(words string) *finding {
	f := &finding{code: Volume, args: given("message", said.Line(words)), words: []string{said.Line(words)}, since: p.placed()}
	if m, ok := said.ReadMissing(words); ok {
		f.code, f.args = Configuration, missing(m, p.Namespace)
	}
	return f
}

// gated is a condition that somebody else is to set before the pod counts as ready.
func (p pod) gated() *finding {
	c := p.condition(corev1.PodReady)
	if c == nil || c.Reason != "ReadinessGatesNotReady" {
		return nil
	}
	return &finding{code: Gate, args: given("message", said.Line(c.Message)), words: []string{said.Line(c.Message)}, since: c.LastTransitionTime.Time}
}

// gone is why the pod has ended, though its Deployment keeps pods running.
func (p pod) gone() *finding {
	f := &finding{args: given("node", p.Spec.NodeName), ends: true}
	words := said.Line(p.Status.Reason + ": " + p.Status.Message)
	if c := p.condition(corev1.DisruptionTarget); c != nil && c.Status == corev1.ConditionTrue {
		f.code, words = disruptions[c.Reason], said.Line(c.Message)
		if c.Reason == "TerminationByKubelet" && strings.Contains(c.Message, "shutdown") {
			f.code = Reclaimed
		}
	}
	switch {
	case f.code != "":
	case p.Status.Reason == "" && p.Status.Message == "":
		return nil // its containers have ended, and no more is said
	default:
		f.code = Evicted
	}
	if limit, ok := said.OwnDisk(words); ok && f.code == Evicted {
		f.code, f.args["limit"] = Disk, limit
	}
	f.args["message"], f.words = words, []string{words}
	return f
}

// disruptions are the codes of what befalls a pod from outside.
var disruptions = map[string]string{
	"PreemptionByScheduler":  Preempted,
	"DeletionByPodGC":        NodeLost,
	"DeletionByTaintManager": Reclaimed,
	"EvictionByEvictionAPI":  Reclaimed,
	"TerminationByKubelet":   Evicted,
}

// going is a pod that was told to go and is still there after its time.
func (p pod) going() *finding {
	if p.now.Sub(p.DeletionTimestamp.Time) <= stuckAfter {
		return nil
	}
	f := &finding{code: Terminating, args: given("pod", p.Name, "node", p.Spec.NodeName, "finalizers", strings.Join(p.Finalizers, ", ")), since: p.DeletionTimestamp.Time}
	if e := p.events("FailedKillPod"); len(e) > 0 {
		f.words = []string{said.Line(e[0].Message)}
	}
	return f
}
