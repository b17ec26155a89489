package local

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestACrashIsToldInTheAppsOwnWords(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	code := filepath.Join(dir, "targets", "shop_dev", "images", "3e98f53dc4270ce9")
	start := []string{"shop starts", code + "/server.js:11", "  throw err", "", "Error: no prices", "    at main (" + code + "/server.js:11:9)", "Node.js v20.20.2"}
	exit := 1
	got := cause(VersionStatus{
		ID: "sha256:0123456789abcdef", Replicas: 1, State: Crashed, ExitCode: &exit,
		Reason: "start.sh exited with code 1 before it was healthy", LogTail: append(start, start...),
	}, codeRoots(dir))
	want := &delivery.Cause{
		Code: "app.crashed", Text: "start.sh exited with code 1 before it was healthy: server.js:11: Error: no prices",
		Exit: &exit, Evidence: []string{"server.js:11: Error: no prices"}, Next: "Read the app's log, mend it, and push again.",
		Args: map[string]string{
			"exit": "1", "revision": delivery.RevisionID("sha256:0123456789abcdef").Short(),
			"reason": "start.sh exited with code 1 before it was healthy", "error": "server.js:11: Error: no prices",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatServesNeedsNoCause(t *testing.T) {
	for _, v := range []VersionStatus{{Ready: 1, Replicas: 1, Reason: "start.sh exited"}, {Replicas: 1, State: Starting}} {
		if got := cause(v, nil); got != nil {
			t.Errorf("%+v of %+v", got, v)
		}
	}
}
