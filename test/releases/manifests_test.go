//go:build e2e

package releases

import (
	"strings"
	"testing"
	"time"

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
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 50, "hold": "manual"}]}, "bake": "0s"`)
	w.app("shop", `, "workload": {"manifests": {"path": "deploy/${env}"}}, "environments": {"prod": {"replicas": 2}}`)
	repo := w.repos["shop"]
	repo.Write("deploy/prod/all.yaml", ownManifests, 0o644)
	one := w.build("shop", "one", "well")
	repo.Write("deploy/prod/all.yaml", strings.ReplaceAll(strings.Split(ownManifests, "---\napiVersion: batch")[0], "blue", "green"), 0o644)
	two := w.build("shop", "two", "well")

	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	w.wantObject("cronjob/nightly", "{.spec.jobTemplate.spec.template.spec.containers[0].image}", "@sha256:")
	w.wantObject("serviceaccount/shop-reader", "{.metadata.labels.app}", "shop")
	w.wantObject("deployment/shop", "{.spec.replicas} {.spec.template.metadata.labels.tier} {.spec.template.spec.containers[0].resources.requests.cpu}", "2 web 10m")
	if drift := w.target("shop").Observed.Drift; len(drift) > 0 {
		t.Errorf("what nobody has changed is shown as drift: %+v", drift)
	}

	tr := w.traffic("shop")
	id := w.release("shop", two)
	w.wantColor("shop-canary", "green")
	w.wantColor("shop", "blue")
	if !harness.Eventually(time.Minute, func() bool {
		var r api.Release
		w.api.Must("GET", "/releases/"+string(id), nil, &r)
		return len(r.Batches) > 0 && !r.Batches[0].ReadyAt.IsZero()
	}) {
		t.Fatal("the canary does not become ready")
	}
	w.api.Must("POST", "/releases/"+string(id)+"/continue", api.Reason{}, nil)
	w.reached(id, delivery.ReleaseDeployed, time.Minute)
	if !harness.Eventually(20*time.Second, func() bool {
		return w.kubectl("get", "cronjob,serviceaccount", "-l", "app=shop", "-o", "name") == ""
	}) {
		t.Error("what the manifests do not have any more stays")
	}
	w.wantColor("shop", "green")
	w.wantObject("service/shop-inner", "{.spec.selector}", `"shiplock.dev/track":"stable"`)
	tr.end()
	tr.wantNone(t)
}
