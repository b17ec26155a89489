package git_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

func TestFiles(t *testing.T) {
	for name, config := range map[string]string{"partial clone": "true", "server without filters": "false"} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, 3)
			sh(t, o.dir, "config", "uploadpack.allowFilter", config)
			large := strings.Repeat("x", delivery.MaxSourceFile)
			commit := o.fork(t, o.shas[1], map[string]string{
				"go.mod": "module root\n", "services/shop/go.mod": "module shop\n", "services/package.json": "{}", "services/shop2/pom.xml": "<x/>",
				"services/shop/composer.json": large + "x", "services/shop/.nvmrc": large, "services/shop/build.gradle/a": "a", "services/*/shiplock.yaml": "no",
				"services/.java-version": "\xff8",
			})
			shIn(t, o.dir, strings.NewReader("commit refs/heads/link\ncommitter Ada <ada@example.com> 1767400000 +0000\ndata 1\nx\nfrom "+commit+"\nM 120000 inline services/shop/shiplock.yaml\ndata 6\ngo.mod\n"), "fast-import", "--quiet", "--force")
			commit = sh(t, o.dir, "rev-parse", "link")
			names := []string{"shiplock.yaml", "go.mod", "package.json", "pom.xml", "composer.json", ".nvmrc", "build.gradle", ".java-version"}
			got, err := git.Files(t.Context(), o.remote(), commit, "services/shop", names)
			if err != nil {
				t.Fatal(err)
			}
			want := []delivery.SourceFile{
				{Path: "services/shop/shiplock.yaml", Problem: delivery.SourceSymlink},
				{Path: "services/shop/go.mod", Text: "module shop\n"},
				{Path: "services/package.json", Text: "{}"},
				{Path: "services/shop/composer.json", Problem: delivery.SourceLarge},
				{Path: "services/shop/.nvmrc", Text: large},
				{Path: "services/shop/build.gradle", Problem: delivery.SourceIrregular},
				{Path: "services/.java-version", Text: "\ufffd8"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%.2000s", diff)
			}
			for _, folder := range []string{"", "not/there", "services/*"} {
				got, err := git.Files(t.Context(), o.remote(), commit, folder, []string{"go.mod"})
				if err != nil || !slices.Equal(got, []delivery.SourceFile{{Path: "go.mod", Text: "module root\n"}}) {
					t.Errorf("from %q: %+v, %v", folder, got, err)
				}
			}
			if got, err := git.Files(t.Context(), o.remote(), commit, "services", []string{"Makefile"}); err != nil || len(got) != 0 {
				t.Errorf("what is nowhere: %+v, %v", got, err)
			}
		})
	}
}

// Of a large repository only what is asked for is fetched.
func TestFilesComeAlone(t *testing.T) {
	o := serve(t, 1)
	sh(t, o.dir, "config", "uploadpack.allowFilter", "true")
	random := make([]byte, 1<<20) // does not compress
	rand.NewChaCha8([32]byte{}).Read(random)
	commit := o.fork(t, o.shas[0], map[string]string{"go.mod": "module x\n", "large.bin": string(random)})
	sent := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.handler.ServeHTTP(counted{w, &sent}, r)
	}))
	defer server.Close()
	remote := o.remote()
	remote.URL = server.URL + "/acme/shop.git"
	got, err := git.Files(t.Context(), remote, commit, "", []string{"go.mod"})
	if err != nil || len(got) != 1 || got[0].Text != "module x\n" {
		t.Fatalf("%+v, %v", got, err)
	}
	if sent == 0 || sent > 64<<10 {
		t.Errorf("%d bytes were fetched for one small file", sent)
	}
}

func TestFilesRefuses(t *testing.T) {
	o := serve(t, 2)
	for name, c := range map[string]struct {
		remote git.Remote
		commit string
		kind   delivery.Kind
	}{
		"gone":          {o.remote(), strings.Repeat("ab", 20), delivery.NotFound},
		"no SHA":        {o.remote(), "--upload-pack=x", delivery.Invalid},
		"no credential": {git.Remote{URL: o.url}, o.shas[1], delivery.Denied},
		"no server":     {git.Remote{URL: "http://127.0.0.1:1/a/b.git"}, o.shas[1], delivery.Unavailable},
	} {
		if got, err := git.Files(t.Context(), c.remote, c.commit, "", []string{"go.mod"}); delivery.KindOf(err) != c.kind || len(got) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
