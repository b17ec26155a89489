//go:build e2e

package kube

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Kubelet is the node's agent in the project's own cluster.
type Kubelet struct {
	pid     string
	program string
	log     string
}

// FindKubelet returns nil when the cluster is not the project's own, on this machine.
func (n *Namespace) FindKubelet(t testing.TB) *Kubelet {
	t.Helper()
	dir := n.own()
	if dir == "" {
		return nil
	}
	file, err := os.ReadFile(filepath.Join(dir, "run", "kubelet.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, _, _ := strings.Cut(string(file), " ")
	program, err := os.Readlink("/proc/" + pid + "/exe")
	if err != nil {
		t.Fatalf("the kubelet is away: %v", err)
	}
	return &Kubelet{pid: pid, program: program, log: filepath.Join(dir, "logs", "kubelet.log")}
}

// Pause has it do nothing for a while.
func (k *Kubelet) Pause(t testing.TB, d time.Duration) {
	t.Helper()
	k.away(t, fmt.Sprintf("kill -STOP %s; sleep %.1f; kill -CONT %[1]s", k.pid, d.Seconds()))
}

// Restart kills it, and starts it again after a while.
func (k *Kubelet) Restart(t testing.TB, d time.Duration) {
	t.Helper()
	k.away(t, fmt.Sprintf("kill -KILL %s; sleep %.1f; exec %s up", k.pid, d.Seconds(), k.program))
}

// PauseAPI has the API server of the project's own cluster do nothing for a while. It is
// false, at once, for another cluster.
func (n *Namespace) PauseAPI(t testing.TB, d time.Duration) bool {
	t.Helper()
	dir := n.own()
	if dir == "" {
		return false
	}
	file, err := os.ReadFile(filepath.Join(dir, "run", "kube-apiserver.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, _, _ := strings.Cut(string(file), " ")
	(&Kubelet{pid: pid}).Pause(t, d)
	return true
}

// away runs a script that brings the kubelet back even when the test dies meanwhile:
// other tests have the same node.
func (k *Kubelet) away(t testing.TB, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}
