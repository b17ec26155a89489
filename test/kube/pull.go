//go:build e2e

package kube

import (
	"fmt"
	"path/filepath"
	"testing"
)

// CanPull tells whether PullFrom works here: on the project's own cluster.
func (n *Namespace) CanPull() bool { return n.own() != "" }

// PullFrom has the node look up the images of a registry (HOST:PORT) at an address, with
// what its certificate is signed by in a file if it has one, and no longer in the
// cluster's own registry. The function that it returns ends that.
func (n *Namespace) PullFrom(t testing.TB, registry, url, ca string) (restore func()) {
	t.Helper()
	dir := filepath.Join(n.own(), "etc", "hosts", registry)
	trust := ""
	if ca != "" {
		trust = fmt.Sprintf("ca = %q", ca)
	}
	begin := fmt.Sprintf(`mkdir %[1]q
cat >%[1]q/hosts.toml <<'END'
server = %[2]q
%[3]s

[host.%[2]q]
  capabilities = ["pull", "resolve"]
  %[3]s
END`, dir, url, trust)
	return hold(t, begin, fmt.Sprintf("rm -r %q", dir))
}
