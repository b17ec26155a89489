package runner_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shiplock/shiplock/internal/runner"
)

// In a pod a build sees its image's own environment, but for what the cluster says and
// what would lead out of its HOME, and its folders are as on one machine: a volume with
// a group of its own leaves no trace in what the build makes.
func TestInAContainer(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	if err := os.Chmod(volume, 0o777|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	s := serve(t, script("look", `echo "RUSTUP_HOME=$RUSTUP_HOME"; echo "GOPATH=$GOPATH"; echo "HOST=$KUBERNETES_SERVICE_HOST"
mkdir made; stat -c %a . made "$HOME" "$TMPDIR"`))
	r := launch(t, s, "RUSTUP_HOME=/opt/rust", "GOPATH=/go", "KUBERNETES_SERVICE_HOST=10.96.0.1",
		runner.EnvImage+"=own", runner.EnvWorkspace+"="+filepath.Join(volume, "job"))
	if code := r.exit(t); code != runner.ExitReported {
		t.Fatalf("exit code %d", code)
	}
	want := []string{"RUSTUP_HOME=/opt/rust", "GOPATH=", "HOST=", "755", "755", "755", "755"}
	if got := s.text("out"); !slices.Equal(got, want) {
		t.Errorf("it printed %q, want %q", got, want)
	}
}
