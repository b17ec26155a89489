//go:build e2e

package kube

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
)

const (
	gib = 1 << 30
	// leastDisk is what has to be free for a disk to be filled as far as a test does.
	leastDisk = 10 * gib
	// slack is what is free beyond the kubelet's threshold: what others write meanwhile
	// must be less. Filling takes twice as much.
	slack = 2 * gib
)

// Disk is a node's disk that can be filled until its kubelet finds too little left.
// Really full it never is: the kubelet is started again with a threshold that is a
// little less than what is free.
type Disk struct {
	n       *Namespace
	file    string
	release func()
	empty   func()
}

// FindDisk returns nil when the node's disk cannot be filled: it is not the project's
// own cluster, or the machine has too little free itself.
func (n *Namespace) FindDisk(t testing.TB) *Disk {
	t.Helper()
	k := n.FindKubelet(t)
	if k == nil {
		return nil
	}
	dir := filepath.Join(n.own(), "kubelet")
	free := freeBytes(t, dir)
	if free < leastDisk {
		t.Logf("%d GiB of the disk are free, which is too little to fill some", free/gib)
		return nil
	}
	d := &Disk{n: n, file: filepath.Join(dir, "ballast"), empty: func() {}}
	d.release = k.Instead(t, fmt.Sprintf("--eviction-hard=nodefs.available<%d", free-slack), "--eviction-pressure-transition-period=1s")
	return d
}

func freeBytes(t testing.TB, dir string) int64 {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	return int64(s.Bavail) * s.Bsize
}

// Fill takes more than the kubelet can do without, and waits until it has noticed.
func (d *Disk) Fill(t testing.TB) {
	t.Helper()
	d.empty = hold(t, fmt.Sprintf("fallocate -l %d %s", 2*slack, d.file), "rm -f "+d.file)
	d.await(t, true)
}

// Empty gives back what Fill took, and waits until builds may come again.
func (d *Disk) Empty(t testing.TB) {
	t.Helper()
	d.empty()
	d.await(t, false)
}

// Release ends all of it, and gives the node its usual kubelet.
func (d *Disk) Release() {
	d.empty()
	d.release()
}

// await waits until the node says whether its disk is full, and keeps pods away, or not.
func (d *Disk) await(t testing.TB, full bool) {
	t.Helper()
	client, err := d.n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	var nodes core.NodeList
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		nodes = core.NodeList{} // what is not there any more would stay
		if err := client.Get().Resource("nodes").Do(t.Context()).Into(&nodes); err != nil {
			t.Fatal(err)
		}
		if pressed(nodes.Items) == full && kept(nodes.Items) == full {
			return
		}
	}
	t.Fatalf("the node's disk is not as expected (full: %v): %+v", full, nodes.Items)
}

func pressed(nodes []core.Node) bool {
	for _, n := range nodes {
		for _, c := range n.Status.Conditions {
			if c.Type == core.NodeDiskPressure && c.Status == core.ConditionTrue {
				return true
			}
		}
	}
	return false
}

func kept(nodes []core.Node) bool {
	for _, n := range nodes {
		for _, taint := range n.Spec.Taints {
			if taint.Key == core.TaintNodeDiskPressure {
				return true
			}
		}
	}
	return false
}

// Instead runs the kubelet with more flags, which come after its own, in place of it
// until the function is called or the test ends.
func (k *Kubelet) Instead(t testing.TB, flags ...string) (release func()) {
	t.Helper()
	line, err := os.ReadFile("/proc/" + k.pid + "/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	args := append(strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"), flags...)
	for i, a := range args {
		args[i] = "'" + a + "'"
	}
	// What it listens on is free once it has ended.
	begin := fmt.Sprintf("kill -KILL %s\nfor i in $(seq 100); do kill -0 %[1]s 2>/dev/null || break; sleep 0.1; done\n%s >>%s 2>&1 </dev/null &\npid=$!",
		k.pid, strings.Join(args, " "), k.log)
	return hold(t, begin, fmt.Sprintf("kill -KILL $pid\nwait $pid || true\n%s up >/dev/null", k.program))
}
