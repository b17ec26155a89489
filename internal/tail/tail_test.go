package tail

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writer is an App's: what it writes goes to a file below a folder.
type writer struct {
	t   *testing.T
	dir string
}

func (w writer) open(name string, flags int) *os.File {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_WRONLY|os.O_CREATE|flags, 0o644)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = f.Close() })
	return f
}

func (w writer) append(name, text string) {
	w.t.Helper()
	w.write(w.open(name, os.O_APPEND), text)
}

func (w writer) write(f *os.File, text string) {
	w.t.Helper()
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
}

// following is a follower that looks when it is told to, and only then.
type following struct {
	writer
	follower *follower
	out      *bytes.Buffer
}

func follow(t *testing.T, dir, pattern string) *following {
	t.Helper()
	out := &bytes.Buffer{}
	f, err := newFollower(Config{Dir: dir, Pattern: pattern, Out: out, Log: out})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return &following{writer{t, dir}, f, out}
}

// look has the files looked at, and returns what came since the last time.
func (f *following) look() string {
	f.t.Helper()
	if err := f.follower.pass(); err != nil {
		f.t.Fatal(err)
	}
	text := f.out.String()
	f.out.Reset()
	return text
}

func (f *following) end() string {
	f.t.Helper()
	if err := f.follower.finish(); err != nil {
		f.t.Error(err)
	}
	return f.out.String()
}

func (f *following) want(what, want string) {
	f.t.Helper()
	if got := f.look(); got != want {
		f.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestFollow(t *testing.T) {
	f := follow(t, t.TempDir(), "*.log")
	f.append("app.log", "before\n")
	f.append("app.txt", "another's\n")
	f.want("what is there", "before\n")
	f.want("nothing new", "")
	f.append("app.log", "one\ntw")
	f.want("whole lines only", "one\n")
	f.append("app.log", "o\nthr")
	f.want("the rest of a line", "two\n")
	f.append("app.log", "ee")
	if got := f.end(); got != "three\n" {
		t.Errorf("at the end: %q", got)
	}
}

// An App that turns its files over loses no line, and has none twice.
func TestFilesTurnOver(t *testing.T) {
	f := follow(t, t.TempDir(), "*.log")
	old := f.open("app.log", os.O_APPEND)
	f.write(old, "1\n")
	f.want("before", "1\n")
	if err := os.Rename(filepath.Join(f.dir, "app.log"), filepath.Join(f.dir, "app.1.log")); err != nil {
		t.Fatal(err)
	}
	f.write(old, "2\n")
	f.append("app.log", "3\n")
	if got := f.look(); got != "2\n3\n" && got != "3\n2\n" {
		t.Errorf("turned over: %q", got)
	}
	if err := os.Rename(filepath.Join(f.dir, "app.1.log"), filepath.Join(f.dir, "app.log.gone")); err != nil {
		t.Fatal(err)
	}
	f.write(old, "4\n")
	f.want("a name that is not the pattern's", "4\n")
	if err := os.Remove(filepath.Join(f.dir, "app.log.gone")); err != nil {
		t.Fatal(err)
	}
	f.write(old, "5\n")
	f.want("a file without a name", "5\n")
	f.append("app.log", "6\n")
	f.want("the new one", "6\n")
}

func TestTruncatedFile(t *testing.T) {
	f := follow(t, t.TempDir(), "app.log")
	f.append("app.log", "first\nsecond\n")
	f.look()
	if err := os.Truncate(filepath.Join(f.dir, "app.log"), 0); err != nil {
		t.Fatal(err)
	}
	f.append("app.log", "third\n")
	f.want("begun anew", "third\n")
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret.log")
	if err := os.WriteFile(secret, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "a", "link.log")); err != nil {
		t.Fatal(err)
	}
	f := follow(t, dir, "**/*.log")
	f.append("a/b/deep.log", "deep\n")
	f.append("top.log", "top\n")
	if got := f.look(); got != "deep\ntop\n" && got != "top\ndeep\n" {
		t.Errorf("below folders: %q", got)
	}
}

func TestLongLineIsCut(t *testing.T) {
	f := follow(t, t.TempDir(), "app.log")
	f.append("app.log", strings.Repeat("x", 5*maxLine)+"\nshort\n")
	got := f.look()
	if strings.Count(got, "x") != 5*maxLine || !strings.HasSuffix(got, "\nshort\n") {
		t.Errorf("%d bytes came, ending in %q", len(got), got[max(0, len(got)-20):])
	}
	for line := range strings.Lines(got) {
		if len(line) > 2*maxLine+1 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
}

// A large file gives its room back, keeps its length, and every line comes once; also
// for a writer that does not append but goes on where it is.
func TestRoomIsGivenBack(t *testing.T) {
	for name, flags := range map[string]int{"appending": os.O_APPEND, "going on": 0} {
		t.Run(name, func(t *testing.T) {
			f := follow(t, t.TempDir(), "app.log")
			app := f.open("app.log", flags)
			line := func(n int) string { return fmt.Sprintf("%09d %s\n", n, strings.Repeat("-", 1013)) }
			lines := 0
			for range 60 {
				var b strings.Builder
				for range 1024 {
					b.WriteString(line(lines))
					lines++
				}
				f.write(app, b.String())
				if got := f.look(); got != b.String() {
					t.Fatalf("after %d lines %d bytes came, want %d", lines, len(got), b.Len())
				}
			}
			info, err := app.Stat()
			if err != nil || info.Size() != int64(lines*1024) {
				t.Fatalf("the file has %d bytes, %v", info.Size(), err)
			}
			if used := info.Sys().(*syscall.Stat_t).Blocks * 512; used > kept+2*step {
				t.Errorf("the file still takes %d MiB", used>>20)
			}
			// Another follower begins with the next whole line that is there.
			first, _, _ := strings.Cut(follow(t, f.dir, "app.log").look(), " ")
			if first == "000000000" || len(first) != 9 {
				t.Errorf("a new follower begins at %q", first)
			}
		})
	}
}

func TestNoFolder(t *testing.T) {
	err := Run(t.Context(), Config{Dir: filepath.Join(t.TempDir(), "none"), Pattern: "*"})
	if !os.IsNotExist(err) {
		t.Errorf("error is %v", err)
	}
}

func TestRunEndsWithAllThatCameByThen(t *testing.T) {
	w := writer{t, t.TempDir()}
	ctx, stop := context.WithCancel(t.Context())
	tick, done := make(chan time.Time), make(chan error)
	var out bytes.Buffer
	go func() { done <- Run(ctx, Config{Dir: w.dir, Pattern: "*.log", Out: &out, Log: &out, Tick: tick}) }()
	tick <- time.Time{} // the pass over an empty folder is over
	w.append("app.log", "a\nb")
	stop()
	if err := <-done; err != nil || out.String() != "a\nb\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
