//go:build bench

package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/test/harness"
)

// tick is the unit of CPU time in /proc; Linux's is the same everywhere.
const tick = 10 * time.Millisecond

// cpuTime is what a process has used so far.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// The fields after the command's name, which may hold spaces; see proc(5).
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, userErr := strconv.Atoi(fields[11])
	system, systemErr := strconv.Atoi(fields[12])
	if userErr != nil || systemErr != nil {
		t.Fatalf("/proc stat: %q", text)
	}
	return time.Duration(user+system) * tick
}

// memory is a process's, in bytes.
type memory struct{ now, peak float64 }

func resident(t *testing.T, pid int) (m memory) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
			m.now = kib * 1024
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			m.peak = kib * 1024
		}
	}
	return m
}

func (w *world) benchMemory(t *testing.T, idle memory) {
	const mib = 1 << 20
	m := resident(t, w.process.PID())
	harness.Promise(t, "server's resident memory, peak of all this", m.peak/mib, 64, "MiB",
		fmt.Sprintf(", now %.3g MiB, idle at the start %.3g MiB", m.now/mib, idle.now/mib))
}

// benchRestart kills the server, and measures until its successor answers.
func (w *world) benchRestart(t *testing.T) {
	var took []time.Duration
	for range 5 {
		start := time.Now()
		w.process.Kill()
		w.process = w.server.Launch()
		if err := w.process.WaitReady(20 * time.Second); err != nil {
			t.Fatalf("the server does not answer: %v\n%s", err, w.server.LogTail())
		}
		took = append(took, time.Since(start))
	}
	harness.Promise(t, "kill → accepting again, median", ms(harness.Quantile(took, 0.5)), 300, "ms",
		fmt.Sprintf(", worst %.3g ms, n=%d", ms(harness.Quantile(took, 1)), len(took)))
}
