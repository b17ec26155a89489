//go:build e2e

package releases

import (
	"slices"
	"testing"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// While a canary is judged an autoscaler takes no instance of the old version, however
// little there is to do; afterwards it may.
func TestClusterAutoscalerKeepsItsFloor(t *testing.T) {
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 50, "hold": "manual"}, {"percent": 100}]}`)
	load := w.space.Measure(t)
	w.app("shop", `, "workload": {"resources": {"requests": {"cpu": "10m"}}, "autoscale": {"min": 1, "max": 4, "cpu": 50}}`)
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	load.Each(100)
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	began := time.Now()
	if !harness.Eventually(2*time.Minute, func() bool { return w.deployment("shop").Status.ReadyReplicas == 4 }) {
		t.Fatalf("under load there are %+v; the autoscaler says %+v", w.deployment("shop").Status, w.autoscaler("shop").Status)
	}
	t.Logf("scaled to 4 by its load after %s", time.Since(began).Round(time.Second))
	// Five minutes of patience are its own, and not what is tested.
	w.space.EditAutoscaler(t, "shop", `{"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}}`)

	tr := w.trafficBy("shop", 1)
	id := w.release("shop", two)
	if !harness.Eventually(time.Minute, func() bool {
		var r api.Release
		w.api.Must("GET", "/releases/"+string(id), nil, &r)
		return r.State == delivery.ReleasePaused
	}) {
		t.Fatal("the canary is not held")
	}
	if least := *w.autoscaler("shop").Spec.MinReplicas; least != 4 {
		t.Errorf("at least %d are asked for, and there were 4", least)
	}
	load.Each(0)
	if !harness.Eventually(2*time.Minute, func() bool { return limited(w.autoscaler("shop")) }) {
		t.Fatalf("the autoscaler does not want fewer: %+v", w.autoscaler("shop").Status)
	}
	if d := w.deployment("shop"); *d.Spec.Replicas != 4 || d.Status.ReadyReplicas != 4 {
		t.Errorf("beside the canary there are %d, %d of them ready", *d.Spec.Replicas, d.Status.ReadyReplicas)
	}
	w.api.Must("POST", "/releases/"+string(id)+"/continue", api.Reason{Reason: "test"}, nil)
	w.reached(id, delivery.ReleaseDeployed, time.Minute)
	began = time.Now()
	if !harness.Eventually(2*time.Minute, func() bool { return *w.deployment("shop").Spec.Replicas == 1 }) {
		t.Errorf("without load there are %d; the autoscaler says %+v", *w.deployment("shop").Spec.Replicas, w.autoscaler("shop"))
	}
	t.Logf("scaled to 1 after %s", time.Since(began).Round(time.Second))
	tr.end()
	tr.wantNone(t)
}

func (w *world) autoscaler(name string) autoscaling.HorizontalPodAutoscaler {
	w.t.Helper()
	var a autoscaling.HorizontalPodAutoscaler
	w.space.Get(w.t, "horizontalpodautoscalers", name, &a)
	return a
}

// limited tells whether an autoscaler wants fewer instances than it may have.
func limited(a autoscaling.HorizontalPodAutoscaler) bool {
	return slices.ContainsFunc(a.Status.Conditions, func(c autoscaling.HorizontalPodAutoscalerCondition) bool {
		return c.Type == autoscaling.ScalingLimited && c.Status == core.ConditionTrue && c.Reason == "TooFewReplicas"
	})
}
