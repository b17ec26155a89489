//go:build bench

package bench

import (
	"errors"
	"testing"

	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/postgres"
)

// TestBenchPostgres tells what runs take on PostgreSQL on the same machine. Nothing is
// promised: it depends on the database's disk and on the way to it.
func TestBenchPostgres(t *testing.T) {
	db, err := postgres.Start()
	if errors.Is(err, postgres.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t, db.NewDatabase(t))
	harness.NewAPI(t, w.server).Apply(noops()...)
	pushers := w.pushers(t)
	pushes(t, pushers[:1], warmUp)
	took, _ := pushes(t, pushers[:1], sequential)
	harness.Tell(t, "PostgreSQL: no-op run, hook → status, p50 %.3g ms, p99 %.3g ms, n=%d", ms(harness.Quantile(took, 0.50)), ms(harness.Quantile(took, 0.99)), len(took))
	w.benchParallel(t, pushers)
}
