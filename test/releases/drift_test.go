//go:build e2e

package releases

import (
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// What others change of the traffic is taken back within seconds, in the midst of a
// canary; the rest is shown, field by field, and left.
func TestClusterDrift(t *testing.T) {
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 50, "hold": "manual"}]}, "bake": "5m"`)
	w.app("shop", `, "environments": {"prod": {"replicas": 2}}`)
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	id := w.release("shop", two)
	w.reached(id, delivery.ReleasePaused, time.Minute)
	canary := w.deployment("shop-canary")
	for _, c := range []struct {
		name   string
		injure func()
		healed func() bool
	}{
		{"the Service points nowhere", func() {
			w.space.EditService(t, "shop", `{"spec": {"selector": {"shiplock.dev/track": "nobody"}}}`)
		}, func() bool { return w.service("shop").Spec.Selector["shiplock.dev/track"] == "" }},
		{"the Service's selector is gone", func() {
			w.space.EditService(t, "shop", `{"spec": {"selector": null}}`)
		}, func() bool { return w.service("shop").Spec.Selector["app"] == "shop" }},
		{"the stable version has one pod", func() {
			w.space.EditDeployment(t, "shop", `{"spec": {"replicas": 1}}`)
		}, func() bool { return *w.deployment("shop").Spec.Replicas == 2 }},
		{"the canary was deleted", func() {
			w.space.DeleteDeployment(t, "shop-canary")
		}, func() bool { d := w.deployment("shop-canary"); return d != nil && d.UID != canary.UID }},
		{"the canary's image in the stable version", func() {
			w.space.EditDeployment(t, "shop", `{"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": "`+canary.Spec.Template.Spec.Containers[0].Image+`"}]}}}}`)
		}, func() bool {
			return w.deployment("shop").Spec.Template.Spec.Containers[0].Image != canary.Spec.Template.Spec.Containers[0].Image
		}},
	} {
		c.injure()
		injured := time.Now()
		if !harness.Eventually(20*time.Second, c.healed) {
			t.Errorf("%s, and 20 s later it still is so\n%s", c.name, w.server.LogTail())
		}
		w.promise(c.name+", healed after", time.Since(injured).Seconds(), 5, "")
	}

	w.space.EditDeployment(t, "shop", `{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77}}}}`)
	var r api.Release
	if !harness.Eventually(20*time.Second, func() bool {
		w.api.Must("GET", "/releases/"+string(id), nil, &r)
		return len(r.Observed.Drift) > 0
	}) {
		t.Fatalf("the drift is not shown: %+v", r.Observed)
	}
	if d := r.Observed.Drift[0]; d.Object != "Deployment/shop" || !strings.Contains(d.Field, "terminationGracePeriodSeconds") || d.Have != "77" {
		t.Errorf("the drift is shown as %+v", r.Observed.Drift)
	}
	if !harness.Eventually(time.Minute, func() bool { // once the pods are back
		return w.api.Do("POST", "/releases/"+string(id)+"/continue", api.Reason{}, nil) == nil
	}) {
		t.Fatal("the release cannot go on")
	}
	w.reached(id, delivery.ReleaseDeployed, time.Minute)
}

// deployment returns a Deployment, or nil.
func (w *world) deployment(name string) *apps.Deployment {
	var d apps.Deployment
	if !w.space.Find(w.t, "deployments", name, &d) {
		return nil
	}
	return &d
}

func (w *world) service(name string) *core.Service {
	w.t.Helper()
	var s core.Service
	w.space.Get(w.t, "services", name, &s)
	return &s
}
