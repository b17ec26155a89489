//go:build e2e

// Package pods tests builds in pods, through the real binaries and on a real cluster.
package pods

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

// world is an installation whose builds run in a namespace of a cluster, and a forge
// that both reach.
type world struct {
	t       testing.TB
	space   *kube.Namespace
	server  *harness.Server
	process *harness.Process
	api     *harness.API
	forge   *harness.Forge
}

// newWorld starts a server. Its flags come after those that lead to the cluster.
func newWorld(t testing.TB, flags ...string) *world {
	t.Helper()
	return newWorldIn(t, kube.Cluster(t), flags...)
}

// newWorldIn starts a server whose builds run in a namespace, and push to the cluster's
// registry.
func newWorldIn(t testing.TB, n *kube.Namespace, flags ...string) *world {
	t.Helper()
	return newWorldAlone(t, n, append([]string{
		"--registry", n.Registry + "/" + n.Name, "--registry-plain-http", "--registry-shared-credential",
	}, flags...)...)
}

// newWorldAlone starts a server whose builds run in a namespace, and push to the
// server's own registry.
func newWorldAlone(t testing.TB, n *kube.Namespace, flags ...string) *world {
	t.Helper()
	s := harness.NewServerOn(t, n.Host, append([]string{
		"--executor", "kubernetes", "--kubeconfig", n.Kubeconfig, "--build-namespace", n.Name, "--build-priority-class", "",
		"--build-cache-size", "2Gi", "--lease", "2s", "--capacity", "50", "--reconcile", "0",
	}, flags...)...)
	w := &world{t: t, space: n, server: s, forge: harness.NewForgeOn(t, n.Host, s.URL()+"/nowhere")}
	w.process = s.Start()
	w.api = harness.NewAPI(t, s)
	return w
}

// script is a Stack whose builds run a script of busybox without any source. more is
// further fields of its build, such as `"pod": {…}`.
func (w *world) script(name, run, more string) harness.Doc {
	if more != "" {
		more = ", " + more
	}
	return harness.Document("Stack", name, fmt.Sprintf(
		`{"language": "sh", "build": {"image": %q, "checkout": "none", "steps": [{"name": "work", "run": %s, "timeout": "10m"}]%s}, "runtime": {"base": ""}}`, w.busybox(), quoted(run), more))
}

// quoted is a string in JSON.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // it is a string
	}
	return string(text)
}

func (w *world) busybox() string { return w.space.Registry + "/busybox:1" }

// app is an App of a Stack that needs no source.
func app(name, stack string) harness.Doc {
	return harness.Document("App", name, fmt.Sprintf(`{"repo": "http://git.example.com/team/%s.git", "stack": %q}`, name, stack))
}

// in is the world for a part of the test.
func (w *world) in(t testing.TB) *world {
	part := *w
	part.t = t
	return &part
}

// someCommit is the commit of builds that need no source.
const someCommit = "0123456789012345678901234567890123456789"

// start starts a run.
func (w *world) start(app, env, sha string) delivery.RunID {
	w.t.Helper()
	var r api.Run
	w.api.Must("POST", "/runs", api.StartRun{App: app, Env: env, Commit: sha}, &r)
	return r.ID
}

// ended waits until a run is over.
func (w *world) ended(id delivery.RunID, limit time.Duration) api.Run {
	w.t.Helper()
	var r api.Run
	if !harness.Eventually(limit, func() bool {
		r = w.api.Run(id)
		return r.State.Terminal()
	}) {
		w.t.Fatalf("%s is still %s after %s: %+v\n%s\n%s", r.Name, r.State, limit, r.Cause, w.api.LogText(id), w.server.LogTail())
	}
	return r
}

// good waits until a run has ended well.
func (w *world) good(id delivery.RunID, limit time.Duration) api.Run {
	w.t.Helper()
	r := w.ended(id, limit)
	if r.State != delivery.RunSucceeded {
		w.t.Fatalf("%s is %s: %+v\n%s\n%s", r.Name, r.State, r.Cause, w.api.LogText(id), w.server.LogTail())
	}
	return r
}

// checkOrphans wants no build's pod to be left.
func (w *world) checkOrphans() {
	w.t.Helper()
	var left []core.Pod
	began := time.Now()
	if !harness.Eventually(2*time.Minute, func() bool {
		left = slices.DeleteFunc(w.space.Pods(w.t), func(p core.Pod) bool { return p.Labels["app.kubernetes.io/managed-by"] != "shiplock" })
		return len(left) == 0
	}) {
		for _, p := range left {
			w.t.Errorf("left: %s, %s, deleted %v", p.Name, p.Status.Phase, p.DeletionTimestamp)
		}
		return
	}
	w.t.Logf("no pod is left after %s", time.Since(began).Round(time.Second))
}

// builtin is a built-in Stack whose builds run in another image.
func builtin(t testing.TB, name, image string) harness.Doc {
	t.Helper()
	all := catalog.Builtin()
	i := slices.IndexFunc(all, func(d delivery.Document) bool { return d.Kind == catalog.KindStack && d.Name == name })
	if i < 0 {
		t.Fatalf("there is no built-in Stack %s", name)
	}
	var spec map[string]any
	if err := json.Unmarshal(all[i].Spec, &spec); err != nil {
		t.Fatal(err)
	}
	build := spec["build"].(map[string]any)
	build["image"] = image
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return harness.Document("Stack", name, string(text))
}
