//go:build e2e

package pods

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/manifest"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

// besieged is a world whose builds are in a namespace as the product has it set up,
// with a pod of somebody else's in it. Its server has a registry of its own, and is
// all of the private network that builds may reach.
type besieged struct {
	*world
	neighbour string // the other pod's address; it listens on port 8080
}

func newBesieged(t testing.TB) *besieged {
	n := kube.Cluster(t)
	// Nodes look every image up in the cluster's registry: what the server's own one
	// will have of build images has to be there too.
	first := newWorldIn(t, n, "--registry", n.Registry)
	first.api.Apply(first.script("first", "true", ""), app("first", "first"))
	first.good(first.start("first", "dev", someCommit), 2*time.Minute)

	w := newWorldAlone(t, n, "--log-limit", "20")
	_, port, err := net.SplitHostPort(w.server.Front.Addr())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	n.Start(t, listener())
	b := &besieged{world: w, neighbour: n.Await(t, "neighbour", kube.Running).Status.PodIP}
	objects, err := manifest.BuildSpace{
		Namespace: n.Name, PriorityClass: "unused",
		Allow: []manifest.Allowance{{Network: netip.PrefixFrom(netip.MustParseAddr(n.Host), 32), Port: uint16(number)}},
	}.Objects()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		switch o.GetObjectKind().GroupVersionKind().Kind {
		case "Namespace":
			n.Apply(t, "namespaces", o)
		case "NetworkPolicy":
			n.Apply(t, "networkpolicies", o)
		}
	}
	return b
}

// listener is a pod that answers whoever calls it, as confined as its namespace asks
// for.
func listener() *core.Pod {
	p := kube.Script("neighbour", "while :; do echo hello | nc -l -p 8080; done")
	p.Spec.SecurityContext = &core.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(int64(2000)),
		SeccompProfile: &core.SeccompProfile{Type: core.SeccompProfileTypeRuntimeDefault},
	}
	p.Spec.Containers[0].SecurityContext = &core.SecurityContext{
		AllowPrivilegeEscalation: new(false), Capabilities: &core.Capabilities{Drop: []core.Capability{"ALL"}},
	}
	return p
}

// hostile is a build of a few scripts, and what becomes of it.
type hostile struct {
	steps []string
	limit string // of each step's time; "" is long
	more  string // further fields of its Stack's build
	env   string // "" is dev
	state delivery.RunState
	cause string // its code; "" for a build that succeeds
	says  string // in the Cause or its evidence
	// meanwhile looks while the build runs, check when it has ended.
	meanwhile func(t *testing.T, b *besieged, r api.Run)
	check     func(t *testing.T, r api.Run, log string)
}

// little bounds a hostile build's pod.
const little = `"pod": {"resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "256Mi", "ephemeral-storage": "200Mi"}}}`

// begin starts a hostile build.
func (b *besieged) begin(name string, h hostile) delivery.RunID {
	b.t.Helper()
	var steps []map[string]string
	for i, run := range h.steps {
		steps = append(steps, map[string]string{"name": fmt.Sprintf("step-%d", i+1), "run": run, "timeout": or(h.limit, "10m")})
	}
	text, err := json.Marshal(steps)
	if err != nil {
		b.t.Fatal(err)
	}
	b.api.Apply(harness.Document("Stack", name, fmt.Sprintf(
		`{"language": "sh", "build": {"image": %q, "checkout": "none", "steps": %s, %s}, "runtime": {"base": ""}}`,
		b.busybox(), text, or(h.more, little))), app(name, name))
	return b.start(name, or(h.env, "dev"), someCommit)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// code is what a build's runner claimed its attempt with, as who rules the cluster sees
// it.
func (b *besieged) code(t *testing.T, key string) string {
	t.Helper()
	var p core.Pod
	b.space.Get(t, "pods", key, &p)
	for _, e := range p.Spec.Containers[0].Env {
		if e.Name == "SHIPLOCK_CODE" {
			return e.Value
		}
	}
	t.Fatalf("%s has no code", key)
	return ""
}
