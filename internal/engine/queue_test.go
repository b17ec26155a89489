package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

func capacity(n int) func(*engine.Config) {
	return func(c *engine.Config) { c.Capacity = n }
}

// A newer push ends the queued runs of older ones for the same app and environment,
// and nothing else: not what runs, not what a person asked for, not another app's.
func TestNewerPushSupersedesQueuedRuns(t *testing.T) {
	playWith(t, capacity(1), func(t *testing.T, w *world) {
		w.apply(app("shop", ""), app("blog", ""))
		w.receive(push("h1", "shop", "dev", "a")) // takes the only place
		w.startRun("shop", "dev")
		for _, h := range []delivery.Hook{push("h2", "shop", "dev", "b"), push("h3", "blog", "dev", "c"), push("h4", "shop", "test", "d"), push("h5", "shop", "dev", "e")} {
			w.receive(h)
		}
		var got []string
		for _, r := range w.runs() {
			got = append(got, r.Name()+" "+string(r.State()))
		}
		want := []string{"shop#1 running", "shop#2 queued", "shop#3 canceled", "blog#1 queued", "shop#4 queued", "shop#5 queued"}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		old, newest := w.runs()[2], w.runs()[5]
		if old.SupersededBy != newest.ID || !strings.Contains(old.Cause().Text, "superseded") {
			t.Errorf("superseded: %+v", old)
		}
	})
}

// The highest lane first, within it the team with the fewest places, within that
// the oldest; never more than there are places.
func TestAdmission(t *testing.T) {
	playWith(t, capacity(2), func(t *testing.T, w *world) {
		for _, name := range []string{"a1", "a2", "a3"} {
			w.apply(app(name, `,"team":"many"`))
		}
		w.apply(app("b1", `,"team":"few"`), app("p1", `,"team":"many"`))
		for _, name := range []string{"a1", "a2", "a3", "b1"} {
			w.startRun(name, "dev")
		}
		w.startRun("p1", "prod")
		for len(w.executor.Alive()) > 0 {
			alive := w.executor.Alive()
			if len(alive) > 2 {
				t.Fatalf("%d attempts in two places", len(alive))
			}
			w.claimOf(alive[0]).succeed(digest("a"))
		}
		want := []string{"a1-1-build-1", "a2-1-build-1", "p1-1-build-1", "b1-1-build-1", "a3-1-build-1"}
		if got := w.executor.Attempts(); !slices.Equal(got, want) {
			t.Errorf("started in the order %v, want %v", got, want)
		}
	})
}

func TestNoPlaceNoStart(t *testing.T) {
	playWith(t, capacity(1), func(t *testing.T, w *world) {
		w.apply(app("shop", ""), app("blog", ""))
		first, second := w.startRun("shop", "dev"), w.startRun("blog", "dev")
		w.wantRun(first, delivery.RunRunning)
		w.wantRun(second, delivery.RunQueued)
		w.must(w.CancelRun(t.Context(), admin(), first, ""))
		w.pass(0)
		w.wantRun(first, delivery.RunCanceled)
		w.wantRun(second, delivery.RunRunning)
	})
}
