//go:build e2e

package kube

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// hold runs a script that begins something which others must not be left with, and
// returns when it has begun. The other script undoes it: once the function is called,
// at the test's end, or when the test is killed. It ends with its standard input.
func hold(t testing.TB, begin, undo string) (release func()) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command("sh", "-c", fmt.Sprintf("set -e\nundo() {\n%s\n}\ntrap undo EXIT\n%s\necho begun\ncat >/dev/null\n", undo, begin))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("undo: %v\n%s", err, said.String())
		}
	})
	t.Cleanup(release)
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		release()
		t.Fatalf("it did not begin: %s\n%s", begin, said.String())
	}
	return release
}

// own is the folder of the project's own cluster, if this is it, on this machine, and
// may be changed; else "".
func (n *Namespace) own() string {
	dir := filepath.Dir(filepath.Dir(n.Kubeconfig))
	if _, err := os.Stat(filepath.Join(dir, "run", "kubelet.pid")); err != nil || os.Geteuid() != 0 {
		return ""
	}
	return dir
}
