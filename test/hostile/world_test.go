//go:build e2e

// Package hostile gives the real programs what nobody should: steps that fill the
// log and the disk, that do not end, that leave processes and links behind; and
// documents that grow when they are read. Every case must end with a clear Cause,
// touch nothing outside of its workspace, and leave its neighbours alone.
package hostile

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// long has the large cases take their full size: 10 GB of log, a line of 1 GB, a
// million files. They take minutes.
var long = flag.Bool("long", false, "the large cases in full size")

// sized is n, or with -long its full size.
func sized(n, full int) int {
	if *long {
		return full
	}
	return n
}

// patience is for one run, on a busy machine.
func patience() time.Duration {
	if *long {
		return 45 * time.Minute
	}
	return 2 * time.Minute
}

// world is a server, a forge before it, and a directory that no build may touch.
type world struct {
	t       *testing.T
	server  *harness.Server
	process *harness.Process
	forge   *harness.Forge
	api     *harness.API
	outside string

	mu sync.Mutex // the forge makes one repository at a time
}

// secret is in the directory outside: no log and no image may hold it.
const secret = "the-content-of-a-file-outside"

func newWorld(t *testing.T, prepare func(*harness.Server), flags ...string) *world {
	t.Helper()
	w := &world{t: t, outside: t.TempDir()}
	w.server = harness.NewServer(t, append([]string{"--capacity", "3", "--log-limit", "20"}, flags...)...)
	if prepare != nil {
		prepare(w.server)
	}
	w.forge = harness.NewForge(t, w.server.URL()+"/hooks/gitlab")
	w.process = w.server.Start()
	w.api = harness.NewAPI(t, w.server)
	for name, text := range map[string]string{"file": secret, "TEST-x.xml": `<testsuite tests="7"><testcase name="` + secret + `"/></testsuite>`} {
		if err := os.WriteFile(filepath.Join(w.outside, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.api.Apply(stack("hostile", "2m"), stack("short", "3s"), stack("patient", patience().String()))
	return w
}

func stack(name, limit string) harness.Doc {
	return harness.Document("Stack", name, `{"language": "sh",
		"build": {"steps": [{"name": "build", "run": "sh -e ./build.sh", "timeout": "`+limit+`", "reports": [{"format": "junit", "path": "reports/**/*.xml"}]}]},
		"runtime": {"base": "{registry}/shiplock/base:1", "start": "sleep 1"}}`)
}

// hostile is a repository and what becomes of its run.
type hostile struct {
	stack string            // empty is "hostile"
	path  string            // the App's
	files map[string]string // "name -> target" is a link
	build string            // build.sh; $OUTSIDE is the directory outside
	state delivery.RunState
	says  string // in the Cause
	// check looks further.
	check func(t *testing.T, w *world, r api.Run, log string)
}

// run takes a repository to the end of its run.
func (w *world) run(t *testing.T, name string, h hostile) (api.Run, string) {
	t.Helper()
	id := w.push(t, name, h)
	var r api.Run
	if !harness.Eventually(patience(), func() bool {
		r = w.api.Run(id)
		return r.State.Terminal()
	}) {
		t.Fatalf("%s is still %s\n%s", name, r.State, w.server.LogTail())
	}
	return r, w.api.LogText(id)
}

// push has a run begin.
func (w *world) push(t *testing.T, name string, h hostile) delivery.RunID {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	repo := w.forge.NewRepo("hostile/" + name)
	repo.Write("build.sh", strings.ReplaceAll(h.build, "$OUTSIDE", w.outside), 0o755)
	for file, text := range h.files {
		text = strings.ReplaceAll(text, "$OUTSIDE", w.outside)
		if link, target, ok := strings.Cut(file, " -> "); ok {
			target = strings.ReplaceAll(target, "$OUTSIDE", w.outside)
			if err := os.Symlink(target, filepath.Join(repo.Dir, link)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		repo.Write(file, text, 0o644)
	}
	spec, err := json.Marshal(map[string]any{"repo": repo.CloneURL, "path": h.path, "stack": or(h.stack, "hostile")})
	if err != nil {
		t.Fatal(err)
	}
	w.api.Apply(harness.Document("App", name, string(spec)))
	sha := repo.Commit("hostile")
	repo.Push("side")
	var run struct{ ID delivery.RunID }
	w.api.Must(http.MethodPost, "/runs", map[string]any{"app": name, "env": "pre", "commit": sha}, &run)
	return run.ID
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// untouched wants the directory outside to be as it was made.
func (w *world) untouched(t *testing.T) {
	t.Helper()
	files, err := os.ReadDir(w.outside)
	if err != nil || len(files) != 2 {
		t.Errorf("outside there are %v, %v", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		text, readErr := os.ReadFile(filepath.Join(w.outside, f.Name()))
		if err != nil || readErr != nil || info.Mode().Perm() != 0o600 || !strings.Contains(string(text), secret) {
			t.Errorf("outside, %s is %v now, with %q", f.Name(), info.Mode(), text)
		}
	}
}

// neighbour wants an honest build to end well.
func (w *world) neighbour(t *testing.T, name string) {
	t.Helper()
	r, log := w.run(t, name, hostile{build: "echo fine\nmkdir start_env; echo x > start_env/x\n"})
	if r.State != delivery.RunSucceeded || !strings.Contains(log, "fine") {
		t.Errorf("a neighbour %s: %+v\n%s", r.State, r.Cause, log)
	}
}

// cleared wants no workspace, and no process of one, to be left.
func (w *world) cleared(t *testing.T) {
	t.Helper()
	dir := filepath.Join(w.server.Data, "attempts")
	var left []string
	if !harness.Eventually(time.Duration(sized(20, 300))*time.Second, func() bool {
		left, _ = filepath.Glob(filepath.Join(dir, "*", "ws*"))
		return len(left) == 0 && len(processesIn(dir)) == 0
	}) {
		t.Errorf("left: %v, processes %v", left, processesIn(dir))
	}
}

// processesIn lists the processes whose directory is below one.
func processesIn(dir string) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range all {
		if cwd, err := os.Readlink(p + "/cwd"); err == nil && strings.HasPrefix(cwd, dir) {
			pid, _ := strconv.Atoi(filepath.Base(p))
			pids = append(pids, pid)
		}
	}
	return pids
}

// memory is the server's resident size now and at most, in MB.
func (w *world) memory(t *testing.T) (peak int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.process.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb >> 10
		}
	}
	return 0
}

// disk is the size of a directory of the server's, in MB.
func (w *world) disk(t *testing.T, name string) int {
	t.Helper()
	out, err := exec.Command("du", "-sm", filepath.Join(w.server.Data, name)).Output()
	if err != nil {
		t.Fatal(err)
	}
	mb, err := strconv.Atoi(strings.Fields(string(out))[0])
	if err != nil {
		t.Fatal(err)
	}
	return mb
}

// shiplock runs the command line against the server.
func (w *world) shiplock(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(harness.Bin(t, "shiplock"), args...)
	cmd.Env = append(os.Environ(), "SHIPLOCK_URL="+w.server.URL(), "SHIPLOCK_TOKEN="+harness.AdminToken)
	out, _ := cmd.CombinedOutput() // what it says is what matters
	return string(out)
}
