package blob_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shiplock/shiplock/internal/blob"
	"github.com/shiplock/shiplock/internal/delivery"
)

func open(t *testing.T, dir string) *blob.Dir {
	t.Helper()
	d, err := blob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestPutReplacesAndSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	for _, v := range []string{"old", "new"} {
		if err := d.Put("a/b/c", []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := open(t, dir).Get("a/b/c", 10)
	if err != nil || string(got) != "new" {
		t.Fatalf("Get = %q, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".tmp", "*", "*")); len(left) != 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

// What a process that ended has left of a write goes with the next opening; what one
// that lives is writing stays.
func TestOpenClearsUnfinishedWrites(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	folders, err := filepath.Glob(filepath.Join(dir, ".tmp", "*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("folders of one store: %v, %v", folders, err)
	}
	for _, left := range []string{"half", "ended/half"} {
		path := filepath.Join(dir, ".tmp", left)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	second := open(t, dir)
	for i, d := range []*blob.Dir{first, second, first} {
		if err := d.Put("key", []byte{byte(i)}); err != nil {
			t.Error(err)
		}
	}
	if now, err := filepath.Glob(filepath.Join(dir, ".tmp", "*")); err != nil || len(now) != 2 {
		t.Errorf("left: %v, %v", now, err)
	}
}

func TestReadsAnyRange(t *testing.T) {
	d := open(t, t.TempDir())
	if err := d.Put("k", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	f, err := d.Open("k")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, _ := io.ReadAll(io.NewSectionReader(f, 3, 4))
	if string(got) != "3456" {
		t.Errorf("range = %q", got)
	}
	if _, err := d.Get("k", 9); err == nil {
		t.Error("Get ignored its limit")
	}
}

func TestAppendedContentMoves(t *testing.T) {
	d := open(t, t.TempDir())
	for _, part := range []string{"one,", "two"} {
		f, err := d.Append("up/1")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, part)
		f.Close()
	}
	if err := d.Move("up/1", "done/x/y"); err != nil {
		t.Fatal(err)
	}
	got, err := d.Get("done/x/y", 100)
	if err != nil || string(got) != "one,two" {
		t.Errorf("Get = %q, %v", got, err)
	}
	if _, err := d.Stat("up/1"); delivery.KindOf(err) != delivery.NotFound {
		t.Errorf("source still there: %v", err)
	}
}

func TestMissingKeys(t *testing.T) {
	d := open(t, t.TempDir())
	if err := d.Put("dir/key", nil); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"none", "dir", "dir/none", "none/none"} {
		if _, err := d.Open(key); delivery.KindOf(err) != delivery.NotFound {
			t.Errorf("Open(%q) = %v", key, err)
		}
		if _, err := d.Stat(key); delivery.KindOf(err) != delivery.NotFound {
			t.Errorf("Stat(%q) = %v", key, err)
		}
		if err := d.Move(key, "x"); delivery.KindOf(err) != delivery.NotFound {
			t.Errorf("Move(%q) = %v", key, err)
		}
	}
	if err := d.Delete("none"); err != nil {
		t.Errorf("Delete of a missing key: %v", err)
	}
}

func TestKeysStayInside(t *testing.T) {
	outside := t.TempDir()
	dir := t.TempDir()
	d := open(t, dir)
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", ".", "..", "../x", "a/../../x", "/x", "a//b", "a/", "./a", ".tmp", ".tmp/x", "a\x00b"} {
		if err := d.Put(key, nil); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("Put(%q) = %v", key, err)
		}
	}
	if err := d.Put("link/x", []byte("x")); err == nil {
		t.Error("wrote through a symbolic link")
	}
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("files outside: %v", left)
	}
}

func TestListsOneLevel(t *testing.T) {
	d := open(t, t.TempDir())
	for _, key := range []string{"b/2", "a/1", "b/c/3", "bb/4"} {
		if err := d.Put(key, nil); err != nil {
			t.Fatal(err)
		}
	}
	list := func(prefix string) (names []string) {
		entries, err := d.List(prefix)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	for prefix, want := range map[string][]string{".": {"a", "b", "bb"}, "b": {"2", "c"}, "none": nil} {
		if got := list(prefix); !slices.Equal(got, want) {
			t.Errorf("List(%q) = %v, want %v", prefix, got, want)
		}
	}
}

func TestConcurrentPutsOfOneKey(t *testing.T) {
	d := open(t, t.TempDir())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := d.Put("deep/er/key", []byte(strings.Repeat("x", 4096))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := d.Get("deep/er/key", 4096); err != nil || len(got) != 4096 {
		t.Errorf("Get = %d bytes, %v", len(got), err)
	}
}
