package registry_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/registry"
)

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// code returns the first code of the OCI error document.
func code(t *testing.T, resp *http.Response) string {
	t.Helper()
	var doc struct {
		Errors []struct{ Code, Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil || len(doc.Errors) != 1 || doc.Errors[0].Message == "" {
		t.Fatalf("not an error document: %+v, %v", doc, err)
	}
	return doc.Errors[0].Code
}

func start(t *testing.T, host string) string {
	t.Helper()
	resp := do(t, "POST", "http://"+host+"/v2/app/blobs/uploads/", nil)
	want(t, resp, http.StatusAccepted)
	return "http://" + host + resp.Header.Get("Location")
}

func TestChunkedUploadResumesAfterARestart(t *testing.T) {
	dir := t.TempDir()
	host, stop := serve(t, registry.Config{Dir: dir})
	content := []byte("0123456789abcdef")
	upload := start(t, host)
	resp := do(t, "PATCH", upload, content[:6], "Content-Range", "0-5")
	want(t, resp, http.StatusAccepted)
	if got := resp.Header.Get("Range"); got != "0-5" {
		t.Errorf("Range = %q", got)
	}
	stop()

	restarted, _ := serve(t, registry.Config{Dir: dir})
	upload = strings.Replace(upload, host, restarted, 1)
	resp = do(t, "GET", upload, nil)
	want(t, resp, http.StatusNoContent)
	if got := resp.Header.Get("Range"); got != "0-5" {
		t.Errorf("Range after restart = %q", got)
	}
	resp = do(t, "PATCH", upload, content[3:9], "Content-Range", "3-8")
	want(t, resp, http.StatusRequestedRangeNotSatisfiable)
	want(t, do(t, "PATCH", upload, content[6:9], "Content-Range", "6-8"), http.StatusAccepted)
	want(t, do(t, "PUT", upload+"?digest="+digestOf(content), content[9:]), http.StatusCreated)

	blob := "http://" + restarted + "/v2/app/blobs/" + digestOf(content)
	resp = do(t, "GET", blob, nil, "Range", "bytes=4-7")
	want(t, resp, http.StatusPartialContent)
	if got, _ := io.ReadAll(resp.Body); string(got) != "4567" {
		t.Errorf("ranged read = %q", got)
	}
	resp = do(t, "HEAD", blob, nil)
	want(t, resp, http.StatusOK)
	if resp.ContentLength != int64(len(content)) || resp.Header.Get("Docker-Content-Digest") != digestOf(content) {
		t.Errorf("HEAD: %v", resp.Header)
	}
	want(t, do(t, "DELETE", blob, nil), http.StatusAccepted)
	want(t, do(t, "HEAD", blob, nil), http.StatusNotFound)
}

// A body cut off in the middle keeps what arrived, and the rest can follow.
func TestTruncatedChunkResumes(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	upload := start(t, host)
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	path := strings.TrimPrefix(upload, "http://"+host)
	fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123", path)
	conn.(*net.TCPConn).CloseWrite()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Request = &http.Request{Method: "PATCH", URL: &url.URL{Path: path}}
	want(t, resp, http.StatusBadRequest)

	resp = do(t, "GET", upload, nil)
	if got := resp.Header.Get("Range"); got != "0-3" {
		t.Fatalf("Range = %q", got)
	}
	want(t, do(t, "PUT", upload+"?digest="+digestOf([]byte("0123456789")), []byte("456789"), "Content-Range", "4-9"), http.StatusCreated)
}

func TestWrongDigestEndsTheUpload(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	upload := start(t, host)
	resp := do(t, "PUT", upload+"?digest="+digestOf([]byte("a")), []byte("b"))
	want(t, resp, http.StatusBadRequest)
	if got := code(t, resp); got != "DIGEST_INVALID" {
		t.Errorf("code = %s", got)
	}
	want(t, do(t, "GET", upload, nil), http.StatusNotFound)
	want(t, do(t, "HEAD", "http://"+host+"/v2/app/blobs/"+digestOf([]byte("a")), nil), http.StatusNotFound)
	want(t, do(t, "HEAD", "http://"+host+"/v2/app/blobs/"+digestOf([]byte("b")), nil), http.StatusNotFound)
}

func TestBounds(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir(), MaxBlob: 10, MaxUploads: 2})
	upload := start(t, host)
	want(t, do(t, "PATCH", upload, []byte("0123456789")), http.StatusAccepted)
	want(t, do(t, "PATCH", upload, []byte("x")), http.StatusRequestEntityTooLarge)
	want(t, do(t, "GET", upload, nil), http.StatusNotFound)

	start(t, host)
	canceled := start(t, host)
	want(t, do(t, "POST", "http://"+host+"/v2/app/blobs/uploads/", nil), http.StatusTooManyRequests)
	want(t, do(t, "DELETE", canceled, nil), http.StatusNoContent)
	start(t, host)
	want(t, do(t, "PUT", "http://"+host+"/v2/app/manifests/x", make([]byte, 5<<20)), http.StatusRequestEntityTooLarge)
}

func TestUploadsBelongToTheirRepository(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	foreign := strings.Replace(start(t, host), "/app/", "/other/", 1)
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		want(t, do(t, method, foreign, nil), http.StatusNotFound)
	}
	want(t, do(t, "PUT", foreign+"?digest="+digestOf(nil), nil), http.StatusNotFound)
}

func TestManifestsMustBeWhole(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	config := []byte("{}")
	want(t, do(t, "POST", "http://"+host+"/v2/app/blobs/uploads/?digest="+digestOf(config), config), http.StatusCreated)
	const oci = "application/vnd.oci.image.manifest.v1+json"
	manifest := func(digest string, size int) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"x","digest":%q,"size":%d},"layers":[]}`, oci, digest, size)
	}
	put := func(ref, body, contentType string) *http.Response {
		return do(t, "PUT", "http://"+host+"/v2/app/manifests/"+ref, []byte(body), "Content-Type", contentType)
	}
	good := manifest(digestOf(config), 2)
	for name, c := range map[string]struct{ ref, body, contentType, code string }{
		"not json":        {"t", "{", oci, "MANIFEST_INVALID"},
		"no config":       {"t", `{"schemaVersion":2,"layers":[]}`, oci, "MANIFEST_INVALID"},
		"schema 1":        {"t", `{"schemaVersion":1}`, "application/vnd.docker.distribution.manifest.v1+json", "MANIFEST_INVALID"},
		"other type":      {"t", good, "application/vnd.oci.image.index.v1+json", "MANIFEST_INVALID"},
		"missing blob":    {"t", manifest(digestOf([]byte("?")), 1), oci, "MANIFEST_BLOB_UNKNOWN"},
		"wrong size":      {"t", manifest(digestOf(config), 3), oci, "MANIFEST_INVALID"},
		"hostile digest":  {"t", manifest("sha256:../../x", 3), oci, "DIGEST_INVALID"},
		"other digest":    {digestOf([]byte("?")), good, oci, "DIGEST_INVALID"},
		"missing in list": {"t", `{"schemaVersion":2,"manifests":[{"digest":"` + digestOf([]byte("?")) + `","size":1}]}`, "application/vnd.oci.image.index.v1+json", "MANIFEST_BLOB_UNKNOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			resp := put(c.ref, c.body, c.contentType)
			want(t, resp, http.StatusBadRequest)
			if got := code(t, resp); got != c.code {
				t.Errorf("code = %s, want %s", got, c.code)
			}
		})
	}
	want(t, put(digestOf([]byte(good)), good, oci), http.StatusCreated)
	want(t, put("tag", good, ""), http.StatusCreated)
	resp := do(t, "GET", "http://"+host+"/v2/app/manifests/tag", nil)
	want(t, resp, http.StatusOK)
	if got, _ := io.ReadAll(resp.Body); string(got) != good || resp.Header.Get("Content-Type") != oci {
		t.Errorf("got %s %s", resp.Header.Get("Content-Type"), got)
	}
}

func TestHostilePaths(t *testing.T) {
	host, _ := serve(t, registry.Config{Dir: t.TempDir()})
	for path, status := range map[string]int{
		"/v2/..%2f..%2fetc/tags/list":                    http.StatusBadRequest,
		"/v2/a/%2e%2e/manifests/x":                       http.StatusBadRequest,
		"/v2/A/tags/list":                                http.StatusBadRequest,
		"/v2/_x/tags/list":                               http.StatusBadRequest,
		"/v2/a/_tags/tags/list":                          http.StatusBadRequest,
		"/v2//tags/list":                                 http.StatusBadRequest,
		"/v2/a/manifests/..":                             http.StatusBadRequest,
		"/v2/a/manifests/.hidden":                        http.StatusBadRequest,
		"/v2/a/blobs/sha256:..":                          http.StatusBadRequest,
		"/v2/a/blobs/sha512:" + strings.Repeat("a", 128): http.StatusBadRequest,
		"/v2/a/blobs/uploads/..":                         http.StatusNotFound,
		"/v2/" + strings.Repeat("a", 256) + "/tags/list": http.StatusBadRequest,
		"/v2/nothing":                                    http.StatusNotFound,
		"/v1/":                                           http.StatusNotFound,
		"/v2/a/tags/list":                                http.StatusNotFound,
		"/v2/_catalog?n=-1":                              http.StatusBadRequest,
	} {
		resp := do(t, "GET", "http://"+host+path, nil)
		if resp.StatusCode != status {
			t.Errorf("GET %s = %d, want %d", path, resp.StatusCode, status)
		}
		code(t, resp)
	}
	want(t, do(t, "POST", "http://"+host+"/v2/_catalog", nil), http.StatusMethodNotAllowed)
}
