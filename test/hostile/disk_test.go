//go:build e2e

package hostile

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// small has a server keep its data on a file system of its own.
func small(t *testing.T, mb int) func(*harness.Server) {
	return func(s *harness.Server) {
		if err := os.MkdirAll(s.Data, 0o700); err != nil {
			t.Fatal(err)
		}
		err := syscall.Mount("shiplock-test", s.Data, "tmpfs", 0, fmt.Sprintf("size=%dm", mb))
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			t.Skip("a small file system needs the right to mount one: run the test as root")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			s.Remove() // what holds files there
			if err := syscall.Unmount(s.Data, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDiskFull: a build fills the disk that the server's own data is on. It ends with
// a reason, the server survives, keeps what it has acknowledged, and goes on by itself
// when there is space again.
func TestDiskFull(t *testing.T) {
	w := newWorld(t, small(t, 160))
	w.neighbour(t, "before")
	id := w.push(t, "fills", hostile{build: "cat /dev/zero > filler || { echo 'No space left on device' >&2; sleep 3; exit 1; }\n"})

	// Push meanwhile: whatever is answered 2xx must become a run.
	var acknowledged []string
	full := false
	deadline := time.Now().Add(60 * time.Second)
	for i := 0; time.Now().Before(deadline); i++ {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(w.server.Data, &fs); err != nil {
			t.Fatal(err)
		}
		full = full || fs.Bavail == 0
		sha := fmt.Sprintf("%040x", i+1)
		code, err := harness.Push{
			ID: fmt.Sprintf("full-%d", i), ProjectID: 99, Path: "hostile/nobody", Branch: fmt.Sprintf("b%d", i), SHA: sha,
			CloneURL: w.forge.URL + "/hostile/nobody.git",
		}.Send(t.Context(), http.DefaultClient, w.server.URL())
		if err == nil && code == http.StatusOK {
			acknowledged = append(acknowledged, fmt.Sprintf("full-%d", i))
		}
		if full && fs.Bavail > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !full {
		t.Fatal("the disk was never full")
	}
	r := w.api.Run(id)
	if !harness.Eventually(patience(), func() bool {
		r = w.api.Run(id)
		return r.State.Terminal()
	}) {
		t.Fatalf("the run is %s\n%s", r.State, w.server.LogTail())
	}
	if r.State != delivery.RunFailed && r.State != delivery.RunErrored || r.Cause == nil || !says(r.Cause, "space", "disk") {
		t.Errorf("%s: %+v", r.State, r.Cause)
	}
	w.cleared(t)
	w.neighbour(t, "after")
	known := w.shiplock(t, "get", "hooks", "--limit", "500", "-o", "json")
	for _, id := range acknowledged {
		if !strings.Contains(known, `"`+id+`"`) {
			t.Errorf("the hook %s was acknowledged and is lost", id)
		}
	}
	t.Logf("%s: %s; %d hooks acknowledged meanwhile", r.State, r.Cause.Text, len(acknowledged))
	if code, err := w.process.Wait(0); err == nil {
		t.Errorf("the server ended with %d", code)
	}
	if left, _ := filepath.Glob(filepath.Join(w.server.Data, "attempts", "*", "*", "filler")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func says(c *delivery.Cause, words ...string) bool {
	text := c.Text + " " + strings.Join(c.Evidence, " ") + " " + c.Next
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
