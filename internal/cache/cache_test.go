package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/internal/delivery"
)

// The test binary is also a process with mounts of its own.
func TestMain(m *testing.M) {
	if os.Getenv("OWN_MOUNTS") == "" {
		os.Exit(m.Run())
	}
	if err := OwnMounts(); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	os.Exit(m.Run())
}

var day = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// shelf is a Store with a clock that moves on by itself.
type shelf struct {
	*Store
	t   *testing.T
	now time.Time
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{t: t, now: day}
	s.Store = New(Config{Dir: filepath.Join(t.TempDir(), "cache"), Now: func() time.Time {
		s.now = s.now.Add(time.Second)
		return s.now
	}})
	t.Cleanup(func() { _ = removeAll(s.Dir) })
	return s
}

func key(text string) Key { return Key{Digest: text, Files: map[string]string{"lock": text}} }

// build works on a folder as a build does, and publishes it.
func (s *shelf) build(domain, app, k string, change func(dir string)) (Meta, *Restored, error) {
	s.t.Helper()
	from, err := s.Find(Wanted{Domains: []string{domain}, Stack: "go", Name: "mod", App: app, Key: key(k)})
	if err != nil {
		s.t.Fatal(err)
	}
	home := filepath.Join(s.t.TempDir(), "home")
	s.t.Cleanup(func() { _ = removeAll(home) })
	f := Folder{Dir: filepath.Join(home, "mod"), Scratch: filepath.Join(s.t.TempDir(), "scratch"), Mount: os.Getenv("OWN_MOUNTS") != ""}
	var r *Restored
	if from != nil {
		defer from.Release()
		if r, err = Restore(s.t.Context(), from, f); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { _ = unix.Unmount(f.Dir, unix.MNT_DETACH) })
	} else if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	change(f.Dir)
	m, err := s.Publish(s.t.Context(), Publication{
		Place: Place{domain, "go", "mod"}, App: app, Run: app + "#1", Key: key(k), Dir: f.Dir, From: r,
	})
	return m, r, err
}

func write(t *testing.T, text string, name ...string) {
	t.Helper()
	path := filepath.Join(name...)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// tree lists what is in a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			all[rel] = info.Mode().String()
		case d.Type() == fs.ModeSymlink:
			all[rel], err = os.Readlink(path)
		default:
			var text []byte
			text, err = os.ReadFile(path)
			all[rel] = fmt.Sprintf("%s %s %s", info.Mode(), info.ModTime().UTC().Format(time.RFC3339Nano), text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s *shelf) newest(domain string) snapshot {
	s.t.Helper()
	p := Place{domain, "go", "mod"}
	ids, err := s.ids(p)
	if err != nil || len(ids) == 0 {
		s.t.Fatalf("no snapshot in %s: %v", domain, err)
	}
	sn, err := s.open(p, ids[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return sn
}

const big = worth + 1

// What a build leaves is what the next one finds, and nothing that it does reaches
// the snapshot.
func TestRoundTrip(t *testing.T) {
	s := newShelf(t)
	var left map[string]string
	_, _, err := s.build("protected", "shop", "1", func(dir string) {
		write(t, "one", dir, "a", "one")
		write(t, "two", dir, "a", "two")
		write(t, "gone", dir, "old", "gone")
		write(t, "#!", dir, "bin", "run")
		write(t, "", dir, "empty")
		err := errors.Join(
			os.Chmod(filepath.Join(dir, "bin", "run"), 0o755), os.Chtimes(filepath.Join(dir, "a", "one"), day, day.Add(-time.Hour)),
			os.Symlink("../elsewhere", filepath.Join(dir, "link")), os.Mkdir(filepath.Join(dir, "void"), 0o755),
			syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600),
			os.Chmod(filepath.Join(dir, "old"), 0o555))
		if err != nil {
			t.Fatal(err)
		}
		left = tree(t, filepath.Join(dir, "a"))
	})
	if err != nil {
		t.Fatal(err)
	}
	first := s.newest("protected")
	before := tree(t, filepath.Join(first.dir, treeDir))
	if _, there := before["pipe"]; there || before["link"] != "../elsewhere" || before["void"] == "" || !maps.Equal(tree(t, filepath.Join(first.dir, treeDir, "a")), left) {
		t.Errorf("the snapshot holds %v", before)
	}

	second, r, err := s.build("protected", "shop", "1", func(dir string) {
		if got := tree(t, dir); !maps.Equal(got, before) {
			t.Errorf("the next build finds\n%v, want\n%v", got, before)
		}
		write(t, strings.Repeat("n", big), dir, "new")
		write(t, "ONE", dir, "a", "one") // in place
		if err := errors.Join(os.Chmod(filepath.Join(dir, "old"), 0o755), os.RemoveAll(filepath.Join(dir, "old")), os.Chtimes(filepath.Join(dir, "bin", "run"), day, day)); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil || second.Files != 5 {
		t.Fatalf("%+v, %v", second, err)
	}
	if now := tree(t, filepath.Join(first.dir, treeDir)); !maps.Equal(now, before) {
		t.Errorf("the snapshot has changed to\n%v, from\n%v", now, before)
	}
	latest := s.newest("protected")
	after := tree(t, filepath.Join(latest.dir, treeDir))
	if after["old"] != "" || !strings.HasSuffix(after["a/one"], " ONE") || after["a/two"] != before["a/two"] {
		t.Errorf("the second snapshot holds %v", after)
	}
	for name, shared := range map[string]bool{"a/two": true, "bin/run": true, "a/one": false} {
		x, _ := os.Stat(filepath.Join(first.dir, treeDir, name))
		y, _ := os.Stat(filepath.Join(latest.dir, treeDir, name))
		if os.SameFile(x, y) != shared {
			t.Errorf("%s is shared: %v, restored by %s", name, !shared, r.How)
		}
	}
}

// The same, with the overlays that a process may mount that has mounts of its own.
func TestOverlay(t *testing.T) {
	if os.Getenv("OWN_MOUNTS") != "" {
		t.Skip("this is it")
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^(TestRoundTrip|TestNothingNew|TestOverlayIsUsed)$", "-test.v")
	cmd.Env = append(os.Environ(), "OWN_MOUNTS=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_FOWNER, unix.CAP_CHOWN, unix.CAP_FSETID}
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || strings.Contains(string(out), "--- SKIP: TestOverlayIsUsed") || cmd.ProcessState.ExitCode() == 3 {
		t.Skipf("overlays are not allowed here: %v\n%s", err, out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestOverlayIsUsed(t *testing.T) {
	if os.Getenv("OWN_MOUNTS") == "" {
		t.Skip("TestOverlay runs it")
	}
	s := newShelf(t)
	if _, _, err := s.build("protected", "shop", "1", func(dir string) { write(t, "x", dir, "x") }); err != nil {
		t.Fatal(err)
	}
	_, r, _ := s.build("protected", "shop", "1", func(string) {})
	if errors.Is(r.NoOverlay, unix.EPERM) || errors.Is(r.NoOverlay, unix.EINVAL) {
		t.Skip(r.NoOverlay)
	}
	if r.How != delivery.RestoredOverlay {
		t.Errorf("restored by %s: %v", r.How, r.NoOverlay)
	}
}

func TestNothingNew(t *testing.T) {
	s := newShelf(t)
	if _, _, err := s.build("protected", "shop", "1", func(string) {}); !errors.Is(err, RefusedEmpty) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, _, err := s.build("protected", "shop", "1", func(dir string) { write(t, strings.Repeat("x", big), dir, "x") }); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.build("protected", "shop", "1", func(dir string) {
		write(t, strings.Repeat("x", big), dir, "x") // the same again
		write(t, "just now", dir, "last-run")
	})
	if !errors.Is(err, RefusedSame) {
		t.Errorf("nothing but noise: %v", err)
	}
	if _, _, err = s.build("protected", "shop", "2", func(string) {}); err != nil {
		t.Errorf("for another key: %v", err)
	}
	s.SnapshotLimit = big + 10
	_, _, err = s.build("protected", "shop", "1", func(dir string) { write(t, strings.Repeat("y", big), dir, "y") })
	if _, refused := errors.AsType[Refusal](err); !refused || !strings.Contains(err.Error(), "131 kB") {
		t.Errorf("too large: %v", err)
	}
}

func TestWhichSnapshotFits(t *testing.T) {
	s := newShelf(t)
	for i, b := range []struct{ domain, app, key string }{
		{"protected", "shop", "1"}, {"protected", "cart", "2"}, {"app-shop", "shop", "3"}, {"app-cart", "cart", "4"},
		{"protected", "shop", "5"},
	} {
		if _, _, err := s.build(b.domain, b.app, b.key, func(dir string) { write(t, strings.Repeat("x", big+i), dir, fmt.Sprint(i)) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		app, key  string
		protected bool
		domain    string
		wantKey   string
	}{
		{"shop", "3", false, "app-shop", "3"},
		{"shop", "3", true, "protected", "5"},
		{"shop", "2", true, "protected", "2"},
		{"shop", "4", false, "app-shop", "3"}, // not the other app's
		{"shop", "1", false, "protected", "1"},
		{"cart", "9", true, "protected", "2"},
		{"new", "9", true, "protected", "5"},
		{"new", "9", false, "protected", "5"},
	} {
		read, _ := delivery.CacheDomains(c.app, c.protected)
		got, err := s.Find(Wanted{Domains: read, Stack: "go", Name: "mod", App: c.app, Key: key(c.key)})
		if err != nil || got == nil || got.Domain != c.domain || got.Key.Digest != c.wantKey {
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
		got.Release()
	}
	if got, err := s.Find(Wanted{Domains: []string{"protected"}, Stack: "java", Name: "mod", App: "shop", Key: key("1")}); got != nil || err != nil {
		t.Errorf("of another stack: %v, %v", got, err)
	}
	if _, err := s.Find(Wanted{Domains: []string{"../x"}, Stack: "go", Name: "mod"}); delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("a domain that is a path: %v", err)
	}
}

func TestSweep(t *testing.T) {
	s := newShelf(t)
	for _, k := range []string{"1", "1", "2", "3"} {
		if _, _, err := s.build("protected", "shop", k, func(dir string) { write(t, strings.Repeat("x", big), dir, k+fmt.Sprint(s.now.Unix())) }); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.List()
	if err != nil || len(all) != 4 {
		t.Fatalf("%d, %v", len(all), err)
	}
	used := day
	for _, k := range []string{"1", "3", "2"} { // the order of their last use
		for _, i := range all {
			if i.Key.Digest == k {
				used = used.Add(time.Minute)
				if err := os.Chtimes(filepath.Join(i.dir, leaseFile), used, used); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	inUse, err := s.Find(Wanted{Domains: []string{"protected"}, Stack: "go", Name: "mod", App: "shop", Key: key("1")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(inUse.dir, leaseFile), day, day); err != nil {
		t.Fatal(err)
	}
	abandoned := filepath.Join(s.Dir, tmpDir, "dead")
	write(t, "", abandoned, leaseFile)
	write(t, "half", abandoned, treeDir, "x")
	kept := func() (keys []string) {
		all, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all {
			keys = append(keys, i.Key.Digest)
		}
		slices.Sort(keys)
		return keys
	}

	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := kept(); !slices.Equal(got, []string{"1", "2", "3"}) || exists(abandoned) {
		t.Errorf("after a sweep there are %v; what a dead writer left: %v", got, exists(abandoned))
	}
	for _, i := range must(s.List()) {
		if !exists(filepath.Join(i.dir, durableFile)) {
			t.Errorf("%s is not known to be on disk", i.ID)
		}
	}
	s.Limit = 1
	w, err := s.Sweep(t.Context())
	if err != nil || w.Snapshots != 2 {
		t.Errorf("swept %+v, %v", w, err)
	}
	if got := kept(); !slices.Equal(got, []string{"1"}) {
		t.Errorf("beyond the limit %v are kept, want what is in use", got)
	}
	inUse.Release()
	if _, err := s.Sweep(t.Context()); err != nil || len(kept()) != 0 {
		t.Errorf("%v are kept that nobody uses: %v", kept(), err)
	}
	for _, folder := range []string{tmpDir, trashDir} {
		if names := must(dirNames(filepath.Join(s.Dir, folder))); len(names) > 0 {
			t.Errorf("%s holds %v", folder, names)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The least recently used goes first, and no more than must.
func TestSweepKeepsWhatFits(t *testing.T) {
	s := newShelf(t)
	for _, k := range []string{"1", "2", "3"} {
		if _, _, err := s.build(k, "shop", k, func(dir string) { write(t, strings.Repeat("x", big), dir, "x") }); err != nil {
			t.Fatal(err)
		}
		used := day.Add(time.Duration(-len(k)) * time.Hour)
		if k == "2" {
			used = day.Add(-2 * time.Hour)
		}
		if err := os.Chtimes(filepath.Join(must(filepath.Glob(filepath.Join(s.Dir, snapshotsDir, k, "go", "mod", "*")))[0], leaseFile), used, used); err != nil {
			t.Fatal(err)
		}
	}
	s.Limit = 2*big + 10
	w, err := s.Sweep(t.Context())
	if err != nil || w.Snapshots != 1 || w.Left != 2*big {
		t.Errorf("swept %+v, %v", w, err)
	}
	for _, i := range must(s.List()) {
		if i.Key.Digest == "2" {
			t.Error("the least recently used is kept")
		}
	}
}

func TestDrop(t *testing.T) {
	s := newShelf(t)
	poison := func(dir string) { write(t, strings.Repeat("p", big), dir, fmt.Sprint(s.now.Unix())) }
	if _, _, err := s.build("app-shop", "shop", "1", poison); err != nil {
		t.Fatal(err)
	}
	var dropped []Info
	_, r, err := s.build("app-shop", "shop", "1", func(dir string) {
		poison(dir)
		dropped = must(s.Drop(t.Context(), func(i Info) bool { return i.Domain == "app-shop" }))
	})
	if len(dropped) != 1 || len(must(s.List())) != 0 {
		t.Errorf("dropped %v, left %v", dropped, must(s.List()))
	}
	if _, refused := errors.AsType[Refusal](err); !refused {
		t.Errorf("what was made of a dropped snapshot: %v", err)
	}
	if r.How != delivery.RestoredOverlay { // the build has ended, and its lease with it
		if _, err := s.Sweep(t.Context()); err != nil || len(must(dirNames(filepath.Join(s.Dir, trashDir)))) != 0 {
			t.Errorf("it is still in the trash: %v", err)
		}
	}
}

// What may not have reached the disk when the machine went down is not used.
func TestMachineGoesDown(t *testing.T) {
	s := newShelf(t)
	for _, k := range []string{"1", "2"} {
		if _, _, err := s.build("protected", "shop", k, func(dir string) { write(t, strings.Repeat(k, big), dir, k) }); err != nil {
			t.Fatal(err)
		}
		if k == "1" {
			if _, err := s.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, path := range must(filepath.Glob(filepath.Join(s.Dir, snapshotsDir, "*", "*", "*", "*", metaFile))) {
		text := must(os.ReadFile(path))
		write(t, strings.Replace(string(text), boot(), "another-boot", 1), path)
	}
	got, err := s.Find(Wanted{Domains: []string{"protected"}, Stack: "go", Name: "mod", App: "shop", Key: key("2")})
	if err != nil || got == nil || got.Key.Digest != "1" {
		t.Errorf("found %+v, %v", got, err)
	}
	got.Release()
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(must(s.ids(Place{"protected", "go", "mod"}))); n != 1 {
		t.Errorf("%d snapshots are left", n)
	}
}

func TestColdBuild(t *testing.T) {
	s := newShelf(t)
	if _, known := s.Cold([]string{"protected"}, "go", "shop"); known {
		t.Error("known before it was noted")
	}
	want := Cold{Run: "shop#1", At: day, Steps: []ColdStep{{Name: "build", Digest: "d", Took: time.Minute}}}
	for _, run := range []string{"shop#0", "shop#1"} {
		c := want
		c.Run = run
		if err := s.PutCold("protected", "go", "shop", c); err != nil {
			t.Fatal(err)
		}
	}
	got, known := s.Cold([]string{"app-shop", "protected"}, "go", "shop")
	if !known || got.Run != want.Run || !slices.Equal(got.Steps, want.Steps) {
		t.Errorf("got %+v", got)
	}
}
