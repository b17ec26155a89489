//go:build bench

package bench

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

const (
	// emitterVar makes the test's own binary the job's step.
	emitterVar = "BENCH_EMITTER"
	perSecond  = 1000
	emitted    = 6 * perSecond
)

func chatty(app int) string { return fmt.Sprintf("chatty%d", app) }

// emit prints lines at an even pace, each with its number and time, once its
// reader has had time to connect.
func emit(w io.Writer) {
	time.Sleep(time.Second)
	start := time.Now()
	for i := range emitted {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / perSecond)))
		fmt.Fprintf(w, "line %d %d\n", i, time.Now().UnixNano())
	}
}

// follow returns how long after its printing each line of a run arrived, and
// insists that they are all there, once and in order.
func (w *world) follow(ctx context.Context, app string) ([]time.Duration, error) {
	run, err := w.api.StartRun(ctx, api.StartRun{App: app, Env: "dev", Commit: strings.Repeat("c", 40)})
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	_, err = w.api.FollowLog(ctx, string(run.ID), client.LogQuery{}, func(lines []api.LogLine) error {
		now := time.Now()
		for _, l := range lines {
			if l.Stream != "out" {
				continue
			}
			var number int
			var printed int64
			if _, err := fmt.Sscanf(l.Text, "line %d %d", &number, &printed); err != nil {
				return fmt.Errorf("line %q: %w", l.Text, err)
			}
			if number != len(took) {
				return fmt.Errorf("line %d came after %d lines", number, len(took))
			}
			took = append(took, now.Sub(time.Unix(0, printed)))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(took) != emitted {
		return nil, fmt.Errorf("%d lines of %d came", len(took), emitted)
	}
	ended, err := w.api.WatchRun(ctx, string(run.ID), func(api.Run) error { return nil })
	if err == nil && ended.State != delivery.RunSucceeded {
		err = fmt.Errorf("%s is %s: %v", ended.Name, ended.State, ended.Cause)
	}
	return took, err
}

func (w *world) benchLogs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	var mu sync.Mutex
	var all []time.Duration
	var work sync.WaitGroup
	cpu := cpuTime(t, w.process.PID())
	for i := range capacity {
		work.Go(func() {
			took, err := w.follow(ctx, chatty(i))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			if err != nil {
				t.Errorf("%s: %v", chatty(i), err)
			}
		})
	}
	work.Wait()
	if len(all) == 0 {
		return
	}
	cpu = cpuTime(t, w.process.PID()) - cpu
	harness.Promise(t, fmt.Sprintf("log line → SSE, %d jobs × %d lines/s, p99", capacity, perSecond), ms(harness.Quantile(all, 0.99)), 50, "ms",
		fmt.Sprintf(", p50 %.3g ms, worst %.3g ms, none of %d lines lost", ms(harness.Quantile(all, 0.50)), ms(harness.Quantile(all, 1)), len(all)))
	harness.Tell(t, "server CPU per log line, received, kept and streamed: %.3g µs", float64(cpu.Microseconds())/float64(len(all)))
}
