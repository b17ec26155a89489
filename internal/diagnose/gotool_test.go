package diagnose_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/quality"
)

// The recordings are of one version of Go. This holds the reading against the one
// that is installed.
func TestTheInstalledGo(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	for name, c := range map[string]struct {
		test string // the body of shop_test.go's test
		args string
		want string
	}{
		"compile": {"undefined()", "vet .", "undefined: undefined"},
		"unbuilt": {"undefined()", "test -json .", "compile failed (exit 1): ./shop_test.go:5:30: undefined: undefined"},
		"assert":  {`t.Errorf("got %d, want 3", 2)`, "test -json .", "1 test failed: TestShop: shop_test.go:5: got 2, want 3"},
		"panic":   {"var m map[int]int; m[1] = 1", "test -json .", "1 test failed: TestShop: shop_test.go:5: panic: assignment to entry in nil map"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "go.mod", "module example.com/shop\n\ngo 1.21\n")
			write(t, dir, "shop_test.go", "package shop\n\nimport \"testing\"\n\nfunc TestShop(t *testing.T){ "+c.test+" }\n")
			cmd := exec.Command("go", strings.Fields(c.args)...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local")
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			var exit *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &exit) {
				t.Fatal(err)
			}
			got := ran{step: "test", exit: exit.ExitCode(), format: quality.GoTestJSON, root: dir, stdout: strings.Split(stdout.String(), "\n"), stderr: strings.Split(stderr.String(), "\n")}.cause(false)
			promised(t, got)
			if !strings.Contains(got.Text, c.want) {
				t.Errorf("%q, want %q, of\n%s%s", got.Text, c.want, &stdout, &stderr)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
