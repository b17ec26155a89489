package workload

import (
	"slices"
	"time"
)

// Codes of Causes.
const (
	ImageName        = "pod.image_name"
	ImagePlatform    = "pod.image_platform"
	ImageUnsigned    = "pod.image_unsigned"
	ImageMissing     = "pod.image_missing"
	ImageDenied      = "pod.image_denied"
	Root             = "pod.root"
	Architecture     = "pod.architecture"
	Command          = "pod.command"
	Configuration    = "pod.config"
	Init             = "pod.init"
	Memory           = "pod.memory"
	Port             = "pod.port"
	Liveness         = "pod.liveness"
	Startup          = "pod.startup"
	Crashed          = "pod.crashed"
	Ended            = "pod.ended"
	Sidecar          = "pod.sidecar"
	Start            = "pod.start"
	Image            = "pod.image"
	ImageUnreachable = "pod.image_unreachable"
	Readiness        = "pod.readiness"
	Gate             = "pod.gate"
	Volume           = "pod.volume"
	Sandbox          = "pod.sandbox"
	Unbound          = "pod.unbound"
	Unschedulable    = "pod.unschedulable"
	Disk             = "pod.disk"
	Evicted          = "pod.evicted"
	Preempted        = "pod.preempted"
	Reclaimed        = "pod.reclaimed"
	NodeLost         = "pod.node_lost"
	Terminating      = "pod.terminating"
	Deadline         = "version.deadline"

	// Of the command that goes before a release.
	TaskFailed   = "predeploy.failed"
	TaskDeadline = "predeploy.deadline"
	TaskLost     = "predeploy.lost"

	Unstated  = "cluster.unstated"
	Limits    = "cluster.limits"
	Security  = "cluster.security"
	Policy    = "cluster.policy"
	Webhook   = "cluster.webhook"
	Immutable = "cluster.immutable"
	Invalid   = "cluster.invalid"
	Conflict  = "cluster.conflict"
	Access    = "cluster.access"
	Namespace = "cluster.namespace"
	Kind      = "cluster.kind"
	Refusing  = "cluster.refused"
	Away      = "cluster.webhook_away"
	Quota     = "cluster.quota"
)

// rule says when a version is given up for a Cause.
type rule struct {
	code string
	// after is how long it may last.
	after time.Duration
	// restarts is how many restarts of a container may end with it; 0 is not counted.
	restarts int
	// pods is how many pods may end with it; 0 is not counted.
	pods int
}

// never leaves it to the deadline of whoever waits: it may end by itself.
const never time.Duration = 1<<63 - 1

// crashes are the restarts after which a container that ends is in a loop: it was then
// tried for half a minute, and what it waited for may have come meanwhile.
const crashes = 3

// rules has what tells most first: of several Causes that one is shown. Whatever the
// rule, a version is given up only while at least half of its pods are concerned, so
// that one bad node is not taken for a bad version.
var rules = []rule{
	{code: ImageName},
	{code: ImagePlatform},
	{code: ImageUnsigned},
	{code: ImageMissing},
	{code: ImageDenied, after: 30 * time.Second}, // a registry that is busy may say so too
	{code: Root},
	{code: Architecture},
	{code: Command},
	{code: TaskFailed},
	{code: TaskDeadline},
	{code: TaskLost},
	{code: Configuration, after: 30 * time.Second}, // it may come a moment later than the pod
	{code: Init, after: never, restarts: crashes},
	{code: Memory, after: never, restarts: 2},
	{code: Port, after: 30 * time.Second, restarts: 1}, // it may open a second port
	{code: Liveness, after: never, restarts: crashes},
	{code: Startup, after: never, restarts: 1}, // it has had all the time that it asked for
	{code: Crashed, after: never, restarts: crashes},
	{code: Ended, after: never, restarts: crashes},
	{code: Sidecar, after: never, restarts: crashes},
	{code: Start, after: 2 * time.Minute},
	{code: Image, after: 2 * time.Minute},

	{code: Unstated},
	{code: Limits},
	{code: Security},
	{code: Policy},
	{code: Webhook},
	{code: Immutable},
	{code: Invalid},
	{code: Conflict},
	{code: Access},
	{code: Namespace},
	{code: Kind},
	{code: Refusing, after: 2 * time.Minute},
	{code: Away, after: never},
	{code: Quota, after: never},

	{code: ImageUnreachable, after: never},
	{code: Unbound, after: never},
	{code: Volume, after: never},
	{code: Sandbox, after: never},
	{code: Unschedulable, after: never}, // an autoscaler may add nodes
	{code: Disk, after: never, pods: 3},
	{code: Gate, after: never},
	{code: Readiness, after: never}, // it may only be slow
	{code: Evicted, after: never},
	{code: Preempted, after: never},
	{code: Reclaimed, after: never},
	{code: NodeLost, after: never},
	{code: Deadline},
	{code: Terminating, after: never},
}

// rank is the place of a code in the rules, and its rule.
func rank(code string) (int, rule) {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.code == code })
	if i < 0 {
		return len(rules), rule{after: never}
	}
	return i, rules[i]
}

// over tells whether the version is given up: for how long it has lasted, how often a
// container was restarted with it, and how many pods have ended with it.
func (r rule) over(lasted time.Duration, restarts, ends int) bool {
	return r.after != never && lasted >= r.after || r.restarts > 0 && restarts >= r.restarts || r.pods > 0 && ends >= r.pods
}
