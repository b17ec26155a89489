//go:build e2e

// Package install tests the chart: what it renders, and an installation on a real cluster
// from its own image to its end.
package install

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

const release = "shiplock"

// world is two namespaces, of the server and of an environment, and a third for builds
// that the chart makes.
type world struct {
	t           testing.TB
	space, prod *kube.Namespace
	api         *harness.API
	forge       *harness.Forge
	repo        *harness.Repo
	// values are further ones of the chart, as name=value.
	values []string
	// gate lets the slow build go on; it asks at gateURL.
	gate    atomic.Bool
	gateURL string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	helmProgram(t)
	w := &world{t: t, space: kube.Cluster(t), prod: kube.Cluster(t)}
	w.forge = harness.NewForgeOn(t, w.space.Host, "http://"+w.space.Host+"/nowhere")
	l, err := net.Listen("tcp", net.JoinHostPort(w.space.Host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if !w.gate.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	w.gateURL = "http://" + l.Addr().String()
	w.space.Apply(t, "namespaces", &core.Namespace{ // nothing in the chart needs more than the strictest allows
		TypeMeta:   meta.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: meta.ObjectMeta{Name: w.space.Name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}},
	})
	w.space.Create(t, "secrets", &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "shiplock-env"}, StringData: map[string]string{
		"SHIPLOCK_ADMIN_TOKEN": harness.AdminToken, "SHIPLOCK_HOOK_SECRET": harness.HookSecret, "SHIPLOCK_CLONE_PASSWORD": harness.ClonePass,
	}})
	return w
}

// image makes the server's image, and returns its repository.
func (w *world) image(tag string) string {
	w.t.Helper()
	repository := w.space.Registry + "/" + w.space.Name + "/server"
	cmd := exec.CommandContext(w.t.Context(), "go", "run", "-buildvcs=false", "./deploy/image", "-plain-http", "-version", tag,
		"-base", w.space.ToolImage(w.t, "git"), "-bin", filepath.Dir(harness.Bin(w.t, "shiplock")), "-dest", repository+":"+tag)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("make the server's image: %v\n%s", err, out)
	}
	return repository
}

// chart installs or upgrades, and waits until the server is ready.
func (w *world) chart(verb, tag string) {
	w.t.Helper()
	n, builds := w.space, w.space.Name+"-builds"
	forge := strings.TrimPrefix(w.forge.URL, "http://")
	args := []string{verb, release, chart, "--namespace", n.Name, "--kubeconfig", n.Kubeconfig, "--wait", "--timeout", "3m"}
	for _, value := range append(w.values,
		"image.repository="+w.image(tag), "image.tag="+tag, "existingSecret=shiplock-env",
		"registry.address="+n.Registry+"/"+n.Name, "registry.plainHTTP=true", "registry.sharedCredential=true",
		"url=http://shiplock.test", "persistence.size=1Gi", "resources.requests.cpu=50m",
		"builds.namespace="+builds, "builds.priorityClass="+builds, "builds.cache.size=",
		"builds.quota.pods=10", "builds.allow={"+n.Host+"/32}",
		"releases.namespaces={"+w.prod.Name+"}",
		"extraArgs={--clone-user="+harness.CloneUser+",--clone-host="+forge+",--reconcile=0}") {
		args = append(args, "--set", value)
	}
	helm(w.t, args...)
}

// install installs, and finds the server as people in the cluster do: by its Service.
func (w *world) install(tag string) {
	w.t.Helper()
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		// Also what is not in a namespace goes, whatever came of the test.
		_ = exec.CommandContext(ctx, helmProgram(w.t), "uninstall", release, "--namespace", w.space.Name, "--ignore-not-found", "--kubeconfig", w.space.Kubeconfig).Run()
	})
	w.chart("install", tag)
	w.api = harness.NewAPIAt(w.t, "http://"+w.address(w.space, release))
}

func (w *world) upgrade(tag string) {
	w.t.Helper()
	w.chart("upgrade", tag)
	pods := w.space.Pods(w.t)
	for _, p := range pods {
		if p.DeletionTimestamp == nil && !strings.HasSuffix(p.Spec.Containers[0].Image, ":"+tag) {
			w.t.Errorf("after the upgrade there is a pod of %s", p.Spec.Containers[0].Image)
		}
	}
}

// address is of a Service, as its cluster knows it.
func (w *world) address(n *kube.Namespace, service string) string {
	w.t.Helper()
	var s core.Service
	n.Get(w.t, "services", service, &s)
	return net.JoinHostPort(s.Spec.ClusterIP, fmt.Sprint(s.Spec.Ports[0].Port))
}

// applyCatalog says that prod is in the cluster that the server runs in, without any
// kubeconfig.
func (w *world) applyCatalog() {
	w.t.Helper()
	w.repo = w.forge.NewRepo("team/shop")
	busybox := w.space.Registry + "/busybox:1"
	w.api.Apply(
		harness.Document("Cluster", "here", `{}`),
		harness.Document("Environment", "prod", fmt.Sprintf(`{"branch": "release", "rank": 4, "cluster": "here", "namespace": %q}`, w.prod.Name)),
		harness.Document("Stack", "site", fmt.Sprintf(`{
			"language": "sh",
			"build": {"image": %q, "steps": [{"name": "build", "run": "mkdir start_env && cp index.html start_env/", "timeout": "1m"}]},
			"runtime": {"base": %q, "start": "#!/bin/sh\nexec httpd -f -p \"$PORT\" -h .", "port": 8080}}`,
			w.space.ToolImage(w.t, "git"), busybox)),
		harness.Document("App", "shop", fmt.Sprintf(`{"repo": %q, "stack": "site"}`, w.repo.CloneURL)),
		harness.Document("Stack", "slow", fmt.Sprintf(`{
			"language": "sh", "runtime": {"base": ""},
			"build": {"image": %q, "checkout": "none", "steps": [{"name": "wait", "run": "until wget -q -O /dev/null %s; do sleep 0.2; done", "timeout": "5m"}]}}`,
			busybox, w.gateURL)),
		harness.Document("App", "slow", `{"repo": "http://git.example.com/team/slow.git", "stack": "slow"}`),
	)
}

func (w *world) commit(app string) string {
	w.t.Helper()
	w.repo.Write("index.html", "version one\n", 0o644)
	sha := w.repo.Commit(app)
	w.repo.Push("release")
	return sha
}

func (w *world) run(app, sha string) delivery.RunID {
	w.t.Helper()
	var r api.Run
	w.api.Must("POST", "/runs", api.StartRun{App: app, Env: "prod", Commit: sha}, &r)
	return r.ID
}

// running waits until a run has begun its own step.
func (w *world) running(id delivery.RunID) {
	w.t.Helper()
	w.until(id, "running", func(r api.Run) bool {
		return r.State.Terminal() || len(r.Jobs) > 0 && r.Jobs[0].State == delivery.JobRunning
	})
}

// good waits until a run has ended well.
func (w *world) good(id delivery.RunID) {
	w.t.Helper()
	w.until(id, "over", func(r api.Run) bool { return r.State.Terminal() })
	if r := w.api.Run(id); r.State != delivery.RunSucceeded {
		w.t.Fatalf("%s is %s: %+v\n%s", r.Name, r.State, r.Cause, w.api.LogText(id))
	}
}

func (w *world) until(id delivery.RunID, state string, reached func(api.Run) bool) {
	w.t.Helper()
	var r api.Run
	if !harness.Eventually(2*time.Minute, func() bool {
		r = w.api.Run(id)
		return reached(r)
	}) {
		w.t.Fatalf("%s is not %s but %s: %+v %+v", r.Name, state, r.State, r.Cause, r.Jobs)
	}
}

func (w *world) release(app string, run int) {
	w.t.Helper()
	var r api.Release
	w.api.Must("POST", "/releases", api.CreateRelease{App: app, Env: "prod", Run: run}, &r)
	if !harness.Eventually(2*time.Minute, func() bool {
		w.api.Must("GET", "/releases/"+string(r.ID), nil, &r)
		return r.State.Terminal()
	}) || r.State != delivery.ReleaseDeployed {
		w.t.Fatalf("the release is %s: %+v", r.State, r.Cause)
	}
}

// serves wants the app to answer through its Service, which leads to new pods a moment
// after they are ready.
func (w *world) serves(text string) {
	w.t.Helper()
	client := http.Client{Timeout: 5 * time.Second}
	url, got := "http://"+w.address(w.prod, "shop")+"/index.html", ""
	if !harness.Eventually(15*time.Second, func() bool {
		resp, err := client.Get(url)
		if err != nil {
			got = err.Error()
			return false
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		got = fmt.Sprintf("%s %q, %v", resp.Status, body, err)
		return strings.Contains(string(body), text)
	}) {
		w.t.Fatalf("%s answers %s, and not %q", url, got, text)
	}
}

// doctor wants the check's worst finding to be this one.
func (w *world) doctor(worst delivery.Level, says string) {
	w.t.Helper()
	var d api.Doctor
	found := ""
	if !harness.Eventually(30*time.Second, func() bool { // the cluster's authoriser learns of roles by watching
		w.api.Must("GET", "/doctor", nil, &d)
		found = ""
		for _, f := range d.Findings {
			if f.Level == worst {
				found += f.Found.Text + "\n"
			}
		}
		return d.Worst == worst && strings.Contains(found, says)
	}) {
		w.t.Fatalf("the doctor does not say %q at worst, but %+v", says, d)
	}
}
