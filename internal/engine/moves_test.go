package engine_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// An Environment stays where it is while something runs in it, also when only its document
// is to be deleted; what runs nowhere is free to move.
func TestEnvironmentsStayWithWhatRunsThere(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.inCluster(app("shop", ""))
		try := func(dry, prune bool, docs ...delivery.Document) error {
			_, err := w.Apply(t.Context(), admin(), engine.ApplyCatalog{Manager: "test", Documents: docs, Dry: dry, Prune: prune})
			return err
		}
		east := document("Cluster", "east", `{"kubeconfig":"/etc/shiplock/east"}`)
		west := document("Cluster", "west", `{"kubeconfig":"/etc/shiplock/west"}`)
		moved := document("Environment", "pre", `{"branch":"pre","cluster":"west","namespace":"pre","rank":3}`)
		other := document("Environment", "pre", `{"branch":"pre","cluster":"east","namespace":"shops","rank":3}`)
		here := document("Environment", "pre", `{"branch":"pre","rank":3}`)
		w.must(try(false, false, west, moved))
		w.must(try(false, false, document("Environment", "pre", `{"branch":"pre","cluster":"east","namespace":"pre","rank":3}`)))

		run := w.build("shop", "pre", "1")
		w.wantRelease(w.create(engine.CreateRelease{Env: "pre", Run: run.Number}), delivery.ReleaseDeployed)
		for name, doc := range map[string]delivery.Document{"cluster": moved, "namespace": other, "this machine": here} {
			for _, dry := range []bool{true, false} {
				err := try(dry, false, west, doc)
				if delivery.KindOf(err) != delivery.Conflict {
					t.Errorf("to another %s: %v", name, err)
				}
				w.refused(err, delivery.Conflict, "environment pre cannot move to another cluster or namespace while apps run in it (shop)")
			}
		}
		// Without its document the built-in one is back, which is on this machine.
		w.refused(try(false, true, east, app("shop", "")), delivery.Conflict, "pre cannot move")

		w.must(try(false, false, document("Environment", "pre", `{"branch":"pre","cluster":"east","namespace":"pre","rank":3,"bake":"1m"}`)))
		w.must(try(false, true, east, west, document("Environment", "blue", `{"branch":"x","cluster":"east","namespace":"blue","rank":5}`), moved))
	})
}
