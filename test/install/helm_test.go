//go:build e2e

package install

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var (
	root  = filepath.Join("..", "..")
	chart = filepath.Join(root, "deploy", "chart", "shiplock")
)

var built = sync.OnceValues(func() ([]byte, error) {
	cmd := exec.Command(filepath.Join(root, "test", "helm", "build"))
	cmd.Stderr = os.Stderr
	return cmd.Output()
})

func helmProgram(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatalf("build Helm: %v", err)
	}
	return strings.TrimSpace(string(path))
}

// helm runs Helm, and returns what it printed.
func helm(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), helmProgram(t), args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, errors.String())
	}
	return out
}
