//go:build e2e

// Package releases tests releases on a real cluster, through the real binaries.
package releases

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

// world is an installation that builds on this machine and releases into a namespace of a
// cluster.
type world struct {
	t       testing.TB
	space   *kube.Namespace
	server  *harness.Server
	process *harness.Process
	api     *harness.API
	forge   *harness.Forge
	program string
	repos   map[string]*harness.Repo
}

// newWorld starts a server. Its environment prod is in the namespace; prod is further
// fields of that one's document.
func newWorld(t testing.TB, prod string, flags ...string) *world {
	t.Helper()
	w := prepare(t, flags...)
	w.process = w.server.Start()
	w.begin(prod, w.space.Kubeconfig)
	return w
}

// prepare has all but a server that runs, and what only that can be told.
func prepare(t testing.TB, flags ...string) *world {
	t.Helper()
	n := kube.Cluster(t)
	s := harness.NewServerOn(t, n.Host, append([]string{
		"--registry", n.Registry + "/" + n.Name, "--registry-plain-http", "--registry-shared-credential",
		"--lease", "2s", "--capacity", "4", "--reconcile", "0",
	}, flags...)...)
	w := &world{t: t, space: n, server: s, program: program(t), repos: map[string]*harness.Repo{}}
	w.forge = harness.NewForgeOn(t, n.Host, s.URL()+"/nowhere")
	return w
}

// begin tells the server what there is.
func (w *world) begin(prod, kubeconfig string) {
	w.t.Helper()
	n := w.space
	w.api = harness.NewAPI(w.t, w.server)
	w.api.Apply(
		harness.Document("Cluster", "test", fmt.Sprintf(`{"kubeconfig": %q}`, kubeconfig)),
		harness.Document("Environment", "prod", fmt.Sprintf(`{"branch": "release", "rank": 4, "cluster": "test", "namespace": %q%s}`, n.Name, prod)),
		harness.Document("Stack", "program", fmt.Sprintf(`{
			"language": "sh",
			"build": {"steps": [{"name": "build", "run": "mkdir start_env && cp version behaviour start_env/ && cp %s start_env/app", "timeout": "1m"}]},
			"runtime": {"base": %q, "start": "exec \"$(dirname \"$0\")/app\"", "port": 8080}}`, w.program, n.Registry+"/busybox:1")),
	)
}

// program builds what is deployed.
func program(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app")
	cmd := exec.Command("go", "build", "-o", path, "./app")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the app: %v\n%s", err, out)
	}
	return path
}

// app makes an App; spec is further fields of its document.
func (w *world) app(name, spec string) {
	w.t.Helper()
	r := w.forge.NewRepo("team/" + name)
	w.repos[name] = r
	w.reapply(name, spec)
}

// reapply changes an App's document.
func (w *world) reapply(name, spec string) {
	w.t.Helper()
	w.api.Apply(harness.Document("App", name, fmt.Sprintf(`{"repo": %q, "stack": "program"%s}`, w.repos[name].CloneURL, spec)))
}

// build makes a version of an app, and returns the number of its run.
func (w *world) build(app, version, behaviour string) int {
	w.t.Helper()
	r := w.repos[app]
	r.Write("version", version, 0o644)
	r.Write("behaviour", behaviour, 0o644)
	return w.run(app, r.Commit("version "+version), time.Minute)
}

// run builds a commit for prod, and returns the number of the run.
func (w *world) run(app, sha string, limit time.Duration) int {
	w.t.Helper()
	w.repos[app].Push("release")
	var run api.Run
	w.api.Must("POST", "/runs", api.StartRun{App: app, Env: "prod", Commit: sha}, &run)
	if !harness.Eventually(limit, func() bool {
		run = w.api.Run(run.ID)
		return run.State.Terminal()
	}) || run.State != delivery.RunSucceeded {
		w.t.Fatalf("%s is %s: %+v\n%s", run.Name, run.State, run.Cause, w.api.LogText(run.ID))
	}
	return run.Number
}

// release offers a run to prod.
func (w *world) release(app string, run int) delivery.ReleaseID {
	w.t.Helper()
	return w.releaseTo("prod", app, run)
}

func (w *world) releaseTo(env, app string, run int) delivery.ReleaseID {
	w.t.Helper()
	var r api.Release
	w.api.Must("POST", "/releases", api.CreateRelease{App: app, Env: env, Run: run}, &r)
	return r.ID
}

// reached waits until a release is in a state.
func (w *world) reached(id delivery.ReleaseID, state delivery.ReleaseState, limit time.Duration) api.Release {
	w.t.Helper()
	var r api.Release
	if !harness.Eventually(limit, func() bool {
		w.api.Must("GET", "/releases/"+string(id), nil, &r)
		return r.State == state || r.State.Terminal()
	}) || r.State != state {
		text, _ := json.MarshalIndent(r, "", "  ")
		w.t.Fatalf("the release is %s, and not %s, after %s: %s\n%s", r.State, state, limit, text, w.server.LogTail())
	}
	return r
}

var judged = flag.Bool("judged", false, "fail when a promised time is missed")

// promise holds a time, in seconds, to what is promised, or only tells it: the machines
// of tests are busy.
func (w *world) promise(what string, got, most float64, more string) {
	w.t.Helper()
	if *judged {
		harness.Promise(w.t, what, got, most, "s", more)
		return
	}
	harness.Tell(w.t, "%s: %.3g s%s", what, got, more)
}
