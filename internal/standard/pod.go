package standard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/shiplock/shiplock/internal/delivery"
)

// layer is what one document says of a build's pod. Site names the place.
type layer struct {
	site string
	pod  delivery.BuildPod
}

// layers are all that speak of a build's pod; what comes later goes before.
func layers(in Input, variant *delivery.Variant) []layer {
	own, env := in.App.Environments[in.Environment.Name], in.Environment.Build
	list := []layer{{stackSite(in), in.Stack.Build.Pod}}
	if variant != nil {
		list = append(list, layer{variantSite(in, *variant), variant.Build.Pod})
	}
	return append(list,
		layer{fmt.Sprintf("Environment %s: build", in.Environment.Name), delivery.BuildPod{Resources: env.Resources, NodeSelector: env.NodeSelector, Tolerations: env.Tolerations}},
		layer{fmt.Sprintf("App %s: build", in.App.Name), delivery.BuildPod{Resources: in.App.Build.Resources}},
		layer{fmt.Sprintf("App %s: environments.%s.build", in.App.Name, in.Environment.Name), delivery.BuildPod{Resources: own.Build.Resources}},
	)
}

func stackSite(in Input) string { return fmt.Sprintf("Stack %s: build", in.Stack.Name) }

func variantSite(in Input, v delivery.Variant) string {
	return fmt.Sprintf("Stack %s: variant %s", in.Stack.Name, v.Name)
}

// imageField is the part of a plan's reasons that is the build's image.
const imageField = "image"

// addPod says where the build takes place: in which image, and in what pod.
func addPod(p *delivery.Plan, in Input, variant *delivery.Variant) {
	if p.BuildImage = in.Stack.Build.Image; p.BuildImage != "" {
		p.PodWhy = []delivery.PodReason{{Part: imageField, Why: stackSite(in)}}
	}
	if variant != nil && variant.Build.Image != "" {
		p.PodWhy = []delivery.PodReason{{Part: imageField, Why: variantSite(in, *variant)}}
	}
	pod, why := buildPod(layers(in, variant))
	p.Pod, p.PodWhy = pod, append(p.PodWhy, why...)
	p.Cap, p.CapWhy = limitOf(in)
}

// buildPod lays the documents over each other, and says which one is behind each
// part. It is nil when none says anything.
func buildPod(list []layer) (*delivery.BuildPod, []delivery.PodReason) {
	m := podMerger{why: map[string]string{}, rank: map[string]int{}}
	for i, l := range list {
		m.lay(i, l)
	}
	m.reconcile()
	var reasons []delivery.PodReason
	for _, p := range podParts(m.pod) {
		reasons = append(reasons, delivery.PodReason{Part: p.field, Why: m.why[p.field]})
	}
	if reasons == nil {
		return nil, nil
	}
	return &m.pod, reasons
}

// podMerger lays layers over each other. By field, rank is the layer that set it
// and why is its site.
type podMerger struct {
	pod  delivery.BuildPod
	why  map[string]string
	rank map[string]int
}

// lay adds what has a name one by one. Tolerations add up, since each only opens
// more nodes; other lists are whole.
func (m *podMerger) lay(i int, l layer) {
	r := &m.pod.Resources
	r.Requests = named(m, i, l.site, requests, r.Requests, l.pod.Resources.Requests)
	r.Limits = named(m, i, l.site, limits, r.Limits, l.pod.Resources.Limits)
	m.pod.NodeSelector = named(m, i, l.site, "nodeSelector", m.pod.NodeSelector, l.pod.NodeSelector)
	for _, t := range l.pod.Tolerations {
		if !slices.Contains(m.pod.Tolerations, t) {
			m.set(i, l.site, fmt.Sprintf("tolerations[%d]", len(m.pod.Tolerations)))
			m.pod.Tolerations = append(m.pod.Tolerations, t)
		}
	}
	m.pod.Volumes = whole(m, i, l.site, "volumes", m.pod.Volumes, l.pod.Volumes)
	m.pod.PullSecrets = whole(m, i, l.site, "pullSecrets", m.pod.PullSecrets, l.pod.PullSecrets)
	m.pod.Services = whole(m, i, l.site, "services", m.pod.Services, l.pod.Services)
}

const (
	requests = "resources.requests"
	limits   = "resources.limits"
)

func (m *podMerger) set(i int, site, field string) { m.why[field], m.rank[field] = site, i }

func named[V any](m *podMerger, i int, site, field string, base, own map[string]V) map[string]V {
	if len(own) == 0 {
		return base
	}
	all := make(map[string]V, len(base)+len(own))
	maps.Copy(all, base)
	maps.Copy(all, own)
	for name := range own {
		m.set(i, site, field+"."+name)
	}
	return all
}

func whole[E any](m *podMerger, i int, site, field string, base, own []E) []E {
	if len(own) == 0 {
		return base
	}
	for k := range own {
		m.set(i, site, fmt.Sprintf("%s[%d]", field, k))
	}
	return own
}

// reconcile lets a request and a limit of different documents fit: the one of the
// document that goes before moves the other.
func (m *podMerger) reconcile() {
	r := m.pod.Resources
	for name, asked := range r.Requests {
		most, limited := r.Limits[name]
		if !limited || asked.Compare(most) <= 0 {
			continue
		}
		request, limit := requests+"."+name, limits+"."+name
		if m.rank[request] > m.rank[limit] {
			r.Limits[name], m.why[limit] = asked, m.why[request]+", and no limit is below its request"
		} else {
			r.Requests[name], m.why[request] = most, m.why[limit]+", and no request is above its limit"
		}
	}
}

// podPart is one line about a pod.
type podPart struct{ field, text string }

// podParts lists a pod for people.
func podParts(p delivery.BuildPod) (parts []podPart) {
	add := func(field, format string, args ...any) {
		parts = append(parts, podPart{field, fmt.Sprintf(format, args...)})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Resources.Requests)) {
		add(requests+"."+name, "request %s %s", name, p.Resources.Requests[name])
	}
	for _, name := range slices.Sorted(maps.Keys(p.Resources.Limits)) {
		add(limits+"."+name, "limit %s %s", name, p.Resources.Limits[name])
	}
	for _, key := range slices.Sorted(maps.Keys(p.NodeSelector)) {
		add("nodeSelector."+key, "node %s=%s", key, p.NodeSelector[key])
	}
	for i, t := range p.Tolerations {
		add(fmt.Sprintf("tolerations[%d]", i), "tolerates %s", toleration(t))
	}
	for i, v := range p.Volumes {
		add(fmt.Sprintf("volumes[%d]", i), "volume %s at %s: %s", v.Name, v.Path, volume(v))
	}
	for i, name := range p.PullSecrets {
		add(fmt.Sprintf("pullSecrets[%d]", i), "pull secret %s", name)
	}
	for i, s := range p.Services {
		port := ""
		if s.Port != 0 {
			port = fmt.Sprintf(" on port %d", s.Port)
		}
		add(fmt.Sprintf("services[%d]", i), "service %s: %s%s", s.Name, s.Image, port)
	}
	return parts
}

// toleration is as kubectl writes a taint.
func toleration(t delivery.Toleration) string {
	s := cmp.Or(t.Key, "every taint")
	if t.Value != "" {
		s += "=" + t.Value
	}
	if t.Effect != "" {
		s += ":" + t.Effect
	}
	return s
}

func volume(v delivery.PodVolume) string {
	source := "empty " + string(v.Empty)
	for kind, name := range map[string]string{"configMap": v.ConfigMap, "secret": v.Secret, "claim": v.Claim} {
		if name != "" {
			source = kind + " " + name
		}
	}
	if v.Memory {
		source += " in memory"
	}
	if v.ReadOnly {
		source += " read-only"
	}
	return source
}

// limitOf is the most that the whole job may take, and the document that says so;
// none is zero.
func limitOf(in Input) (delivery.Duration, string) {
	own := in.App.Environments[in.Environment.Name].Build.Timeout
	switch {
	case own > 0:
		return own, fmt.Sprintf("App %s: environments.%s.build", in.App.Name, in.Environment.Name)
	case in.App.Build.Timeout > 0:
		return in.App.Build.Timeout, fmt.Sprintf("App %s: build", in.App.Name)
	case in.Environment.Build.Timeout > 0:
		return in.Environment.Build.Timeout, fmt.Sprintf("Environment %s: build", in.Environment.Name)
	}
	return 0, ""
}
