package engine_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// What was built for one machine, or as a package, is not released into a cluster; what
// is built from then on is for both.
func TestReleaseOfWhatCannotRunInACluster(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		before := w.build("shop", "test", "1")
		w.inCluster(app("shop", ""))
		_, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "pre", Run: before.Number})
		w.refused(err, delivery.Invalid, "build its commit again, which takes docker.io/library/alpine")

		after := w.build("shop", "test", "2")
		if got := after.Artifact.Runtime.Base; got != after.Plan.Image.Base || got == before.Artifact.Runtime.Base {
			t.Errorf("it is on %s", got)
		}
		w.wantRelease(w.create(engine.CreateRelease{Env: "pre", Run: after.Number}), delivery.ReleaseDeployed)

		w.inCluster(app("shop", `,"artifact":"package"`))
		pack := w.build("shop", "test", "3")
		_, err = w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "pre", Run: pack.Number})
		w.refused(err, delivery.Invalid, "is a package, and pre is in the cluster east")
		_, err = w.StartRun(t.Context(), admin(), engine.StartRun{App: "shop", Env: "pre", SHA: pack.Commit.SHA})
		w.refused(err, delivery.Invalid, "shop becomes a package, and pre is in the cluster east")
	})
}
