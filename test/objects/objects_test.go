//go:build e2e

// Package objects shows that what is rendered is what a cluster takes, and does.
package objects

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
	testkube "github.com/shiplock/shiplock/test/kube"
)

// startScript tells what the App sees, serves, and logs to a file to its last moment.
const startScript = `#!/bin/sh
echo "runs as $(id -u):$(id -g) in $(pwd) for $1, $GREETING, $TOKEN, $MODE"
echo "limits: $(cat config/limits.yaml), authority: $(cat /etc/shop/ca.pem)"
touch kept 2>/dev/null || echo "its home cannot be written to"
touch storage/kept && echo "its scratch can be written to"
trap 'echo ended >> logs/app.log; exit 0' TERM
httpd -f -p "$PORT" -h www &
echo started >> logs/app.log
wait
`

type world struct {
	*testing.T
	space  *testkube.Namespace
	client *kube.Client
	place  manifest.Place
	// digest is of the App's image.
	digest delivery.Digest
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, space: testkube.Cluster(t)}
	var err error
	if w.client, err = kube.Connect(kube.Config{Kubeconfig: w.space.Kubeconfig, UserAgent: "shiplock-test"}); err != nil {
		t.Fatal(err)
	}
	w.place = manifest.Place{Namespace: w.space.Name, Registry: w.space.Registry, Tools: w.space.Registry + "/shiplock/web:1"}
	w.restrict()
	w.push()
	return w
}

// restrict has the cluster refuse every pod that is not confined.
func (w *world) restrict() {
	ns := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
	ns.SetName(w.space.Name)
	ns.SetLabels(map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	w.apply(ns)
}

// push makes the App's image, on a base that has no more than a shell, and the one that
// reads log files.
func (w *world) push() {
	client := image.New(image.Config{TempDir: w.TempDir(), Registry: image.Registry{Host: w.space.Registry, PlainHTTP: true}})
	dir := w.TempDir()
	for name, text := range map[string]string{"start.sh": startScript, "www/index.html": "welcome"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			w.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			w.Fatal(err)
		}
	}
	r, err := client.Build(w.Context(), image.Spec{
		Base: w.space.Registry + "/busybox:1", Dir: dir, Dest: w.space.Registry + "/shop", Cmd: []string{"./start.sh"}, Expose: []int{8080},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.digest = delivery.Digest(r.Digest)
	web, err := os.ReadFile("../../bin/shiplock-web")
	if err != nil {
		w.Fatal(err)
	}
	_, err = client.BuildScratch(w.Context(), image.Scratch{
		Dest: w.place.Tools, Files: []image.File{{Path: delivery.DefaultHome + "/.shiplock/web", Mode: 0o755, Data: web}}, User: "app",
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) apply(o manifest.Object) manifest.Object {
	w.Helper()
	resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	now, err := kube.Apply{Manager: "shiplock-test", Force: true}.Do(w.Context(), w.client, resource, o)
	if err != nil {
		w.Fatalf("apply %s %s: %v", o.GetKind(), o.GetName(), err)
	}
	return now
}

func (w *world) revision() delivery.Revision {
	return delivery.NewRevision(delivery.Artifact{App: "shop", Digest: w.digest, Repository: "shop"}, "prod", delivery.Config{
		Variables: map[string]string{"GREETING": "$(HOME) costs $5", "MODE": "the App's"}, Home: delivery.DefaultHome, Port: 8080,
		Health: delivery.Health{Path: "/index.html", Timeout: delivery.Duration(time.Minute)}, Replicas: 2, Logs: "logs/*.log",
		Workload: &delivery.Workload{
			Resources: delivery.Resources{Requests: map[string]delivery.Quantity{"cpu": "10m", "memory": "16Mi"}, Limits: map[string]delivery.Quantity{"memory": "64Mi"}},
			Autoscale: delivery.Autoscale{Min: 2, Max: 4, CPU: 70},
			Ingress:   delivery.Ingress{Host: "shop.example.com", Path: "/", TLSSecret: "shop-tls"},
			Config:    []delivery.ConfigRef{{ConfigMap: "settings"}, {Secret: "vault", Key: "token", Variable: "TOKEN"}},
			Files:     []delivery.ConfigFile{{Path: "config/limits.yaml", Content: "six hundred"}, {Path: "/etc/shop/ca.pem", Secret: "vault", Key: "ca"}},
			Scratch:   []string{"storage"}, Grace: delivery.Duration(20 * time.Second),
			PreDeploy: delivery.PreDeploy{Run: `echo "migrated $(cat config/limits.yaml) of $SHIPLOCK_APP at $PORT"; touch storage/done`, Timeout: delivery.Duration(time.Minute)},
		},
	})
}

// log reads a container's log until it ends, or the test does.
func (w *world) log(pod, container string) io.Reader {
	w.Helper()
	ctx, stop := context.WithTimeout(w.Context(), time.Minute)
	w.Cleanup(stop)
	r, err := w.client.FollowLog(ctx, kube.LogQuery{Namespace: w.space.Name, Pod: pod, Container: container})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = r.Close() })
	return r
}

func (w *world) wantLines(what string, r io.Reader, lines ...string) {
	w.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		w.Errorf("%s: %v", what, err)
	}
	for _, line := range lines {
		if !bytes.Contains(text, []byte(line+"\n")) {
			w.Errorf("%s lacks %q:\n%s", what, line, text)
		}
	}
}

// A cluster that lets in nothing that is not confined takes all objects as they are,
// a second time without a change, and the App has what it asked for.
func TestClusterTakesWhatIsRendered(t *testing.T) {
	w := newWorld(t)
	w.space.Create(t, "configmaps", &core.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"MODE": "the cluster's"}})
	w.space.Create(t, "secrets", &core.Secret{ObjectMeta: metav1.ObjectMeta{Name: "vault"}, StringData: map[string]string{"token": "s3cret", "ca": "ours"}})
	sight := w.space.Look(t)

	w.migrate(sight)
	s := manifest.Shape{
		App: "shop", Env: "prod", Team: "mall", Generation: 1, Serve: manifest.TrackBoth,
		Stable: &manifest.Half{Revision: w.revision(), Replicas: 2, Floor: 2}, Canary: &manifest.Half{Revision: w.revision(), Replicas: 1},
	}
	objects, err := manifest.Render(w.place, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		w.apply(o)
	}
	pods := sight.Await(t, "three ready instances", func(pods map[string]testkube.Seen) bool { return len(ready(pods)) == 3 })
	for _, o := range objects {
		first, again := w.apply(o), w.apply(o)
		if first.GetGeneration() != again.GetGeneration() {
			t.Errorf("%s %s changes when it is applied again", o.GetKind(), o.GetName())
		}
	}
	w.lookInside(sight, ready(pods)[0])
}

// migrate runs the Job, and reads what it said.
func (w *world) migrate(sight *testkube.Sight) {
	objects, err := manifest.PreDeploy(w.place, manifest.Migration{App: "shop", Env: "prod", Release: "r1", Revision: w.revision()})
	if err != nil {
		w.Fatal(err)
	}
	for _, o := range objects {
		w.apply(o)
	}
	var job string
	sight.Await(w, "the end of the migration", func(pods map[string]testkube.Seen) bool {
		for name, p := range pods {
			job = name
			return p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed
		}
		return false
	})
	w.wantLines("the migration", w.log(job, "shop"), "migrated six hundred of shop at 8080")
	if phase := sight.Pods()[job].Status.Phase; phase != core.PodSucceeded {
		w.Errorf("the migration %s", phase)
	}
}

// lookInside reads what an instance says of itself, and ends it: its last line must
// come out, and late, since it goes on serving first.
func (w *world) lookInside(sight *testkube.Sight, pod string) {
	app, files := w.log(pod, "shop"), w.log(pod, "shop-logs")
	began := time.Now()
	w.space.DeletePod(w, pod, 25*time.Second)
	w.wantLines("the App", app,
		"runs as 1000:1000 in /home/services for prod, $(HOME) costs $5, s3cret, the App's",
		"limits: six hundred, authority: ours", "its home cannot be written to", "its scratch can be written to")
	if took := time.Since(began); took < 4*time.Second || took > 20*time.Second {
		w.Errorf("the instance ended within %s", took)
	}
	w.wantLines("its log files", files, "started", "ended")
	if all := sight.Pods()[pod]; len(all.Status.InitContainerStatuses) != 1 || all.Status.InitContainerStatuses[0].RestartCount > 0 {
		w.Errorf("beside the App: %+v", all.Status.InitContainerStatuses)
	}
}

// ready are instances, not the migration's pod.
func ready(pods map[string]testkube.Seen) (names []string) {
	for name, p := range pods {
		if testkube.Running(p.Pod) && p.Gone.IsZero() && !strings.Contains(name, "predeploy") {
			names = append(names, name)
		}
	}
	return names
}
