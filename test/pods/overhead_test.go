//go:build e2e

package pods

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

var (
	pairs  = flag.Int("pairs", 2, "how many measurements of builds and of bare pods TestClusterOverhead compares")
	atOnce = flag.Int("at-once", 5, "how many builds TestClusterOverhead starts at once")
	judged = flag.Bool("judged", false, "TestClusterOverhead fails when a promised figure is missed")
)

// What builds may take more than bare pods that do the same nothing.
const (
	coldRatio   = 1.15
	crowdRatio  = 1.3
	slowestPod  = 0.5 // seconds
	mostWrites  = 12.0
	steadiness  = 0.3 // a pair counts when its bare pods are that near their median
	soonSettled = 2 * time.Second
)

// TestClusterOverhead compares builds that do nothing with bare pods of the same image,
// in turns. `make bench-cluster` holds the figures to what is promised.
func TestClusterOverhead(t *testing.T) {
	w := newOverhead(t)
	harness.Tell(t, "%s", harness.Machine(t))
	w.compare(1, "cold run", coldRatio)
	w.compare(*atOnce, fmt.Sprintf("%d runs at once", *atOnce), crowdRatio)
	w.promise("run created → its pod seen, worst", harness.Quantile(w.seenAfter, 1).Seconds(), slowestPod, "s",
		fmt.Sprintf(", median %.3g s, n=%d; a bare pod's %.3g s", harness.Quantile(w.seenAfter, 0.5).Seconds(), len(w.seenAfter), harness.Quantile(w.bareAfter, 0.5).Seconds()))
	w.compareWrites()
}

// promise holds a figure to what is promised, or only tells it.
func (w *overhead) promise(what string, got, most float64, unit, more string) {
	w.t.Helper()
	if *judged {
		harness.Promise(w.t, what, got, most, unit, more)
		return
	}
	harness.Tell(w.t, "%s: %.3g %s%s", what, got, unit, more)
}

// compare measures n builds and n bare pods in turns until enough pairs are steady.
func (w *overhead) compare(n int, what string, most float64) {
	w.t.Helper()
	var ours, bare []time.Duration
	for measured := 0; ; {
		for range *pairs {
			if measured++; measured%2 == 0 {
				ours, bare = append(ours, w.builds(n)), append(bare, w.barePods(n))
			} else {
				bare, ours = append(bare, w.barePods(n)), append(ours, w.builds(n))
			}
		}
		keptOurs, keptBare := steady(ours, bare)
		if len(keptOurs) < *pairs && measured < 3**pairs {
			continue
		}
		if len(keptOurs) < *pairs && *judged {
			w.t.Errorf("%s: the bare pods of only %d of %d pairs were within %.0f %% of their median: measure on a quieter machine", what, len(keptOurs), measured, 100*steadiness)
		}
		w.report(what, most, keptOurs, keptBare, measured)
		harness.Tell(w.t, "%s: its pods had ended after %.3g s, median", what, harness.Quantile(w.endedAfter[n], 0.5).Seconds())
		return
	}
}

func (w *overhead) report(what string, most float64, ours, bare []time.Duration, measured int) {
	w.t.Helper()
	median := func(of []time.Duration) float64 { return harness.Quantile(of, 0.5).Seconds() }
	spread := func(of []time.Duration) string {
		return fmt.Sprintf("%.3g s (%.3g–%.3g)", median(of), harness.Quantile(of, 0).Seconds(), harness.Quantile(of, 1).Seconds())
	}
	w.promise(what+" ÷ bare pods, medians", median(ours)/median(bare), most, "×",
		fmt.Sprintf(", %s ÷ %s, %d of %d pairs", spread(ours), spread(bare), len(ours), measured))
}

// steady are the pairs whose bare pods are near their median.
func steady(ours, bare []time.Duration) (keptOurs, keptBare []time.Duration) {
	median := harness.Quantile(bare, 0.5)
	for i, b := range bare {
		if off := (b - median).Abs(); off.Seconds() <= steadiness*median.Seconds() {
			keptOurs, keptBare = append(keptOurs, ours[i]), append(keptBare, b)
		}
	}
	return keptOurs, keptBare
}

// compareWrites counts what the API server is asked to write.
func (w *overhead) compareWrites() {
	w.t.Helper()
	began, before := time.Now(), w.settled()
	idle := float64(w.settled().Since(before).Sum()) / time.Since(began).Seconds()
	count := func(do func(int) time.Duration) (each float64, what string) {
		began, before := time.Now(), w.settled()
		do(*atOnce)
		writes := w.settled().Since(before)
		each = (float64(writes.Sum()) - idle*time.Since(began).Seconds()) / float64(*atOnce)
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(writes)) {
			parts = append(parts, fmt.Sprintf("%.3g %s", float64(writes[name])/float64(*atOnce), name))
		}
		return each, strings.Join(parts, ", ")
	}
	ours, what := count(w.builds)
	bare, bareWhat := count(w.barePods)
	w.promise("writes of the API server per run", ours, mostWrites, "", fmt.Sprintf(", of a bare pod %.3g, n=%d; idle %.3g/s, taken off", bare, *atOnce, idle))
	harness.Tell(w.t, "a run: %s", what)
	harness.Tell(w.t, "a bare pod: %s", bareWhat)
}

// settled counts the writes once there are no new ones: events come late.
func (w *overhead) settled() kube.Writes {
	w.t.Helper()
	last := w.space.Writes(w.t)
	tick, limit := time.NewTicker(soonSettled), time.After(10*soonSettled)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-limit:
			return last
		}
		now := w.space.Writes(w.t)
		if now.Since(last).Sum() == 0 {
			return now
		}
		last = now
	}
}
