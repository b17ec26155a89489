package image_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
)

// settle waits until the tree's change times are old enough to be trusted.
func settle(t *testing.T, file string) {
	t.Helper()
	marker := filepath.Join(t.TempDir(), "now")
	deadline := time.Now().Add(5 * time.Second)
	for {
		if err := os.WriteFile(marker, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		now, _ := os.Stat(marker)
		then, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if now.ModTime().Sub(then.ModTime()) > 100*time.Millisecond {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the clock of the file system stands still")
		}
	}
}

// A file with the same name, size and modification time, but other content,
// must make another image.
func TestCacheIsNotFooledByModificationTimes(t *testing.T) {
	h := newHost(t)
	c := image.New(image.Config{CacheDir: t.TempDir()})
	pushBase(t, c, h.name+"/base:1")
	s := image.Spec{Base: h.name + "/base:1", Dir: writeTree(t, map[string]string{"a": "one"}), Dest: h.name + "/app"}
	file := filepath.Join(s.Dir, "a")
	then := time.Unix(1_000_000_000, 0)
	if err := os.Chtimes(file, then, then); err != nil {
		t.Fatal(err)
	}
	settle(t, s.Dir)
	one := build(t, c, s)
	if again := build(t, c, s); !again.Unchanged {
		t.Fatalf("again = %+v", again)
	}
	if err := os.WriteFile(file, []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, then, then); err != nil {
		t.Fatal(err)
	}
	two := build(t, c, s)
	if two.Layer == one.Layer || two.Unchanged {
		t.Errorf("changed content gave the old image: %+v", two)
	}
	if fresh := build(t, image.New(image.Config{}), s); fresh.Digest != two.Digest {
		t.Errorf("with a cache %s, without %s", two.Digest, fresh.Digest)
	}
}

// Writes that come as fast as the builds must never be missed.
func TestCacheSeesWritesWithinOneTick(t *testing.T) {
	h := newHost(t)
	c := image.New(image.Config{CacheDir: t.TempDir()})
	pushBase(t, c, h.name+"/base:1")
	s := image.Spec{Base: h.name + "/base:1", Dir: writeTree(t, map[string]string{"a": "0"}), Dest: h.name + "/app"}
	seen := make(map[string]bool)
	const builds = 20
	for i := range builds {
		if err := os.WriteFile(filepath.Join(s.Dir, "a"), []byte{byte(i)}, 0o644); err != nil {
			t.Fatal(err)
		}
		seen[build(t, c, s).Layer] = true
	}
	if len(seen) != builds {
		t.Errorf("%d contents gave %d layers", builds, len(seen))
	}
}

// What the cache remembers is enough to build for a registry that has nothing.
func TestCachedLayerIsMadeAgainForAnotherRegistry(t *testing.T) {
	one, two := newHost(t), newHost(t)
	c := image.New(image.Config{CacheDir: t.TempDir()})
	pushBase(t, c, one.name+"/base:1")
	s := image.Spec{Base: one.name + "/base:1", Dir: writeTree(t, map[string]string{"a": "one"}), Dest: one.name + "/app"}
	settle(t, filepath.Join(s.Dir, "a"))
	first := build(t, c, s)
	s.Dest = two.name + "/app"
	second := build(t, c, s)
	if first.Digest != second.Digest {
		t.Errorf("%s, then %s", first.Digest, second.Digest)
	}
	pull(t, second.Ref)
}

// A fact about a layer that nobody has costs one failed build.
func TestDamagedCacheRepairsItself(t *testing.T) {
	h := newHost(t)
	dir := t.TempDir()
	c := image.New(image.Config{CacheDir: dir})
	pushBase(t, c, h.name+"/base:1")
	s := image.Spec{Base: h.name + "/base:1", Dir: writeTree(t, map[string]string{"a": "one"}), Dest: h.name + "/app"}
	settle(t, filepath.Join(s.Dir, "a"))
	right := build(t, c, s)
	facts, err := filepath.Glob(filepath.Join(dir, "layers", "*"))
	if err != nil || len(facts) != 1 {
		t.Fatalf("facts = %v, %v", facts, err)
	}
	content, err := os.ReadFile(facts[0])
	if err != nil {
		t.Fatal(err)
	}
	lie := strings.Replace(string(content), right.Layer, "sha256:"+strings.Repeat("0", 64), 1)
	if err := os.WriteFile(facts[0], []byte(lie), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Build(t.Context(), s); delivery.KindOf(err) != delivery.Conflict {
		t.Fatalf("err = %v", err)
	}
	if again := build(t, c, s); again.Digest != right.Digest {
		t.Errorf("after repair %s, want %s", again.Digest, right.Digest)
	}
}
