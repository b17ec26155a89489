//go:build e2e

package kube

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

// CanCut tells whether Cut works here: on the project's own cluster.
func (n *Namespace) CanCut() bool { return n.own() != "" }

// Workspace is where a build's workspace is on this machine, which CanCut says the node
// is.
func (n *Namespace) Workspace(pod *core.Pod) string {
	return filepath.Join(n.own(), "kubelet", "pods", string(pod.UID), "volumes", "kubernetes.io~empty-dir", "workspace")
}

// Cut drops every packet from and to some pods, by their addresses, without a word to
// either side, as a broken network does. The function that it returns ends that.
func (n *Namespace) Cut(t testing.TB, addresses ...string) (restore func()) {
	t.Helper()
	if len(addresses) == 0 {
		return func() {}
	}
	table := "inet shiplock-cut-" + addresses[0]
	pods := "{ " + strings.Join(addresses, ", ") + " }"
	begin := fmt.Sprintf(`nft -f - <<'END'
table %s {
	chain forward {
		type filter hook forward priority filter - 20; policy accept;
		ip saddr %[2]s drop
		ip daddr %[2]s drop
	}
	chain input {
		type filter hook input priority filter - 20; policy accept;
		ip saddr %[2]s drop
	}
	chain output {
		type filter hook output priority filter - 20; policy accept;
		ip daddr %[2]s drop
	}
}
END`, table, pods)
	return hold(t, begin, "nft delete table "+table)
}
