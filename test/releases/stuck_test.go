//go:build e2e

package releases

import (
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// Pods that do not go when they should hold nothing up: not a release, not its way back,
// not the next one.
func TestClusterStuckPods(t *testing.T) {
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 50, "hold": "manual"}]}`)
	w.app("shop", `, "environments": {"prod": {"replicas": 2}}`)
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	tr := w.traffic("shop")
	id := w.release("shop", two)
	w.reached(id, delivery.ReleasePaused, time.Minute)
	for _, p := range w.space.Pods(t) {
		w.space.HoldPod(t, p.Name)
	}
	w.api.Must("POST", "/releases/"+string(id)+"/abort", api.Reason{Reason: "test"}, nil)
	w.reached(id, delivery.ReleaseAborted, time.Minute)
	w.wantOnly(tr, "one", time.Now())

	id = w.release("shop", two)
	w.reached(id, delivery.ReleasePaused, time.Minute)
	w.api.Must("POST", "/releases/"+string(id)+"/full", api.Reason{}, nil)
	w.reached(id, delivery.ReleaseDeployed, time.Minute)
	w.wantOnly(tr, "two", time.Now())
	tr.end()
	tr.wantNone(t)
	if !harness.Eventually(time.Minute, func() bool { return w.deployment("shop-canary") == nil }) {
		t.Error("the canary stays")
	}
}
