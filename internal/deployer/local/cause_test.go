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

func TestACommandThatDidNotSucceedIsTheCause(t *testing.T) {
	seven := 7
	for text, c := range map[string]struct {
		code string
		not  Unprepared
	}{
		"the preDeploy command ended with exit code 7: error: no such table": {"predeploy.failed", Unprepared{Outcome: Failed, Detail: "exit status 7", Exit: &seven}},
		"the preDeploy command did not end within 5m0s":                      {"predeploy.deadline", Unprepared{Outcome: Late, Detail: "5m0s"}},
		"the preDeploy command was lost: the supervisor ended":               {"predeploy.lost", Unprepared{Outcome: Lost, Detail: "the supervisor ended"}},
	} {
		got := cause(VersionStatus{Replicas: 1, State: Crashed, Reason: "x", LogTail: []string{"migrating", "error: no such table"}, Unprepared: &c.not}, nil)
		if got == nil || got.Code != c.code || got.Text != text || got.Next == "" {
			t.Errorf("%+v, want %s: %s", got, c.code, text)
		}
	}
}

func TestWhatServesNeedsNoCause(t *testing.T) {
	for _, v := range []VersionStatus{{Ready: 1, Replicas: 1, Reason: "start.sh exited"}, {Replicas: 1, State: Starting}} {
		if got := cause(v, nil); got != nil {
			t.Errorf("%+v of %+v", got, v)
		}
	}
}
