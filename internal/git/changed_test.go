package git_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

// fork commits files on top of a parent and returns the SHA; a nil text removes one.
func (o origin) fork(t testing.TB, parent string, files map[string]string, gone ...string) string {
	t.Helper()
	var s strings.Builder
	fmt.Fprintf(&s, "commit refs/heads/work\ncommitter Ada <ada@example.com> 1767400000 +0000\ndata 4\nwork\nfrom %s\n", parent)
	for name, text := range files {
		fmt.Fprintf(&s, "M 644 inline %s\ndata %d\n%s\n", name, len(text), text)
	}
	for _, name := range gone {
		fmt.Fprintf(&s, "D %s\n", name)
	}
	shIn(t, o.dir, strings.NewReader(s.String()), "fast-import", "--quiet", "--force")
	return sh(t, o.dir, "rev-parse", "work")
}

func TestChanged(t *testing.T) {
	for name, config := range map[string]string{"partial clone": "true", "server without filters": "false"} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, 30)
			sh(t, o.dir, "config", "uploadpack.allowFilter", config)
			left := o.fork(t, o.shas[0], map[string]string{"app/ü b.txt": "x", "lib/x.go": "y"}, "n.txt")
			right := o.fork(t, o.shas[9], map[string]string{"other/z": "z"})
			for _, c := range []struct {
				before, after string
				want          []string
			}{
				{o.shas[0], o.shas[29], []string{"n.txt"}},
				{o.shas[0], left, []string{"app/ü b.txt", "lib/x.go", "n.txt"}},
				{left, right, []string{"app/ü b.txt", "lib/x.go", "n.txt", "other/z"}}, // forced: what was dropped counts too
				{left, left, nil},
			} {
				got, err := git.Changed(t.Context(), o.remote(), c.before, c.after)
				slices.Sort(got)
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("%.8s..%.8s: %q, %v; want %q", c.before, c.after, got, err, c.want)
				}
			}
		})
	}
}

func TestChangedRefuses(t *testing.T) {
	o, tmp := serve(t, 2), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for name, c := range map[string]struct {
		remote        git.Remote
		before, after string
		kind          delivery.Kind
	}{
		"gone":          {o.remote(), strings.Repeat("ab", 20), o.shas[1], delivery.NotFound},
		"no SHA":        {o.remote(), "--upload-pack=x", o.shas[1], delivery.Invalid},
		"a new branch":  {o.remote(), strings.Repeat("0", 40), o.shas[1], delivery.Invalid},
		"no credential": {git.Remote{URL: o.url}, o.shas[0], o.shas[1], delivery.Denied},
		"no URL":        {git.Remote{URL: "ext::sh -c x"}, o.shas[0], o.shas[1], delivery.Invalid},
		"no server":     {git.Remote{URL: "http://127.0.0.1:1/a/b.git"}, o.shas[0], o.shas[1], delivery.Unavailable},
	} {
		if _, err := git.Changed(t.Context(), c.remote, c.before, c.after); delivery.KindOf(err) != c.kind || err == nil {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := git.Changed(ctx, o.remote(), o.shas[0], o.shas[1]); err == nil {
		t.Error("a canceled comparison succeeded")
	}
	if left, _ := filepath.Glob(filepath.Join(tmp, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func BenchmarkChanged(b *testing.B) {
	o := serve(b, 100)
	for b.Loop() {
		if _, err := git.Changed(b.Context(), o.remote(), o.shas[0], o.shas[99]); err != nil {
			b.Fatal(err)
		}
	}
}
