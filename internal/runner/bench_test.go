package runner_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/runner"
)

// BenchmarkNoop runs a job of one script that does nothing, with the real
// binary: from the process's start, and from its claim, to its end being known.
func BenchmarkNoop(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "shiplock-runner")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "../../cmd/shiplock-runner").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	var toClaim, toFinish time.Duration
	for b.Loop() {
		s := serve(b, script("noop", "true"))
		var claimed time.Time
		s.fault = func(path string, _ int) int {
			if path == api.RunnerClaimPath {
				claimed = time.Now()
			}
			return 0
		}
		began := time.Now()
		r := launchBinary(b, binary, s)
		<-s.finished
		toFinish += time.Since(claimed)
		toClaim += claimed.Sub(began)
		if code := r.exit(b); code != runner.ExitReported {
			b.Fatal(code)
		}
		s.down()
	}
	b.ReportMetric(float64(toClaim.Microseconds())/float64(b.N)/1e3, "start-claim-ms")
	b.ReportMetric(float64(toFinish.Microseconds())/float64(b.N)/1e3, "claim-finish-ms")
}

// BenchmarkLog measures how fast output goes from a step to the server.
func BenchmarkLog(b *testing.B) {
	const lines = 200_000
	for b.Loop() {
		s := serve(b, script("count", count(lines)))
		if code := launch(b, s).exit(b); code != runner.ExitReported {
			b.Fatal(code)
		}
		if got := len(s.text("out")); got != lines {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
}
