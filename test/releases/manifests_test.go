//go:build e2e

package releases

import (
	"maps"
	"strings"
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// ownManifests are what the app of the test brings.
const ownManifests = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 7
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop, tier: web}}
    spec:
      containers:
        - name: shop
          image: shop:latest
          envFrom: [{configMapRef: {name: settings}}]
          resources: {requests: {cpu: 0.01}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {COLOR: blue}
---
apiVersion: v1
kind: Service
metadata: {name: shop-inner}
spec: {clusterIP: None, selector: {app: shop}, ports: [{name: http, port: 8080}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 1 1 *"
  suspend: true
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: report, image: "${image}"}]}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: shop-reader}
`

// An App brings manifests: they go through a canary with their version, under traffic,
// and what they do not have any more is removed.
func TestClusterOwnManifests(t *testing.T) {
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 50, "hold": "manual"}]}`)
	w.app("shop", `, "workload": {"manifests": {"path": "deploy/${env}"}}, "environments": {"prod": {"replicas": 2}}`)
	repo := w.repos["shop"]
	repo.Write("deploy/prod/all.yaml", ownManifests, 0o644)
	one := w.build("shop", "one", "well")
	repo.Write("deploy/prod/more.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: somebodys}\n", 0o644)
	greedy := w.build("shop", "greedy", "well")
	repo.Write("deploy/prod/more.yaml", "# nothing more\n", 0o644)
	fewer, _, _ := strings.Cut(ownManifests, "---\napiVersion: batch/v1")
	repo.Write("deploy/prod/all.yaml", strings.ReplaceAll(fewer, "blue", "green"), 0o644)
	two := w.build("shop", "two", "well")

	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	w.wantBrought()

	tr := w.traffic("shop")
	w.wantRefused(greedy)
	id := w.release("shop", two)
	if !harness.Eventually(time.Minute, func() bool {
		return w.api.Do("POST", "/releases/"+string(id)+"/continue", api.Reason{}, nil) == nil
	}) {
		t.Fatal("the canary does not become ready")
	}
	for deployment, want := range map[string]string{"shop": "blue", "shop-canary": "green"} {
		if got := w.color(deployment); got != want {
			t.Errorf("%s is %q, want %q", deployment, got, want)
		}
	}
	w.reached(id, delivery.ReleaseDeployed, time.Minute)
	if got := w.service("shop-inner").Spec.Selector; !maps.Equal(got, w.service("shop").Spec.Selector) || got["shiplock.dev/track"] != "canary" {
		t.Errorf("the Service beside leads to %v", got)
	}
	if !harness.Eventually(20*time.Second, func() bool {
		return !w.space.Find(t, "cronjobs", "nightly", &batch.CronJob{})
	}) {
		t.Error("a CronJob that the manifests do not have any more stays")
	}
	tr.end()
	tr.wantNone(t)
}

// wantBrought holds what is there against the manifests, and sees no drift in it.
func (w *world) wantBrought() {
	w.t.Helper()
	var nightly batch.CronJob
	w.space.Get(w.t, "cronjobs", "nightly", &nightly)
	d := w.deployment("shop")
	c := d.Spec.Template.Spec.Containers[0]
	if image := nightly.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image; image != c.Image {
		w.t.Errorf("the CronJob has the image %s, and the app %s", image, c.Image)
	}
	if *d.Spec.Replicas != 2 || d.Spec.Template.Labels["tier"] != "web" || c.Resources.Requests.Cpu().String() != "10m" {
		w.t.Errorf("the Deployment is %+v", d.Spec)
	}
	w.space.Get(w.t, "serviceaccounts", "shop-reader", &core.ServiceAccount{})
	var target api.Target
	if !harness.Eventually(10*time.Second, func() bool {
		w.api.Must("GET", "/targets/shop/prod", nil, &target)
		return !target.Behind
	}) || len(target.Drift) > 0 {
		w.t.Errorf("what nobody has changed is behind, or drift: %+v", target)
	}
}

// wantRefused sees a release fail whose manifests have an object that is somebody else's.
func (w *world) wantRefused(run int) {
	w.t.Helper()
	w.space.Create(w.t, "serviceaccounts", &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{Name: "somebodys"}})
	r := w.reached(w.release("shop", run), delivery.ReleaseFailed, time.Minute)
	if r.Cause == nil || r.Cause.Code != "cluster.taken" {
		w.t.Errorf("the cause is %+v", r.Cause)
	}
	var theirs core.ServiceAccount
	if w.space.Get(w.t, "serviceaccounts", "somebodys", &theirs); len(theirs.Labels) > 0 {
		w.t.Errorf("what is somebody else's has the labels %v", theirs.Labels)
	}
}

// color is what the pods of a Deployment are told by its ConfigMap.
func (w *world) color(deployment string) string {
	w.t.Helper()
	d := w.deployment(deployment)
	if d == nil || len(d.Spec.Template.Spec.Containers[0].EnvFrom) == 0 {
		return ""
	}
	var settings core.ConfigMap
	w.space.Get(w.t, "configmaps", d.Spec.Template.Spec.Containers[0].EnvFrom[0].ConfigMapRef.Name, &settings)
	return settings.Data["COLOR"]
}
