package said

import (
	"regexp"
	"strconv"
	"strings"
)

// Unplaced is why the scheduler found no node for a pod.
type Unplaced struct {
	// Nodes is how many there are.
	Nodes int
	// Short are resources and on how many nodes there is not enough left of them.
	Short []Shortage
	// Tainted is how many nodes have a taint that the pod does not tolerate, and Taint
	// one of these, as key, key: value or key=value, where the scheduler says it.
	Tainted int
	Taint   string
	// Unmatched is how many nodes have other labels than the pod's node selector or
	// affinity asks for.
	Unmatched int
	// Cordoned is how many nodes take no pods now.
	Cordoned int
	// Spread is how many nodes its rules about other pods exclude.
	Spread int
	// Unbound: a claim of the pod has no volume, or none that its nodes reach.
	Unbound bool
	// Missing is what the pod names and is not there.
	Missing *Missing
}

// Shortage is a resource of which nodes have not enough left.
type Shortage struct {
	Resource string
	Nodes    int
}

// nodesAvailable is how the scheduler's words begin, and what follows is a list of
// reasons with the number of nodes that each excludes.
var nodesAvailable = regexp.MustCompile(`^0/(\d+) nodes are available: (.*)$`)

// ReadUnplaced reads the scheduler's message; false when it is in no form that is
// known.
func ReadUnplaced(words string) (Unplaced, bool) {
	m := nodesAvailable.FindStringSubmatch(strings.TrimSpace(words))
	if m == nil {
		return Unplaced{}, false
	}
	var u Unplaced
	u.Nodes, _ = strconv.Atoi(m[1])
	// What follows the list is of plugins that look for a way out: preemption, claims.
	reasons, _, _ := strings.Cut(m[2], ". ")
	reasons, _, _ = strings.Cut(reasons, " preemption: ")
	if missing, ok := ReadMissing(reasons); ok {
		u.Missing = &missing
		return u, true
	}
	if has(reasons, "unbound immediate persistentvolumeclaim") {
		u.Unbound = true
		return u, true
	}
	known := false
	for _, reason := range strings.Split(strings.TrimRight(reasons, ". "), ", ") {
		count, text, _ := strings.Cut(reason, " ")
		n, err := strconv.Atoi(count)
		known = err == nil && u.note(n, text) || known
	}
	return u, known
}

// note takes one of the scheduler's reasons for n nodes.
func (u *Unplaced) note(n int, reason string) bool {
	switch {
	case strings.HasPrefix(reason, "Insufficient "):
		u.Short = append(u.Short, Shortage{Line(strings.TrimPrefix(reason, "Insufficient ")), n})
	case reason == "Too many pods":
		u.Short = append(u.Short, Shortage{"pods", n})
	case has(reason, "unschedulable"):
		u.Cordoned += n
	case has(reason, "taint"):
		u.Tainted += n
		if taint, ok := between(reason, "{", "}"); ok {
			u.Taint = Line(strings.TrimSuffix(strings.TrimSpace(taint), ":"))
		}
	case has(reason, "pod affinity rules", "anti-affinity rules", "topology spread", "free ports"):
		u.Spread += n
	case has(reason, "node affinity/selector", "requested node name"):
		u.Unmatched += n
	case has(reason, "volume", "pvc(s)", "enough free storage"):
		u.Unbound = true
	default:
		return false
	}
	return true
}
