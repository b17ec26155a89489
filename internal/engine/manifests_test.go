package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// inCluster has the environments pre and prod in a cluster.
func (w *world) inCluster(shop delivery.Document) {
	w.t.Helper()
	w.apply(
		document("Cluster", "east", `{"kubeconfig":"/etc/shiplock/east"}`),
		document("Environment", "pre", `{"branch":"pre","cluster":"east","namespace":"pre","rank":3}`),
		document("Environment", "prod", `{"branch":"release","promote":{"from":"pre"},"cluster":"east","namespace":"prod","rank":4}`),
		shop,
	)
}

func bringing(digit string, manifests map[string]string) api.Finish {
	f := good(digest(digit))
	f.Artifact.Manifests = manifests
	return f
}

const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {COLOR: blue}\n"

// What cannot be released fails the run, where it can be mended.
func TestManifestsAreJudgedWithTheRun(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.inCluster(app("shop", `,"workload":{"manifests":{"path":"deploy"}}`))
		id := w.startRun("shop", "pre")
		w.must(w.claim().finish(bringing("1", map[string]string{"": "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: shop}\n"})))
		run := w.wantRun(id, delivery.RunFailed)
		cause := run.Cause()
		if run.Artifact != nil || cause == nil || cause.Code != "manifests.failed" || cause.Step != "manifests" || !strings.Contains(cause.Text, "StatefulSet shop") {
			t.Errorf("the run has the artifact %+v, and the cause %+v", run.Artifact, cause)
		}

		id = w.startRun("shop", "pre")
		r := w.claim()
		r.seq++
		_, err := r.send(api.Report{Seq: r.seq, Finish: new(bringing("1", map[string]string{"": strings.Repeat("#", delivery.MaxManifests+1)}))})
		w.refused(err, delivery.Invalid, "and may have 65536")
		r.seq--
		w.must(r.finish(bringing("1", map[string]string{"": settings})))
		w.wantRun(id, delivery.RunSucceeded)
		rel, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "pre"})
		w.must(err)
		if rel.Revision.Config.Manifests != settings {
			t.Errorf("the revision has %q", rel.Revision.Config.Manifests)
		}
	})
}

// Another run may make the same image with other manifests: those that run in pre are
// promoted, and prod has its own.
func TestPromotionTakesTheManifestsOfItsRun(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.inCluster(app("shop", `,"workload":{"manifests":{"path":"deploy/${env}"}}`))
		green := strings.ReplaceAll(settings, "blue", "green")
		for _, manifests := range []map[string]string{{"pre": settings}, {"pre": settings, "prod": green}} {
			w.startRun("shop", "pre")
			w.must(w.claim().finish(bringing("1", manifests)))
		}
		promote := func(run int) (delivery.Release, error) {
			_, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "pre", Run: run})
			w.must(err)
			w.pass(time.Hour)
			return w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "prod"})
		}
		_, err := promote(1)
		w.refused(err, delivery.Conflict, "shop#1 has no manifests for prod")
		rel, err := promote(2)
		w.must(err)
		if rel.Revision.Config.Manifests != green || rel.Revision.RunNumber != 2 {
			t.Errorf("#%d has %q", rel.Revision.RunNumber, rel.Revision.Config.Manifests)
		}
	})
}

// A runner says nothing that it was not asked.
func TestManifestsThatNobodyAskedFor(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.inCluster(app("shop", ""))
		id := w.startRun("shop", "pre")
		w.must(w.claim().finish(bringing("1", map[string]string{"": settings})))
		if run := w.wantRun(id, delivery.RunSucceeded); run.Artifact.Manifests != nil {
			t.Errorf("the artifact has %q", run.Artifact.Manifests)
		}
	})
}
