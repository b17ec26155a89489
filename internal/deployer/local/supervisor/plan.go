package supervisor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

// slotView is what the decisions need to know of one slot: one replica of one
// version in one configuration, through all its restarts.
type slotView struct {
	version  string
	spec     string
	ready    bool
	retiring bool
}

// need is one slot that is missing.
type need struct {
	version local.Version
	spec    string
}

// route is one version that takes requests, with its slots by index.
type route struct {
	version string
	weight  int
	slots   []int
}

// specOf names a configuration: slots of another spec are to be replaced.
func specOf(v local.Version, restartedAt int64) string {
	v.Weight, v.Config.Replicas = 0, 0
	data, err := json.Marshal(struct {
		local.Version
		RestartedAt int64
	}{v, restartedAt})
	if err != nil {
		panic(err) // strings, numbers and a map of strings always encode
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// decide returns what to start and which slots to retire. New goes before old:
// a slot that is no longer wished for stays while requests depend on it.
func decide(w local.Wish, slots []slotView) (start []need, retire []int) {
	served := len(w.Versions) == 0
	for _, v := range w.Versions {
		spec := specOf(v, w.RestartedAt)
		current, old := pick(slots, v.ID, spec)
		for range v.Config.Replicas - len(current) {
			start = append(start, need{v, spec})
		}
		if surplus := len(current) - v.Config.Replicas; surplus > 0 {
			// The unready first, and of equals the youngest.
			slices.Reverse(current)
			slices.SortStableFunc(current, func(a, b int) int { return order(slots[a].ready) - order(slots[b].ready) })
			retire = append(retire, current[:surplus]...)
		}
		ready := countReady(slots, current)
		for _, i := range old {
			if !slots[i].ready || ready >= v.Config.Replicas {
				retire = append(retire, i)
			}
		}
		served = served || ready > 0 || countReady(slots, old) > 0
	}
	for i, s := range slots {
		if !s.retiring && !wished(w, s.version) && (served || !s.ready) {
			retire = append(retire, i)
		}
	}
	return start, retire
}

// routes returns who takes requests: the ready versions by weight; failing
// those, the ready ones of weight 0; failing those, what is no longer wished for
// but still runs.
func routes(w local.Wish, slots []slotView) []route {
	var weighted, spare, leftover []route
	for _, v := range w.Versions {
		ready := readySlots(slots, v.ID)
		switch {
		case len(ready) == 0:
		case v.Weight > 0:
			weighted = append(weighted, route{v.ID, v.Weight, ready})
		default:
			spare = append(spare, route{v.ID, 1, ready})
		}
	}
	if len(weighted) > 0 {
		return weighted
	}
	if len(spare) > 0 {
		return spare
	}
	for i, s := range slots {
		seen := slices.ContainsFunc(slots[:i], func(o slotView) bool { return o.version == s.version })
		if wished(w, s.version) || seen {
			continue
		}
		if ready := readySlots(slots, s.version); len(ready) > 0 {
			leftover = append(leftover, route{s.version, 1, ready})
		}
	}
	return leftover
}

// pick returns the slots of a version that are not retiring, by whether they
// have the wished spec.
func pick(slots []slotView, version, spec string) (current, old []int) {
	for i, s := range slots {
		switch {
		case s.version != version || s.retiring:
		case s.spec == spec:
			current = append(current, i)
		default:
			old = append(old, i)
		}
	}
	return current, old
}

func readySlots(slots []slotView, version string) (ready []int) {
	for i, s := range slots {
		if s.version == version && s.ready && !s.retiring {
			ready = append(ready, i)
		}
	}
	return ready
}

func countReady(slots []slotView, among []int) (n int) {
	for _, i := range among {
		n += order(slots[i].ready)
	}
	return n
}

func wished(w local.Wish, version string) bool {
	return slices.ContainsFunc(w.Versions, func(v local.Version) bool { return v.ID == version })
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}
