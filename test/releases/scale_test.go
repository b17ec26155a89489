//go:build e2e

package releases

import (
	"slices"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// A scale adds pods and takes pods, and leaves those that stay; its number outlives a
// release, and ends when the catalog has another one.
func TestClusterScale(t *testing.T) {
	w := newWorld(t, "")
	w.app("shop", `, "environments": {"prod": {"replicas": 1}}`)
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	before := w.podNames("shop")
	w.reached(w.scale("shop", 3), delivery.ReleaseDeployed, time.Minute)
	if all := w.podNames("shop"); len(all) != 3 || !slices.Contains(all, before[0]) {
		t.Errorf("%v was scaled to %v", before, all)
	}
	w.reached(w.release("shop", two), delivery.ReleaseDeployed, time.Minute)
	if n := *w.deployment("shop").Spec.Replicas; n != 3 {
		t.Errorf("after a release there are %d", n)
	}
	w.reapply("shop", `, "environments": {"prod": {"replicas": 2}}`)
	w.reached(w.release("shop", two), delivery.ReleaseDeployed, time.Minute)
	if !harness.Eventually(10*time.Second, func() bool { return *w.deployment("shop").Spec.Replicas == 2 }) {
		t.Errorf("the catalog says 2, and there are %d", *w.deployment("shop").Spec.Replicas)
	}
	w.wantFailed("POST", "/targets/shop/prod/scale", api.Scale{Replicas: 1001})
}

func (w *world) scale(app string, replicas int) delivery.ReleaseID {
	w.t.Helper()
	var r api.Release
	w.api.Must("POST", "/targets/"+app+"/prod/scale", api.Scale{Replicas: replicas, Reason: "test"}, &r)
	return r.ID
}

// podNames are the pods of an app that are there to stay.
func (w *world) podNames(app string) (names []string) {
	for _, p := range w.space.Pods(w.t) {
		if p.Labels["app"] == app && p.DeletionTimestamp == nil {
			names = append(names, p.Name)
		}
	}
	return names
}

func (w *world) wantFailed(method, path string, body any) {
	w.t.Helper()
	if err := w.api.Do(method, path, body, nil); err == nil {
		w.t.Errorf("%s %s with %+v is taken", method, path, body)
	}
}
