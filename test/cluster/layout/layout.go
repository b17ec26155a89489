// Package layout says where the cluster keeps its state, and which names and
// addresses it has on its machine. Only one cluster fits on a machine.
package layout

import "path/filepath"

// Dir holds everything that the cluster writes, but for what the kernel keeps.
const Dir = "/var/lib/shiplock-cluster"

// Everything listens on the pods' bridge or on loopback, and nowhere else. The
// bridge's address is the node's, so that pods reach what runs on the machine.
const (
	Bridge      = "shiplock0"
	NodeAddress = "10.244.0.1"
	PodNetwork  = "10.244.0.0/20"
	Services    = "10.96.0.0/16"
	KubeService = "10.96.0.1"

	API      = NodeAddress + ":6443"
	EtcdURL  = "http://127.0.0.1:23790"
	EtcdPeer = "http://127.0.0.1:23800"

	// RegistryPort is the registry's, on the bridge and on loopback.
	RegistryPort = "5400"
	Registry     = NodeAddress + ":" + RegistryPort
)

// CgroupRoot is the cgroup, below every hierarchy's root, of all pods.
const CgroupRoot = "shiplock-cluster"

// Path returns a path below Dir.
func Path(elem ...string) string {
	return filepath.Join(append([]string{Dir}, elem...)...)
}

// Files that more than one part uses.
var (
	AdminConfig  = Path("pki", "admin.kubeconfig")
	PolicySocket = Path("run", "policy.sock")
	Containerd   = Path("run", "containerd.sock")
	Volumes      = Path("volumes")
)
