package supervisor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLogsOfOldVersionsGo(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for i := range 5 {
		for _, suffix := range []string{".log", ".log.1"} {
			path := filepath.Join(dir, fmt.Sprintf("sha256:%d%s", i, suffix))
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, now, now.Add(-time.Duration(i)*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The oldest has just written again.
	if err := os.Chtimes(filepath.Join(dir, "sha256:4.log"), now, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := discardLogs(dir, 2); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	want := []string{"sha256:0.log", "sha256:0.log.1", "sha256:4.log", "sha256:4.log.1"}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Error(diff)
	}
	if err := discardLogs(filepath.Join(dir, "none"), 2); err != nil {
		t.Error(err)
	}
}

// What a killed supervisor left half unpacked, or half removed, goes at the next one.
func TestLeftoversOfAKilledSupervisorGo(t *testing.T) {
	im := &images{dir: t.TempDir(), unpack: func(context.Context, string, string) error { return nil }}
	kept, err := im.ensure(t.Context(), "kept")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".unpacking-1", ".trash-abc", "0123456789abcdef"} {
		if err := os.Mkdir(filepath.Join(im.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	trash, err := im.discard([]string{"kept"})
	if err != nil || len(trash) != 3 {
		t.Fatalf("%v, %v", trash, err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}
