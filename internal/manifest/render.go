package manifest

import (
	"slices"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Render returns the objects of a Target in the order in which to apply them: what
// pods refer to, the Deployments, the Service, and the rest. Equal arguments give equal
// objects. It is Invalid when a revision cannot be in a cluster, and says why.
func Render(p Place, s Shape) ([]Object, error) {
	r := renderer{p, s}
	var configs, deployments, rest []typed
	for _, h := range r.halves() {
		if err := h.pod.check(); err != nil {
			return nil, err
		}
		if files := h.configMap(); files != nil && !named(configs, files.Name) {
			configs = append(configs, files)
		}
		deployments = append(deployments, h.deployment())
		if h.autoscaled() {
			rest = append(rest, h.autoscaler())
		}
	}
	all := slices.Concat(configs, deployments, r.network(), rest)
	if budget := r.budget(); budget != nil {
		all = append(all, budget)
	}
	objects, err := plain(all)
	if err != nil {
		return nil, err
	}
	if m := r.monitor(); m != nil {
		objects = append(objects, m)
	}
	return r.lay(objects)
}

// renderer has what all objects of a Target have in common.
type renderer struct {
	Place
	Shape
}

// half is one of the Deployments, with what it runs.
type half struct {
	renderer
	Half
	track Track
	pod   pod
}

func (r renderer) halves() []half {
	var list []half
	add := func(track Track, h *Half) {
		if h != nil {
			list = append(list, half{r, *h, track, r.pod(h.Revision)})
		}
	}
	add(TrackStable, r.Stable)
	add(TrackCanary, r.Canary)
	return list
}

// leading is the half whose wishes count where there is one object for both: the one
// that has all the traffic, or else the one that had it before.
func (r renderer) leading() (half, bool) {
	halves := r.halves()
	if len(halves) == 0 {
		return half{}, false
	}
	if last := halves[len(halves)-1]; r.Serve == TrackCanary {
		return last, true
	}
	return halves[0], true
}

func (r renderer) pod(v delivery.Revision) pod {
	w := delivery.Workload{}
	if v.Config.Workload != nil {
		w = *v.Config.Workload
	}
	return pod{place: r.Place, app: r.App, env: r.Env, revision: v, config: v.Config, workload: w}
}

// name is of the half's own objects.
func (h half) name() string {
	if h.track == TrackCanary {
		return CanaryName(h.App)
	}
	return h.App
}

func named(list []typed, name string) bool {
	return slices.ContainsFunc(list, func(o typed) bool { return o.GetName() == name })
}
