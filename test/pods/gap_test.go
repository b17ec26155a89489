//go:build e2e

package pods

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/test/harness"
)

// verbose prints more, once it is told to, than a runner keeps for a server that is away.
const verbose = `echo begun; until [ -e /workspace/go ]; do sleep 0.2; done
awk 'BEGIN { pad = sprintf("%4000s", ""); for (i = 1; i <= 72000; i++) print "line " i " " pad "." }'; touch /workspace/said`

// testLogGap: what a runner could not keep while the server was away is a gap in the log, which says
// how much is missing and why; the rest follows it.
func (w *world) testLogGap() {
	t := w.t
	t.Helper()
	w.api.Apply(w.script("verbose", verbose, ""), app("verbose", "verbose"))
	id := w.start("verbose", "dev", someCommit)
	w.begun(id)
	pod := w.space.Await(t, "verbose-1-build-1", func(p *core.Pod) bool { return p.Status.PodIP != "" })
	workspace := w.space.Workspace(pod)
	restore := w.space.Cut(t, pod.Status.PodIP)
	if err := os.WriteFile(filepath.Join(workspace, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if !harness.Eventually(2*time.Minute, func() bool {
		_, err := os.Stat(filepath.Join(workspace, "said"))
		return err == nil
	}) {
		t.Fatal("the build does not get its lines out")
	}
	restore()
	w.good(id, 5*time.Minute)
	var page api.LogPage
	w.api.Must("GET", "/runs/"+string(id)+"/logs?limit=500", nil, &page)
	gap := slices.IndexFunc(page.Lines, func(l api.LogLine) bool { return strings.Contains(l.Text, " lines lost: ") })
	var text []string
	for _, l := range page.Lines {
		text = append(text, l.Text)
	}
	first, err := harness.LastLine(strings.Join(text, "\n"))
	if gap < 0 || err != nil {
		t.Fatalf("the log begins with %.2000q: %v", text, err)
	}
	t.Logf("%s; then up to line %d", text[gap], first)
	w.api.Must("GET", "/runs/"+string(id)+"/logs?from=-10", nil, &page)
	if !slices.ContainsFunc(page.Lines, func(l api.LogLine) bool { return strings.HasPrefix(l.Text, "line 72000 ") }) {
		t.Errorf("the log ends with %.2000v", page.Lines)
	}
}
