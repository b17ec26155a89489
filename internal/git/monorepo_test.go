package git_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

// mono is a repository of several apps, with a work tree to change it in.
type mono struct {
	t testing.TB
	origin
	work string
	m    *git.Mirrors
}

func newMono(t testing.TB) mono {
	t.Helper()
	o := serve(t, 1)
	m := mono{t: t, origin: o, work: filepath.Join(t.TempDir(), "work"), m: mirrors(t)}
	sh(t, filepath.Dir(m.work), "clone", "-q", "file://"+o.dir, m.work)
	for _, app := range []string{"cart", "list", "mail", "支付"} {
		write(t, filepath.Join(m.work, app, "main.go"), "package "+app+"\n"+strings.Repeat("// text\n", 20))
	}
	write(t, filepath.Join(m.work, "lib", "x.go"), "package lib\n")
	m.commit("start")
	m.push("main")
	return m
}

func (m mono) git(args ...string) string {
	m.t.Helper()
	return sh(m.t, m.work, append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
}

func (m mono) commit(message string) string {
	m.t.Helper()
	m.git("add", "-A")
	m.git("commit", "-q", "--allow-empty", "-m", message)
	return m.git("rev-parse", "HEAD")
}

func (m mono) push(branch string) {
	m.t.Helper()
	m.git("push", "-q", "-f", "origin", "HEAD:refs/heads/"+branch)
}

// concerned lists the apps that a push concerns, as the catalog asks for them.
func (m mono) concerned(before, after string) string {
	m.t.Helper()
	var paths []string
	if before != after {
		var err error
		if paths, err = git.Changed(m.t.Context(), m.remote(), before, after); err != nil {
			m.t.Fatal(err)
		}
	}
	var apps []string
	for _, a := range []delivery.App{
		{Name: "cart", Path: "cart"}, {Name: "list", Path: "list", Watch: []string{"lib"}}, {Name: "mail", Path: "mail"}, {Name: "pay", Path: "支付"},
	} {
		if a.ConcernedBy(paths) {
			apps = append(apps, a.Name)
		}
	}
	return strings.Join(apps, " ")
}

// TestMonorepo pushes what people push, and wants exactly the apps that it concerns.
func TestMonorepo(t *testing.T) {
	m := newMono(t)
	at := m.git("rev-parse", "HEAD")
	file := func(path, text string) { write(t, filepath.Join(m.work, path), text) }
	for _, c := range []struct {
		name   string
		change func()
		want   string
	}{
		{"one file of one app", func() { file("cart/main.go", "package cart\n") }, "cart"},
		{"more commits than a payload lists", func() {
			file("mail/first", "x")
			m.commit("first")
			var many strings.Builder
			for i := range 25 {
				from := ""
				if i == 0 {
					from = "from refs/heads/main^0\n"
				}
				fmt.Fprintf(&many, "commit refs/heads/main\ncommitter Ada <ada@example.com> 1767400000 +0000\ndata 4\ndocs\n%sM 644 inline docs/n\ndata 2\n%02d\n", from, i)
			}
			shIn(t, m.work, strings.NewReader(many.String()), "fast-import", "--quiet", "--force")
			m.git("reset", "-q", "--hard", "main")
		}, "mail"},
		{"a file that moves to another app", func() { m.git("mv", "cart/main.go", "list/moved.go") }, "cart list"},
		{"what an app watches", func() { file("lib/x.go", "package lib // new\n") }, "list"},
		{"a merge of another branch", func() {
			m.git("checkout", "-q", "-b", "side", "HEAD~1")
			file("mail/side", "x")
			m.commit("side")
			m.git("checkout", "-q", "-")
			m.git("merge", "-q", "--no-ff", "-m", "merge", "side")
		}, "mail"},
		{"a revert", func() { m.git("revert", "--no-edit", "-m", "1", "HEAD~1") }, "mail"},
		{"a submodule that moves", func() {
			m.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("ab", 20)+",cart/vendored")
			m.git("commit", "-q", "-m", "submodule")
			if err := os.MkdirAll(filepath.Join(m.work, "cart", "vendored"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "cart"},
		{"names that git quotes", func() { file("list/a \"b\"\tc\\d.txt", "x"); file("支付/ü 付.txt", "x") }, "list pay"},
		{"a name that only begins alike", func() { file("cart-old/x", "x"); file("mailing.txt", "x") }, ""},
		{"only a mode", func() {
			if err := os.Chmod(filepath.Join(m.work, "mail", "main.go"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "mail"},
		{"nothing", func() {}, ""},
	} {
		c.change()
		after := m.commit(c.name)
		m.push("main")
		if got := m.concerned(at, after); got != c.want {
			t.Errorf("%s concerns %q, want %q", c.name, got, c.want)
		}
		at = after
	}

	// A new branch concerns what it changed since it left main, not all that is there.
	m.git("checkout", "-q", "-b", "feature", "HEAD~3")
	file("支付/main.go", "package pay\n")
	own := m.commit("own")
	m.push("feature")
	base, from, err := m.m.Fork(t.Context(), m.remote(), own, map[string]string{"main": at})
	if err != nil || from != "main" || m.concerned(base, own) != "pay" {
		t.Errorf("a new branch from %s concerns %q, want pay; %v", from, m.concerned(base, own), err)
	}
	// A branch that is forced to an older commit concerns what it takes back.
	m.git("checkout", "-q", "-B", "forced", at)
	file("mail/x", "x")
	further := m.commit("further")
	m.push("forced")
	if got := m.concerned(further, at); got != "mail" {
		t.Errorf("forced back concerns %q, want mail", got)
	}
}
