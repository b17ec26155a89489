package cache

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var measure = flag.Bool("measure", false, "measure how long 20,000 files of 178 MB take to be ready")

// How long a cache takes to be ready, beside unpacking an archive of it:
//
//	unshare -m env OWN_MOUNTS=yes go test ./internal/cache -run Measure -measure -v
func TestMeasure(t *testing.T) {
	if !*measure {
		t.Skip("asked for with -measure")
	}
	const files, size = 20_000, 178_000_000
	s := newShelf(t)
	_, _, err := s.build("protected", "shop", "1", func(dir string) {
		rnd := rand.NewChaCha8([32]byte{})
		buf := make([]byte, size/files)
		for i := range files {
			_, _ = rnd.Read(buf)
			write(t, string(buf), dir, fmt.Sprintf("%02x", i%256), fmt.Sprintf("%05d", i))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(s.newest("protected").dir, treeDir)
	archive := filepath.Join(t.TempDir(), "cache.tar")
	run(t, "tar", "-cf", archive, "-C", tree, ".")
	took := map[string][]time.Duration{}
	for range 5 { // ours, theirs, ours, theirs
		for name, ready := range map[string]func(dir string){
			"untar": func(dir string) { run(t, "tar", "-xf", archive, "-C", dir) },
			"copy":  func(dir string) { s.ready(dir, false) },
			"mount": func(dir string) { s.ready(dir, os.Getenv("OWN_MOUNTS") != "") },
		} {
			dir := filepath.Join(t.TempDir(), "home")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			ready(dir)
			took[name] = append(took[name], time.Since(began))
			_ = unix.Unmount(dir, unix.MNT_DETACH)
			if err := removeAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, all := range took {
		slices.Sort(all)
		t.Logf("%-6s median %v (%v to %v)", name, all[len(all)/2], all[0], all[len(all)-1])
	}
	var began time.Time
	_, _, err = s.build("protected", "shop", "1", func(dir string) {
		for i := range 200 {
			write(t, fmt.Sprint(i, "changed", time.Now().UnixNano()), dir, "new", fmt.Sprint(i))
		}
		write(t, string(make([]byte, 2_000_000)), dir, "new", "large")
		began = time.Now()
	})
	t.Logf("publish with 1 %% new: %v", time.Since(began))
	if err != nil {
		t.Fatal(err)
	}
}

// ready is what a runner does at the start of a build.
func (s *shelf) ready(dir string, mount bool) {
	s.t.Helper()
	from, err := s.Find(Wanted{Domains: []string{"protected"}, Stack: "go", Name: "mod", App: "shop", Key: key("1")})
	if err != nil || from == nil {
		s.t.Fatal(err)
	}
	defer from.Release()
	r, err := Restore(s.t.Context(), from, Folder{Dir: dir, Scratch: filepath.Join(s.t.TempDir(), "scratch"), Mount: mount})
	if err != nil {
		s.t.Fatal(err)
	}
	if mount && r.NoOverlay != nil {
		s.t.Fatal(r.NoOverlay)
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
