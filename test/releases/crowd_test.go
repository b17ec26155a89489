//go:build e2e

package releases

import (
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/manifest"
	"github.com/shiplock/shiplock/test/harness"
)

var (
	crowd   = flag.Int("crowd", 12, "how many apps TestClusterCrowd releases at once")
	singles = flag.Int("singles", 3, "how often one app is released alone")
)

// Many apps released at once all arrive, with as many writes as an apply of their objects
// takes; and one alone is with the API server at once.
func TestClusterCrowd(t *testing.T) {
	w := newWorld(t, "")
	runs := map[string]int{}
	for i := range *crowd {
		name := fmt.Sprint("app-", i)
		w.app(name, `, "environments": {"prod": {"workload": {"resources": {"requests": {"cpu": "1m", "memory": "8Mi"}}}}}`)
		runs[name] = w.build(name, "one", "well")
	}
	before := w.space.AppWrites(t)
	began := time.Now()
	ids := w.releaseAll(runs)
	for _, id := range ids {
		w.reached(id, delivery.ReleaseDeployed, 5*time.Minute)
	}
	took := time.Since(began)
	writes := w.space.AppWrites(t).Since(before)
	const objects = 2 // a Deployment and a Service
	harness.Tell(t, "%d apps were released in %s: %v", *crowd, took.Round(time.Millisecond), writes)
	harness.Promise(t, "writes of a release, to one of each object", float64(writes.Sum())/float64(objects**crowd), 1.3, "×", "")
	w.alone("app-0")
}

// releaseAll offers all of them at once.
func (w *world) releaseAll(runs map[string]int) []delivery.ReleaseID {
	var (
		all sync.WaitGroup
		mu  sync.Mutex
		ids []delivery.ReleaseID
	)
	for app, run := range runs {
		all.Go(func() {
			var r api.Release
			err := w.api.Do("POST", "/releases", api.CreateRelease{App: app, Env: "prod", Run: run}, &r)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				w.t.Error(err)
				return
			}
			ids = append(ids, r.ID)
		})
	}
	all.Wait()
	return ids
}

// alone measures from the asking for a release until the API server has its objects.
func (w *world) alone(app string) {
	w.t.Helper()
	var took []time.Duration
	for i := range *singles {
		run := w.build(app, fmt.Sprint("alone-", i), "well")
		asked := time.Now()
		id := w.release(app, run)
		var r api.Release
		w.api.Must("GET", "/releases/"+string(id), nil, &r)
		if !harness.Eventually(time.Minute, func() bool {
			return w.deployment(app).Spec.Template.Annotations[manifest.AnnotationRevision] == string(r.Revision.ID)
		}) {
			w.t.Fatal("the release does not reach the API server")
		}
		took = append(took, time.Since(asked))
		w.reached(id, delivery.ReleaseDeployed, time.Minute)
	}
	w.promise("release asked for → with the API server, p99", harness.Quantile(took, 0.99).Seconds(), 0.5, fmt.Sprintf(", of %d", len(took)))
}
