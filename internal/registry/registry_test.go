package registry_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/registry"
)

// serve opens a registry in dir and returns its address without a scheme.
func serve(t testing.TB, c registry.Config) (host string, stop func()) {
	t.Helper()
	g, err := registry.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	stop = sync.OnceFunc(func() {
		srv.Close()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return strings.TrimPrefix(srv.URL, "http://"), stop
}

func randomImage(t testing.TB, layerBytes, layers int64) v1.Image {
	t.Helper()
	img, err := random.Image(layerBytes, layers)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func push(t testing.TB, ref string, img v1.Image) name.Reference {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}
	return r
}

func check(t testing.TB, ref name.Reference, want v1.Image, options ...remote.Option) {
	t.Helper()
	got, err := remote.Image(ref, options...)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(got); err != nil {
		t.Fatal(err)
	}
	g, _ := got.Digest()
	if w, _ := want.Digest(); g != w {
		t.Fatalf("pulled %s, pushed %s", g, w)
	}
}

func TestImagesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	host, stop := serve(t, registry.Config{Dir: dir})
	img := randomImage(t, 10_000, 3)
	push(t, host+"/team/app:v1", img)
	stop()

	host, _ = serve(t, registry.Config{Dir: dir})
	ref, _ := name.ParseReference(host + "/team/app:v1")
	check(t, ref, img)
}

func TestIndexesAndTheirImages(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	idx, err := random.Index(1000, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, _ := name.ParseReference(host + "/multi:arch")
	if err := remote.WriteIndex(ref, idx); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(got); err != nil {
		t.Fatal(err)
	}
}

func TestMountsInsteadOfUploading(t *testing.T) {
	var patches int
	g, err := registry.Open(registry.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/copy/") {
			patches++
		}
		g.ServeHTTP(w, r)
	}))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	ref := push(t, host+"/original:1", randomImage(t, 5000, 2))
	img, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	check(t, push(t, host+"/copy:1", img), img)
	if patches > 1 { // the config is not mountable
		t.Errorf("%d uploads although the layers could be mounted", patches)
	}
}

func TestListsAndDeletes(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	img := randomImage(t, 100, 1)
	for _, ref := range []string{"b/app:2", "b/app:1", "a:x", "b/app/part:1"} {
		push(t, host+"/"+ref, img)
	}
	repo, _ := name.NewRepository(host + "/b/app")
	if got, err := remote.List(repo, remote.WithPageSize(1)); err != nil || !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("tags = %v, %v", got, err)
	}
	if got, err := remote.Catalog(t.Context(), repo.Registry, remote.WithPageSize(2)); err != nil || !slices.Equal(got, []string{"a", "b/app", "b/app/part"}) {
		t.Errorf("catalog = %v, %v", got, err)
	}
	if err := remote.Delete(repo.Tag("1")); err != nil {
		t.Fatal(err)
	}
	check(t, repo.Tag("2"), img)
	digest, _ := img.Digest()
	if err := remote.Delete(repo.Digest(digest.String())); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Image(repo.Tag("2")); err == nil {
		t.Error("a tag outlived its manifest")
	}
	if _, err := remote.List(repo); err == nil {
		t.Error("an empty repository is still known")
	}
}

func TestReferrers(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	subject := push(t, host+"/app:1", randomImage(t, 100, 1))
	desc, err := remote.Head(subject)
	if err != nil {
		t.Fatal(err)
	}
	sbom := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.example.sbom")
	push(t, host+"/app:sbom", mutate.Subject(sbom, *desc).(v1.Image))
	for artifactType, want := range map[string]int{"application/vnd.example.sbom": 1, "other": 0} {
		idx, err := remote.Referrers(subject.Context().Digest(desc.Digest.String()), remote.WithFilter("artifactType", artifactType))
		if err != nil {
			t.Fatal(err)
		}
		if m, err := idx.IndexManifest(); err != nil || len(m.Manifests) != want {
			t.Errorf("%s: %+v, %v", artifactType, m, err)
		}
	}
}

func TestAuthorisesByRepository(t *testing.T) {
	authorize := func(r *http.Request, repo string, push bool) error {
		user, pass, _ := r.BasicAuth()
		if pass != "secret" || repo != "" && !strings.HasPrefix(repo, user) && (push || repo != "shared") {
			return delivery.E(delivery.Denied, "log in with the credentials of the app")
		}
		return nil
	}
	host, _ := serve(t, registry.Config{Dir: t.TempDir(), Authorize: authorize})
	login := func(user, pass string) remote.Option {
		return remote.WithAuth(&authn.Basic{Username: user, Password: pass})
	}
	img := randomImage(t, 100, 1)
	own, _ := name.ParseReference(host + "/alice/app:1")
	if err := remote.Write(own, img, login("alice", "secret")); err != nil {
		t.Fatal(err)
	}
	check(t, own, img, login("alice", "secret"))
	for who, auth := range map[string]remote.Option{"nobody": remote.WithAuth(authn.Anonymous), "wrong": login("alice", "x"), "other": login("bob", "secret")} {
		if err := remote.Write(own, img, auth); err == nil {
			t.Errorf("%s may push", who)
		}
		if _, err := remote.Get(own, auth); err == nil {
			t.Errorf("%s may pull", who)
		}
	}
	repos, err := remote.Catalog(t.Context(), own.Context().Registry, login("bob", "secret"))
	if err != nil || len(repos) != 0 {
		t.Errorf("bob sees %v, %v", repos, err)
	}
	resp, err := http.Get("http://" + host + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != `Basic realm="shiplock"` {
		t.Errorf("ping = %d %q", resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
	}
}

// A digest must not be a way into another repository.
func TestKnowingADigestGivesNothing(t *testing.T) {
	denied := func(r *http.Request, repo string, push bool) error {
		if repo == "private" && r.Header.Get("X-Owner") == "" {
			return delivery.E(delivery.Denied, "not yours")
		}
		return nil
	}
	host, _ := serve(t, registry.Config{Dir: t.TempDir(), Authorize: denied})
	content := []byte("private content")
	resp := do(t, "POST", "http://"+host+"/v2/private/blobs/uploads/?digest="+digestOf(content), content, "X-Owner", "1")
	want(t, resp, http.StatusCreated)
	resp = do(t, "GET", "http://"+host+"/v2/public/blobs/"+digestOf(content), nil)
	want(t, resp, http.StatusNotFound)
	resp = do(t, "POST", "http://"+host+"/v2/public/blobs/uploads/?from=private&mount="+digestOf(content), nil)
	want(t, resp, http.StatusAccepted)
}

func TestParallelPushesOfOneImage(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	img := randomImage(t, 200_000, 2)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			ref, _ := name.ParseReference(host + "/app:same")
			if err := remote.Write(ref, img); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ref, _ := name.ParseReference(host + "/app:same")
	check(t, ref, img)
}

func TestSweepsOnlyAbandonedUploads(t *testing.T) {
	g, err := registry.Open(registry.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	srv := httptest.NewServer(g)
	defer srv.Close()
	resp := do(t, "POST", srv.URL+"/v2/a/b/blobs/uploads/", nil)
	want(t, resp, http.StatusAccepted)
	upload := srv.URL + resp.Header.Get("Location")

	if n, err := g.Sweep(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d young uploads, %v", n, err)
	}
	want(t, do(t, "GET", upload, nil), http.StatusNoContent)
	if n, err := g.Sweep(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	want(t, do(t, "GET", upload, nil), http.StatusNotFound)
}

func BenchmarkPushBlob30MB(b *testing.B) {
	host, _ := serve(b, registry.Config{Dir: b.TempDir()})
	content := bytes.Repeat([]byte{0}, 30<<20)
	b.SetBytes(int64(len(content)))
	for i := 0; b.Loop(); i++ {
		content[i%len(content)]++
		resp := do(b, "POST", "http://"+host+"/v2/app/blobs/uploads/", nil)
		resp = do(b, "PATCH", "http://"+host+resp.Header.Get("Location"), content)
		resp = do(b, "PUT", "http://"+host+resp.Header.Get("Location")+"?digest="+digestOf(content), nil)
		want(b, resp, http.StatusCreated)
	}
}

func do(t testing.TB, method, url string, body []byte, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(content))
	return resp
}

func want(t testing.TB, resp *http.Response, status int) {
	t.Helper()
	if resp.StatusCode != status {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s = %d, want %d: %s", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, status, body)
	}
}
