package harness

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// Promise prints a figure beside what is promised, and fails the test when it is
// missed. Both are in the same unit.
func Promise(t testing.TB, what string, got, most float64, unit, more string) {
	t.Helper()
	verdict := "ok  "
	if got > most {
		verdict = "FAIL"
		t.Fail()
	}
	fmt.Fprintf(t.Output(), "%s %s: %.3g %s (≤ %.3g)%s\n", verdict, what, got, unit, most, more)
}

// Tell prints a figure that is not promised.
func Tell(t testing.TB, format string, args ...any) {
	fmt.Fprintf(t.Output(), "     "+format+"\n", args...)
}

// Quantile returns what a share of the durations is no longer than.
func Quantile(took []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(int(float64(len(sorted))*share), len(sorted)-1)]
}

// Machine says what a reader must know of the machine: on a busy one promises are
// missed for no fault of the server's.
func Machine(t testing.TB) string {
	t.Helper()
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d CPUs, load average %s", runtime.NumCPU(), strings.Join(strings.Fields(string(load))[:3], " "))
}
