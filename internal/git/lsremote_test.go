package git_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

func TestLsRemote(t *testing.T) {
	o := serve(t, 2)
	sh(t, o.dir, "update-ref", "refs/heads/release", o.shas[0])
	for name, c := range map[string]struct {
		patterns []string
		want     map[string]string
	}{
		"one branch": {[]string{"refs/heads/release"}, map[string]string{"refs/heads/release": o.shas[0]}},
		"two": {[]string{"refs/heads/release", "refs/heads/main"},
			map[string]string{"refs/heads/release": o.shas[0], "refs/heads/main": o.shas[1]}},
		"none": {[]string{"refs/heads/nope"}, map[string]string{}},
		"all": {nil, map[string]string{"HEAD": o.shas[1],
			"refs/heads/release": o.shas[0], "refs/heads/main": o.shas[1]}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := git.LsRemote(t.Context(), o.remote(), c.patterns...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLsRemoteErrorKinds(t *testing.T) {
	o := serve(t, 1)
	for name, c := range map[string]struct {
		remote  git.Remote
		pattern string
		kind    delivery.Kind
	}{
		"option as pattern": {o.remote(), "--upload-pack=touch /tmp/x", delivery.Invalid},
		"wrong token":       {git.Remote{URL: o.url, Token: "wrong"}, "refs/heads/main", delivery.Denied},
		"no repository":     {git.Remote{URL: o.url + "x", Username: user, Token: token}, "refs/heads/main", delivery.NotFound},
	} {
		if _, err := git.LsRemote(t.Context(), c.remote, c.pattern); delivery.KindOf(err) != c.kind {
			t.Errorf("%s: %v (%v), want %v", name, err, delivery.KindOf(err), c.kind)
		}
	}
}

func TestLsRemoteIsBounded(t *testing.T) {
	o := serve(t, 1)
	write(t, filepath.Join(o.dir, "packed-refs"), packed(o.shas[0], 60_000))
	_, err := git.LsRemote(t.Context(), o.remote())
	if delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("%v, want Invalid", err)
	}
}

func packed(sha string, n int) string {
	var refs strings.Builder
	for i := range n {
		fmt.Fprintf(&refs, "%s refs/heads/branch-with-a-rather-long-name-%06d\n", sha, i)
	}
	return refs.String()
}

func BenchmarkLsRemote(b *testing.B) {
	o := serve(b, 1)
	for b.Loop() {
		if _, err := git.LsRemote(b.Context(), o.remote(), "refs/heads/main"); err != nil {
			b.Fatal(err)
		}
	}
}
