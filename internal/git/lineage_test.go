package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

const mib = 1 << 20

func mirrors(t testing.TB) *git.Mirrors {
	return &git.Mirrors{Dir: filepath.Join(t.TempDir(), "mirrors"), MaxRepo: 64 * mib, MaxAll: 128 * mib}
}

// lineage is main with thirty commits, work that left it after the tenth, with one
// commit of its own, and alone without a common history.
func lineage(t testing.TB, filter string) (o origin, work, alone string) {
	t.Helper()
	o = serve(t, 30)
	sh(t, o.dir, "config", "uploadpack.allowFilter", filter)
	work = o.fork(t, o.shas[9], map[string]string{"a": "x"})
	shIn(t, o.dir, strings.NewReader("reset refs/heads/alone\ncommit refs/heads/alone\ncommitter Ada <ada@example.com> 1767400000 +0000\ndata 5\nalone\nM 644 inline b\ndata 1\nb\n"),
		"fast-import", "--quiet", "--force")
	return o, work, sh(t, o.dir, "rev-parse", "alone")
}

func TestLineage(t *testing.T) {
	for name, filter := range map[string]string{"partial clone": "true", "server without filters": "false"} {
		t.Run(name, func(t *testing.T) {
			o, work, alone := lineage(t, filter)
			m, ctx := mirrors(t), t.Context()
			for _, c := range []struct {
				commit, ancestor string
				want             bool
			}{
				{o.shas[29], o.shas[0], true}, {o.shas[29], o.shas[29], true}, {o.shas[0], o.shas[29], false},
				{work, o.shas[9], true}, {work, o.shas[10], false}, {o.shas[29], work, false}, {alone, o.shas[0], false},
			} {
				if got, err := m.Contains(ctx, o.remote(), c.commit, c.ancestor); got != c.want || err != nil {
					t.Errorf("%.8s contains %.8s: %v, %v", c.commit, c.ancestor, got, err)
				}
			}
			for _, c := range []struct {
				base, head string
				want       int
			}{{o.shas[9], o.shas[29], 20}, {o.shas[29], o.shas[9], 0}, {work, o.shas[29], 20}, {work, work, 0}} {
				if got, err := m.Ahead(ctx, o.remote(), c.base, c.head); got != c.want || err != nil {
					t.Errorf("%.8s..%.8s: %d, %v; want %d", c.base, c.head, got, err, c.want)
				}
			}
			base, from, err := m.Fork(ctx, o.remote(), work, map[string]string{"main": o.shas[29], "old": o.shas[4], "alone": alone})
			if base != o.shas[9] || from != "main" || err != nil {
				t.Errorf("work left %q at %.8s, %v; want main at %.8s", from, base, err, o.shas[9])
			}
			if _, _, err := m.Fork(ctx, o.remote(), alone, map[string]string{"main": o.shas[29]}); delivery.KindOf(err) != delivery.NotFound {
				t.Errorf("no common history: %v", err)
			}
			title, author, email, err := m.Describe(ctx, o.remote(), work)
			if title != "work" || author != "Ada" || !strings.Contains(email, "@") || err != nil {
				t.Errorf("%q by %q %q, %v", title, author, email, err)
			}
		})
	}
}

func TestWhere(t *testing.T) {
	o, work, alone := lineage(t, "true")
	gone := strings.Repeat("ab", 20)
	m, ctx := mirrors(t), t.Context()
	sha, in, unknown, err := m.Where(ctx, o.remote(), o.shas[5][:7], []string{o.shas[29], work, alone, o.shas[2], gone})
	if err != nil || sha != o.shas[5] {
		t.Fatalf("%q, %v; want %s", sha, err, o.shas[5])
	}
	for commit, want := range map[string]bool{o.shas[29]: true, work: true, alone: false, o.shas[2]: false} {
		if got, known := in[commit]; got != want || !known {
			t.Errorf("%.8s contains it: %v, %v", commit, got, known)
		}
	}
	if _, known := in[gone]; known || delivery.KindOf(unknown[gone]) != delivery.NotFound {
		t.Errorf("a history that is gone: %v, %v", in[gone], unknown[gone])
	}
	if sha, _, _, err := m.Where(ctx, o.remote(), "0000000", []string{work}); sha != "" || err != nil {
		t.Errorf("a commit of nobody: %q, %v", sha, err)
	}
	for _, bad := range []string{"abc", "HEAD", "--all", "main", o.shas[0] + "^"} {
		if _, _, _, err := m.Where(ctx, o.remote(), bad, []string{work}); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v, want Invalid", bad, err)
		}
	}
}

// A mirror never asks for what it lacks behind our back: a promisor remote would be
// asked for every object that is missing.
func TestMirrorAsksOnlyWhenTold(t *testing.T) {
	o, work, _ := lineage(t, "true")
	m := mirrors(t)
	if _, err := m.Ahead(t.Context(), o.remote(), o.shas[9], work); err != nil {
		t.Fatal(err)
	}
	if sha, _, _, err := m.Where(t.Context(), o.remote(), o.shas[29], []string{work}); sha != "" || err != nil {
		t.Errorf("a commit that was not fetched is %q, %v", sha, err)
	}
}

func TestMirrorsAreBounded(t *testing.T) {
	o, work, _ := lineage(t, "true")
	other, _, _ := lineage(t, "true")
	m := mirrors(t)
	m.MaxAll = 1 // keeps only what is in use
	for _, o := range []origin{o, other} {
		if _, err := m.Contains(t.Context(), o.remote(), o.shas[29], o.shas[0]); err != nil {
			t.Fatal(err)
		}
	}
	if kept, _ := os.ReadDir(m.Dir); len(kept) != 1 {
		t.Errorf("%d mirrors are kept, want one", len(kept))
	}
	m.MaxRepo = 1
	if _, err := m.Contains(t.Context(), o.remote(), work, o.shas[0]); err != nil {
		t.Errorf("a mirror that has grown too large is not made anew: %v", err)
	}
}

func TestMirrorRefuses(t *testing.T) {
	o := serve(t, 2)
	m := mirrors(t)
	for name, c := range map[string]struct {
		remote git.Remote
		sha    string
		kind   delivery.Kind
	}{
		"gone":          {o.remote(), strings.Repeat("ab", 20), delivery.NotFound},
		"no SHA":        {o.remote(), "--upload-pack=x", delivery.Invalid},
		"no credential": {git.Remote{URL: o.url}, o.shas[1], delivery.Denied},
		"no server":     {git.Remote{URL: "http://127.0.0.1:1/a/b.git"}, o.shas[1], delivery.Unavailable},
	} {
		if _, err := m.Contains(t.Context(), c.remote, c.sha, o.shas[0]); delivery.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
}
