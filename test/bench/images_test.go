//go:build bench

package bench

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/test/harness"
)

const (
	baseSize = 150 << 20
	files    = 600
	fileSize = 50_000
	builds   = 5
)

// content fills p with bytes that compress about as well as build output does, to
// a bit under half.
func content(p []byte, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := 0; i+16 <= len(p); i += 16 {
		binary.LittleEndian.PutUint64(p[i:], r.Uint64())
		binary.LittleEndian.PutUint64(p[i+8:], r.Uint64()%64)
	}
}

// writeTree changes every file below dir, 30 MB in all.
func writeTree(t *testing.T, dir string, version uint64) {
	t.Helper()
	text := make([]byte, fileSize)
	for i := range uint64(files) {
		content(text, version<<20+i)
		path := filepath.Join(dir, fmt.Sprintf("d%d", i%20), fmt.Sprintf("file%d", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// registry returns the server's registry, and a client that a runner would use.
func (w *world) registry(t *testing.T) (host string, c *image.Client) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.server.Data, "endpoint.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Registry string
		Logins   image.Keys
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e.Registry, image.New(image.Config{
		Registry: image.Registry{Host: e.Registry, PlainHTTP: true, Login: e.Logins.Login}, CacheDir: t.TempDir(),
	})
}

func (w *world) benchImages(t *testing.T) {
	host, c := w.registry(t)
	base := make([]byte, baseSize)
	content(base, 1<<40)
	_, err := c.BuildScratch(t.Context(), image.Scratch{Dest: host + "/bench/base:1", Files: []image.File{{Path: "/usr/lib/big", Data: base}}})
	if err != nil {
		t.Fatal(err)
	}
	spec := image.Spec{Base: host + "/bench/base:1", Dir: filepath.Join(t.TempDir(), "start_env"), Dest: host + "/bench/app"}
	build := func() (time.Duration, bool) {
		start := time.Now()
		r, err := c.Build(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return time.Since(start), r.Unchanged
	}
	var changed, unchanged []time.Duration
	for version := range uint64(builds) {
		writeTree(t, spec.Dir, version)
		took, same := build()
		if same {
			t.Error("a changed directory was taken for unchanged")
		}
		changed = append(changed, took)
		took, same = build()
		if !same {
			t.Error("an unchanged directory was pushed again")
		}
		unchanged = append(unchanged, took)
	}
	harness.Promise(t, "push of a changed 30 MB directory on a 150 MB base, median", ms(harness.Quantile(changed, 0.5)), 600, "ms",
		fmt.Sprintf(", worst %.3g ms, n=%d", ms(harness.Quantile(changed, 1)), builds))
	harness.Promise(t, "push of the same unchanged, median", ms(harness.Quantile(unchanged, 0.5)), 50, "ms",
		fmt.Sprintf(", worst %.3g ms, n=%d", ms(harness.Quantile(unchanged, 1)), builds))
}
