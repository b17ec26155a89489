//go:build e2e

package releases

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

var rounds = flag.Int("rounds", 2, "how often a canary goes all the way, and back")

// A canary goes 10 → 50 → 100 and back, again and again, under traffic: no request
// fails, the shares are what they say, and going back within the bake is quick.
func TestClusterCanary(t *testing.T) {
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 10, "hold": "2s"}, {"percent": 50, "hold": "2s"}]}, "bake": "5m"`)
	w.app("shop", `, "environments": {"prod": {"replicas": 4}}`)
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	tr := w.traffic("shop")
	var back []time.Duration
	for range *rounds {
		id := w.release("shop", two)
		w.wantShares(tr, id)
		w.reached(id, delivery.ReleaseDeployed, time.Minute)
		asked := time.Now()
		w.wantOnly(tr, "two", asked)
		asked = time.Now()
		var r api.Release
		w.api.Must("POST", "/targets/shop/prod/rollback", api.RollBack{Reason: "test"}, &r)
		w.reached(r.ID, delivery.ReleaseDeployed, time.Minute)
		w.wantOnly(tr, "one", time.Now())
		back = append(back, tr.last("one").Sub(asked))
	}
	tr.end()
	tr.wantNone(t)
	slices.Sort(back)
	harness.Tell(t, "%d requests; back within the bake, until the last request reached the new version: %v", tr.asked, back)
	w.promise("rollback within the bake, p95", harness.Quantile(back, 0.95).Seconds(), 3, "")
}

// wantShares watches a release go through its batches: each has the share of the
// endpoints that its pods make up.
func (w *world) wantShares(tr *traffic, id delivery.ReleaseID) {
	w.t.Helper()
	for batch, pods := range []struct{ canary, of int }{{1, 5}, {4, 8}} { // 10 % of 4 beside 4 is one pod
		var r api.Release
		if !harness.Eventually(time.Minute, func() bool {
			w.api.Must("GET", "/releases/"+string(id), nil, &r)
			return r.State.Terminal() || len(r.Batches) > batch && !r.Batches[batch].ReadyAt.IsZero()
		}) || r.State.Terminal() {
			w.t.Fatalf("batch %d did not become ready: %+v", batch, r)
		}
		want := 100 * pods.canary / pods.of
		if got := r.Batches[batch].Effective; got != want {
			w.t.Errorf("batch %d has %d %% of the endpoints, want %d", batch, got, want)
		}
		since := r.Batches[batch].ReadyAt.Add(500 * time.Millisecond)
		harness.Eventually(2*time.Second, func() bool { return time.Since(since) > 1200*time.Millisecond })
		// Who is asked is chance: 50 answers and more are beyond these bounds once in thousands.
		if got, of := tr.share("two", since); of >= 50 && (got < float64(want)/4 || got > float64(want)*2) {
			w.t.Errorf("batch %d: %.0f %% of %d answers are of the new version, of the endpoints %d %%", batch, got, of, want)
		}
	}
}

// wantOnly waits until, for a second, nothing but a version has answered.
func (w *world) wantOnly(tr *traffic, version string, since time.Time) {
	w.t.Helper()
	if !harness.Eventually(15*time.Second, func() bool {
		last := tr.last(version)
		if last.Before(since) {
			last = since
		}
		return time.Since(last) > time.Second
	}) {
		w.t.Errorf("others than %s still answer", version)
	}
}

// After the bake a rollback takes as long as the old version takes to start.
func TestClusterRollbackAfterBake(t *testing.T) {
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 50}]}, "bake": "1s"`)
	w.app("shop", `, "environments": {"prod": {"replicas": 3}}`)
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	asked := time.Now()
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	start := time.Since(asked)
	tr := w.traffic("shop")
	w.reached(w.release("shop", two), delivery.ReleaseDeployed, time.Minute)
	if !harness.Eventually(time.Minute, func() bool { return w.deployment("shop-canary") == nil }) {
		t.Fatal("the canary stays after the bake")
	}
	w.wantOnly(tr, "two", time.Now())
	asked = time.Now()
	var r api.Release
	w.api.Must("POST", "/targets/shop/prod/rollback", api.RollBack{Reason: "test"}, &r)
	w.reached(r.ID, delivery.ReleaseDeployed, time.Minute)
	w.wantOnly(tr, "one", time.Now())
	tr.end()
	tr.wantNone(t)
	w.promise("rollback after the bake", tr.last("one").Sub(asked).Seconds(), start.Seconds()+3, ", the start-up time and 3 s")
}
