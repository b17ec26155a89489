//go:build bench

package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/test/harness"
)

const (
	apps       = 32
	warmUp     = 50
	sequential = 200
)

func noop(app int) string { return fmt.Sprintf("noop%d", app) }

// noops are apps whose runs do nothing.
func noops() []harness.Doc {
	docs := []harness.Doc{harness.Document("Stack", "noop", `{"language": "none", "runtime": {"base": ""},
		"build": {"checkout": "none", "steps": [{"name": "noop", "run": "true"}]}}`)}
	for i := range apps {
		docs = append(docs, harness.Document("App", noop(i), fmt.Sprintf(`{"repo": "http://127.0.0.1:1/group/%s.git", "stack": "noop"}`, noop(i))))
	}
	return docs
}

// pusher sends one push after the other of one app, each once the run before it
// has ended: a newer push would supersede a run that waits.
type pusher struct {
	w      *world
	client *http.Client
	app    int
	pushes int
}

// push returns the time from sending the hook to the forge's receipt of success.
func (p *pusher) push(ctx context.Context) (time.Duration, error) {
	p.pushes++
	push := harness.Push{
		ID: fmt.Sprintf("delivery-%d-%d", p.app, p.pushes), ProjectID: p.app + 1, Path: "group/" + noop(p.app),
		CloneURL: fmt.Sprintf("http://127.0.0.1:1/group/%s.git", noop(p.app)), Branch: "dev",
		SHA: fmt.Sprintf("%020x%020x", p.app+1, p.pushes),
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	start := time.Now()
	code, err := push.Send(ctx, p.client, p.w.process.URL())
	if err != nil || code >= 300 {
		return 0, fmt.Errorf("hook answered %d: %w", code, err)
	}
	status, err := p.w.forge.Wait(ctx, fmt.Sprint(push.ProjectID), push.SHA, "success")
	return status.At.Sub(start), err
}

// pushes has every pusher push n times, all pushers at once.
func pushes(t *testing.T, pushers []*pusher, n int) (took []time.Duration, wall time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var work sync.WaitGroup
	start := time.Now()
	for _, p := range pushers {
		work.Go(func() {
			for range n {
				d, err := p.push(t.Context())
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	return took, time.Since(start)
}

func (w *world) benchRuns(t *testing.T) {
	pushers := w.pushers(t)
	pushes(t, pushers[:1], warmUp)

	cpu, calls := cpuTime(t, w.process.PID()), w.forge.StatusRequests()
	took, _ := pushes(t, pushers[:1], sequential)
	cpu, calls = cpuTime(t, w.process.PID())-cpu, w.forge.StatusRequests()-calls
	harness.Promise(t, "no-op run, hook → status, p50", ms(harness.Quantile(took, 0.50)), 20, "ms",
		fmt.Sprintf(", p99 %.3g ms, n=%d", ms(harness.Quantile(took, 0.99)), len(took)))
	harness.Promise(t, "forge calls per run", float64(calls)/sequential, 3, "", "")
	harness.Tell(t, "server CPU per run: %.3g ms", ms(cpu)/sequential)

	w.benchParallel(t, pushers)
}

// pushers are one per app.
func (w *world) pushers(t *testing.T) []*pusher {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: apps}}
	t.Cleanup(client.CloseIdleConnections)
	pushers := make([]*pusher, apps)
	for i := range pushers {
		pushers[i] = &pusher{w: w, client: client, app: i}
	}
	return pushers
}

func (w *world) benchParallel(t *testing.T, pushers []*pusher) {
	took, wall := pushes(t, pushers[:8], 50)
	harness.Tell(t, "8 in flight: %.0f runs/min, p50 %.3g ms, p99 %.3g ms", float64(len(took))/wall.Minutes(), ms(harness.Quantile(took, 0.50)), ms(harness.Quantile(took, 0.99)))
	took, wall = pushes(t, pushers, 20)
	harness.Tell(t, "%d in flight: %.0f runs/min, p50 %.3g ms, p99 %.3g ms", apps, float64(len(took))/wall.Minutes(), ms(harness.Quantile(took, 0.50)), ms(harness.Quantile(took, 0.99)))
}
