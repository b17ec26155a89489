//go:build e2e

package hostile

import (
	"fmt"
	"strings"
	"testing"
)

// TestLogFlood has a step write far more than is kept: the build goes on, its log
// says where it was cut, and neither the server's disk nor its memory grow with it.
func TestLogFlood(t *testing.T) {
	w := newWorld(t, nil)
	mb := sized(300, 10_240)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.neighbour(t, "neighbour")
	}()
	r, log := w.run(t, "flood", hostile{
		stack: "patient",
		build: image + fmt.Sprintf("echo first; yes 'a line of a log that is far too long, of somebody who left debugging on' | head -c %d; echo; echo last\n", mb<<20),
	})
	<-done
	if r.State != ok {
		t.Fatalf("%s: %+v", r.State, r.Cause)
	}
	if !strings.HasPrefix(log[strings.Index(log, "first"):], "first\n") || !strings.Contains(log[max(0, len(log)-400):], "log limit reached") {
		t.Errorf("%d bytes of log end with %q", len(log), log[max(0, len(log)-400):])
	}
	disk, peak := w.disk(t, "."), w.memory(t)
	t.Logf("%d MB written: %d MB of log shown, %d MB on disk, the server took %d MB at most", mb, len(log)>>20, disk, peak)
	if len(log) > 25<<20 || disk > 150 || peak > 500 {
		t.Errorf("too much: %d MB of log, %d MB on disk, %d MB of memory", len(log)>>20, disk, peak)
	}
}
