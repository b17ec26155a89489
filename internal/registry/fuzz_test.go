package registry

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzManifest pushes anything as a manifest: it is refused and leaves nothing, or
// names only what the repository holds and comes back to the byte.
func FuzzManifest(f *testing.F) {
	blob := []byte("{}")
	part := `{"mediaType":"application/x","digest":"` + digestOf(blob) + `","size":2}`
	f.Add(`{"schemaVersion":2,"config":`+part+`,"layers":[`+part+`]}`, ociManifest, "v1")
	f.Add(`{"schemaVersion":2,"mediaType":"`+ociIndex+`","manifests":[]}`, "", "v2")
	f.Add(`{"schemaVersion":2,"config":`+part+`,"subject":`+part+`}`, ociManifest+"; charset=utf-8", digestOf(blob))
	f.Add(`{"schemaVersion":2,"config":{"digest":"sha256:../../x","size":0},"layers":[{"digest":"","urls":["http://x"]}]}`, dockerManifest, "../v")
	f.Add(`[[[[`, ociManifest, "v1")
	dir := f.TempDir()
	g, err := Open(Config{Dir: dir})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = g.Close() })
	call := func(method, path, kind string, body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://x/", bytes.NewReader(body))
		r.URL.Path = path
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w
	}
	if w := call("POST", "/v2/app/blobs/uploads/", "", nil); w.Code != http.StatusAccepted {
		f.Fatal(w.Code)
	} else {
		r := httptest.NewRequest("PUT", w.Header().Get("Location")+"?digest="+digestOf(blob), bytes.NewReader(blob))
		done := httptest.NewRecorder()
		if g.ServeHTTP(done, r); done.Code != http.StatusCreated {
			f.Fatal(done.Code, done.Body)
		}
	}
	f.Fuzz(func(t *testing.T, content, kind, ref string) {
		w := call("PUT", "/v2/app/manifests/"+ref, kind, []byte(content))
		if w.Code >= 500 {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		got := call("GET", "/v2/app/manifests/"+digestOf([]byte(content)), "", nil)
		if w.Code != http.StatusCreated {
			if got.Code == http.StatusOK {
				t.Fatalf("refused with %d, and kept", w.Code)
			}
			return
		}
		if got.Code != http.StatusOK || got.Body.String() != content {
			t.Fatalf("%d %q", got.Code, got.Body)
		}
		var doc document
		if err := json.Unmarshal([]byte(content), &doc); err != nil {
			t.Fatal(err)
		}
		for _, d := range doc.Layers {
			if len(d.URLs) == 0 && d.Digest != digestOf(blob) {
				t.Fatalf("names %q", d.Digest)
			}
		}
		if w := call("DELETE", "/v2/app/manifests/"+digestOf([]byte(content)), "", nil); w.Code != http.StatusAccepted {
			t.Fatalf("delete: %d", w.Code)
		}
		top, err := os.ReadDir(dir)
		var names []string
		for _, e := range top {
			names = append(names, e.Name())
		}
		if diff := cmp.Diff([]string{".tmp", "blobs", "repos"}, names); diff != "" || err != nil {
			t.Fatal(diff, err)
		}
	})
}

// FuzzRange: a chunk is taken only where the upload ends.
func FuzzRange(f *testing.F) {
	f.Add("0-5", int64(0))
	f.Add("6-9", int64(6))
	f.Add("-1--1", int64(-1))
	f.Add("9223372036854775807-0", int64(0))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 || !startsAt(header, size) || header == "" {
			return
		}
		if first, _, _ := strings.Cut(strings.TrimLeft(header, "+ \t0"), "-"); strings.Trim(first, "_xXoObB0123456789abcdefABCDEF") != "" {
			t.Errorf("%q starts at %d", header, size)
		}
	})
}
