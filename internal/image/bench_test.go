package image_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/shiplock/shiplock/internal/image"
)

// artifacts fills p with bytes that compress about as well as build output
// does, to a bit under half.
func artifacts(p []byte, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := 0; i+16 <= len(p); i += 16 {
		binary.LittleEndian.PutUint64(p[i:], r.Uint64())
		binary.LittleEndian.PutUint64(p[i+8:], r.Uint64()%64)
	}
}

// tree30MB writes 600 files of 50 kB.
func tree30MB(b *testing.B) string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "start_env")
	content := make([]byte, 50_000)
	for i := range 600 {
		artifacts(content, uint64(i))
		p := filepath.Join(dir, fmt.Sprintf("d%d", i%20), fmt.Sprintf("file%d", i))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(p, content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

func benchSpec(b *testing.B, c *image.Client) image.Spec {
	b.Helper()
	h := newHost(b)
	big := make([]byte, 150<<20)
	artifacts(big, 1<<40)
	_, err := c.BuildScratch(b.Context(), image.Scratch{Dest: h.name + "/base:1", Files: []image.File{{Path: "/usr/lib/big", Data: big}}})
	if err != nil {
		b.Fatal(err)
	}
	return image.Spec{Base: h.name + "/base:1", Dir: tree30MB(b), Dest: h.name + "/app"}
}

func BenchmarkPushChanged30MBOn150MB(b *testing.B) {
	c := image.New(image.Config{CacheDir: b.TempDir()})
	s := benchSpec(b, c)
	content := make([]byte, 50_000)
	for i := uint64(0); b.Loop(); i++ {
		b.StopTimer()
		for n := range uint64(600) { // every file, so that nothing is known
			artifacts(content[:64], i<<20+n)
			f, err := os.OpenFile(filepath.Join(s.Dir, fmt.Sprintf("d%d", n%20), fmt.Sprintf("file%d", n)), os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			f.Write(content[:64])
			f.Close()
		}
		b.StartTimer()
		if r := build(b, c, s); r.Unchanged {
			b.Fatal("unchanged")
		}
	}
}

func BenchmarkPushUnchanged(b *testing.B) {
	for _, cached := range []bool{true, false} {
		b.Run(fmt.Sprintf("cache=%v", cached), func(b *testing.B) {
			var config image.Config
			if cached {
				config.CacheDir = b.TempDir()
			}
			c := image.New(config)
			s := benchSpec(b, c)
			build(b, c, s)
			for b.Loop() {
				if r := build(b, c, s); !r.Unchanged {
					b.Fatal("changed")
				}
			}
		})
	}
}

// The content is known, but from another checkout: every file must be read.
func BenchmarkPushUnchangedInFreshWorkspace(b *testing.B) {
	c := image.New(image.Config{CacheDir: b.TempDir()})
	s := benchSpec(b, c)
	build(b, c, s)
	file := filepath.Join(s.Dir, "d0", "file0")
	for i := 0; b.Loop(); i++ {
		if err := os.Chmod(file, 0o600|os.FileMode(i%2)<<5); err != nil { // a new change time
			b.Fatal(err)
		}
		if r := build(b, c, s); !r.Unchanged {
			b.Fatal("changed")
		}
	}
}
