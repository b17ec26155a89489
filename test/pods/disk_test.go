//go:build e2e

package pods

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// A node whose disk is nearly full puts its builds out and takes no more. They wait and
// say so, and go on when there is room again.
func TestClusterDiskPressure(t *testing.T) {
	w := newWorld(t)
	disk := w.space.FindDisk(t)
	if disk == nil {
		t.Skip("the disk of this cluster's node is not ours to fill")
	}
	w.api.Apply(w.script("evicted", "echo begun; case $(hostname) in *-1) sleep 600;; esac", ""), app("evicted", "evicted"), w.script("late", "true", ""), app("late", "late"))
	id := w.start("evicted", "dev", someCommit)
	w.begun(id)
	disk.Fill(t)
	if c := w.because(id, "attempt.evicted"); !strings.Contains(c.Text, "ephemeral-storage") {
		t.Errorf("it says %q", c.Text)
	}
	late := w.start("late", "dev", someCommit)
	if c := w.because(late, delivery.AttemptUnschedulable); !strings.Contains(c.Text, "taint") {
		t.Errorf("it says %q", c.Text)
	}
	disk.Empty(t)
	if r := w.good(late, 5*time.Minute); r.Jobs[0].Attempt != 1 || w.api.Finishes(late) != 1 {
		t.Errorf("%s took %d attempts, and finished %d times: %+v", r.Name, r.Jobs[0].Attempt, w.api.Finishes(late), r.Jobs[0].Lost)
	}
	r := w.good(id, 5*time.Minute)
	if n := w.api.Finishes(id); n != 1 {
		t.Errorf("%s finished %d times", r.Name, n)
	}
	for i, lost := range r.Jobs[0].Lost { // the scheduler may have heard of it late
		if i > 0 && lost.Cause.Code != delivery.AttemptTurnedAway {
			t.Errorf("%s lost %+v", r.Name, lost)
		}
	}
}
