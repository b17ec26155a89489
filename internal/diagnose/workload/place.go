package workload

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// unplaced is why no node was found for the pod.
func (p pod) unplaced() *finding {
	c := p.pending()
	if c == nil {
		return nil
	}
	f := &finding{code: Unschedulable, args: given("message", said.Line(c.Message)), words: []string{said.Line(c.Message)}, since: c.LastTransitionTime.Time}
	u, ok := said.ReadUnplaced(c.Message)
	switch {
	case !ok:
	case u.Missing != nil:
		f.code, f.args = Configuration, missing(*u.Missing, p.Namespace)
	case u.Unbound:
		f.code = Unbound
	default:
		f.args["message"] = strings.Join(p.reasons(u), "; ")
		f.args[phrase.AdviceArg] = placing(u)
	}
	return f
}

// pending is the condition of a pod without a node.
func (p pod) pending() *corev1.PodCondition {
	if c := p.condition(corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse && c.Message != "" {
		return c
	}
	return nil
}

// placing is what to do, by what excludes most nodes.
func placing(u said.Unplaced) string {
	advice, most := "pod.room", 0
	for _, s := range u.Short {
		most = max(most, s.Nodes)
	}
	for _, other := range []struct {
		nodes  int
		advice string
	}{{u.Tainted, "pod.taint"}, {u.Unmatched, "pod.selector"}, {u.Cordoned, "pod.cordoned"}, {u.Spread, "pod.spread"}} {
		if other.nodes > most {
			advice, most = other.advice, other.nodes
		}
	}
	return advice
}

// reasons says one by one what excludes the nodes.
func (p pod) reasons(u said.Unplaced) []string {
	var list []string
	of := func(n int) string { return strconv.Itoa(n) + " of " + strconv.Itoa(u.Nodes) + " nodes" }
	for _, s := range u.Short {
		if s.Resource == "pods" {
			list = append(list, of(s.Nodes)+" have as many pods as they may")
			continue
		}
		text := "too little " + s.Resource + " is left on " + of(s.Nodes)
		if asks := p.asks(corev1.ResourceName(s.Resource)); !asks.IsZero() {
			text += " (the pod asks for " + asks.String() + ")"
		}
		list = append(list, text)
	}
	if u.Tainted > 0 {
		text := of(u.Tainted) + " have a taint that the App does not tolerate"
		if u.Taint != "" {
			text += " (" + u.Taint + ")"
		}
		list = append(list, text)
	}
	if u.Unmatched > 0 {
		text := of(u.Unmatched) + " have other labels than the App asks for"
		if labels := p.selects(); labels != "" {
			text += " (" + labels + ")"
		}
		list = append(list, text)
	}
	if u.Cordoned > 0 {
		list = append(list, of(u.Cordoned)+" are cordoned")
	}
	if u.Spread > 0 {
		list = append(list, of(u.Spread)+" are excluded by rules about other pods")
	}
	return list
}

// asks is how much of a resource the pod requests: that of the containers that run
// together, or of the one that needs most before them.
func (p pod) asks(name corev1.ResourceName) resource.Quantity {
	var together, first resource.Quantity
	for _, c := range p.Spec.Containers {
		together.Add(c.Resources.Requests[name])
	}
	for _, c := range p.Spec.InitContainers {
		switch q := c.Resources.Requests[name]; {
		case !isInit(p.Pod, c.Name):
			together.Add(q)
		case q.Cmp(first) > 0:
			first = q
		}
	}
	if first.Cmp(together) > 0 {
		return first
	}
	return together
}

// selects are the labels that the pod asks of its node.
func (p pod) selects() string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(p.Spec.NodeSelector)) {
		list = append(list, name+"="+p.Spec.NodeSelector[name])
	}
	return said.Line(strings.Join(list, ", "))
}
