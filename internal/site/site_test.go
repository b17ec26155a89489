package site_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/site"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "www")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, c site.Config) *site.Site {
	t.Helper()
	if c.Log == nil {
		c.Log = io.Discard
	}
	c.Now = time.Now
	s, err := site.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func ask(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	path, query, _ := strings.Cut(target, "?")
	r.URL.Path, r.URL.RawQuery, r.RequestURI = path, query, target // as it came, not as a client cleans it
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var pages = map[string]string{
	"index.html": "home", "about.html": "about", "docs/index.html": "docs", "404.html": "lost",
	"assets/index-BT3k_x7Q.js": strings.Repeat("console.log(1)\n", 200), "style.css": "a {}", "style.css.br": "brotli",
	".env": "SECRET=1", ".well-known/security.txt": "write to us", "empty/x.txt": "x", "docs/.git/config": "secret",
}

func TestPaths(t *testing.T) {
	dir := folder(t, pages)
	outside := filepath.Join(filepath.Dir(dir), "outside.txt")
	if err := os.WriteFile(outside, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"out.txt": "../outside.txt", "abs.txt": outside, "up": "..", "in.txt": "style.css"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, site.Config{Root: dir})
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/", 200, "home"}, {"/index.html", 200, "home"}, {"/about", 200, "about"}, {"/docs/", 200, "docs"}, {"//docs//", 200, "docs"},
		{"/docs", 301, "/docs/"}, {"/docs?a=1", 301, "/docs/?a=1"}, {"//docs", 301, "/docs/"},
		{"/style.css", 200, "a {}"}, {"/.well-known/security.txt", 200, "write to us"}, {"/in.txt", 200, "a {}"},
		{"/nothing", 404, "lost"}, {"/empty/", 404, "lost"}, {"/empty", 404, "lost"},
		{"/.env", 404, "lost"}, {"/docs/.git/config", 404, "lost"}, {"/docs/.well-known/x", 404, "lost"},
		{"/out.txt", 404, "lost"}, {"/abs.txt", 404, "lost"}, {"/up/outside.txt", 404, "lost"},
		{"/../outside.txt", 404, "lost"}, {"/docs/../../outside.txt", 404, "lost"}, {"/docs/../style.css", 200, "a {}"},
		{"/a\x00b", 404, "lost"}, {`/..\outside.txt`, 404, "lost"}, {"/healthz", 200, "ok"},
	} {
		w := ask(s, http.MethodGet, c.path)
		got := w.Body.String()
		if c.status == 301 {
			got = w.Header().Get("Location")
		}
		if w.Code != c.status || strings.TrimSpace(got) != c.body {
			t.Errorf("%q: %d %q, want %d %q", c.path, w.Code, got, c.status, c.body)
		}
	}
	if w := ask(s, http.MethodPost, "/"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestFallback(t *testing.T) {
	one := map[string]string{"index.html": "app", "app.js": "1"}
	for name, c := range map[string]struct {
		files    map[string]string
		fallback string
		accept   string
		path     string
		status   int
		body     string
	}{
		"one page":            {one, "", "text/html,*/*;q=0.8", "/users/7", 200, "app"},
		"not for a script":    {one, "", "*/*", "/old.js", 404, "not found"},
		"not for data":        {one, "", "application/json", "/api/users", 404, "not found"},
		"switched off":        {one, "none", "text/html", "/users/7", 404, "not found"},
		"several pages":       {map[string]string{"index.html": "app", "a.html": "a"}, "", "text/html", "/b", 404, "not found"},
		"several, asked for":  {map[string]string{"index.html": "app", "a.html": "a"}, "index.html", "text/html", "/b", 200, "app"},
		"a page for it":       {map[string]string{"index.html": "app", "200.html": "any", "a.html": "a"}, "", "text/html", "/b", 200, "any"},
		"a page for not that": {map[string]string{"index.html": "app", "404.html": "lost"}, "", "text/html", "/b", 404, "lost"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(open(t, site.Config{Root: folder(t, c.files), Fallback: c.fallback}), http.MethodGet, c.path, "Accept", c.accept)
			if w.Code != c.status || strings.TrimSpace(w.Body.String()) != c.body {
				t.Errorf("%d %q", w.Code, w.Body)
			}
		})
	}
}

func TestWhatCannotBeServed(t *testing.T) {
	for name, c := range map[string]struct {
		config site.Config
		says   string
	}{
		"no folder":   {site.Config{Root: filepath.Join(t.TempDir(), "www")}, "there is no folder"},
		"no page":     {site.Config{Root: folder(t, map[string]string{"app.js": "1"})}, "must leave an index.html"},
		"no fallback": {site.Config{Root: folder(t, pages), Fallback: "app.html"}, "correct SITE_FALLBACK"},
		"hidden":      {site.Config{Root: folder(t, pages), Fallback: ".env"}, "correct SITE_FALLBACK"},
	} {
		if _, err := site.Open(c.config); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCaching(t *testing.T) {
	s := open(t, site.Config{Root: folder(t, pages)})
	for path, want := range map[string]string{
		"/":                         "no-cache",
		"/style.css":                "no-cache",
		"/assets/index-BT3k_x7Q.js": "public, max-age=31536000, immutable",
	} {
		w := ask(s, http.MethodGet, path)
		tag := w.Header().Get("ETag")
		if got := w.Header().Get("Cache-Control"); got != want || tag == "" {
			t.Errorf("%s: %q, tag %s", path, got, tag)
		}
		if again := ask(s, http.MethodGet, path, "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s again: %d", path, again.Code)
		}
	}
	if w := ask(s, http.MethodGet, "/style.css", "Range", "bytes=0-1"); w.Code != http.StatusPartialContent || w.Body.String() != "a " {
		t.Errorf("a range: %d %q", w.Code, w.Body)
	}
	lost := ask(s, http.MethodGet, "/lost", "If-None-Match", `*`)
	if lost.Code != http.StatusNotFound || lost.Body.String() != "lost" {
		t.Errorf("a page that is not there, conditionally: %d", lost.Code)
	}
}

// The tag is of the content: another release with the same file has the same.
func TestTagsAreOfContent(t *testing.T) {
	tag := func(text string) string {
		s := open(t, site.Config{Root: folder(t, map[string]string{"index.html": text})})
		return ask(s, http.MethodGet, "/").Header().Get("ETag")
	}
	if tag("a") != tag("a") || tag("a") == tag("b") {
		t.Error("tags do not tell contents apart")
	}
}

func TestEncodings(t *testing.T) {
	s := open(t, site.Config{Root: folder(t, pages)})
	for _, c := range []struct{ path, accept, want string }{
		{"/style.css", "br, gzip", "br"}, {"/style.css", "gzip", ""}, {"/style.css", "br;q=0", ""},
		{"/assets/index-BT3k_x7Q.js", "gzip, deflate", "gzip"}, {"/assets/index-BT3k_x7Q.js", "*", "gzip"},
		{"/assets/index-BT3k_x7Q.js", "gzip;q=0, *", ""}, {"/assets/index-BT3k_x7Q.js", "", ""},
	} {
		w := ask(s, http.MethodGet, c.path, "Accept-Encoding", c.accept)
		if got := w.Header().Get("Content-Encoding"); got != c.want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s with %q: %q, vary %q", c.path, c.accept, got, w.Header().Get("Vary"))
		}
	}
	for range 2 { // made, and then remembered
		w := ask(s, http.MethodGet, "/assets/index-BT3k_x7Q.js", "Accept-Encoding", "gzip")
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil || string(text) != pages["assets/index-BT3k_x7Q.js"] {
			t.Errorf("%d bytes, %v", len(text), err)
		}
	}
	plain := ask(s, http.MethodGet, "/assets/index-BT3k_x7Q.js").Header().Get("ETag")
	small := ask(s, http.MethodGet, "/assets/index-BT3k_x7Q.js", "Accept-Encoding", "gzip").Header().Get("ETag")
	if plain == small {
		t.Error("two encodings share a tag")
	}
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	s := open(t, site.Config{Root: folder(t, pages), Log: &log})
	ask(s, http.MethodGet, "/style.css?token=secret", "User-Agent", "curl\x1b[31m")
	ask(s, http.MethodGet, "/a\nGET /b", "User-Agent", "x")
	ask(s, http.MethodGet, "/", "User-Agent", "shiplock-health")
	lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], `GET /style.css 200 4 B `) || !strings.HasSuffix(lines[0], `"curl\x1b[31m"`) || !strings.HasPrefix(lines[1], "GET /a%0AGET%20/b 404 ") {
		t.Errorf("%q", lines)
	}
}
