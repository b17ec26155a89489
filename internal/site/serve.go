package site

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

// serve answers with a file of the root.
func (s *Site) serve(w http.ResponseWriter, r *http.Request, name string, status int) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		plain(w, http.StatusMethodNotAllowed, "this is a file: it can only be read")
		return
	}
	f, err := s.root.Open(name)
	if err != nil {
		plain(w, http.StatusNotFound, "not found") // it was there a moment ago
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		plain(w, http.StatusNotFound, "not found")
		return
	}
	kind := contentType(name)
	h := w.Header()
	if kind != "" {
		h.Set("Content-Type", kind)
	}
	h.Set("Cache-Control", cacheControl(name))
	tag := s.tags.of(name, info, f)
	content := io.ReadSeeker(f)
	if compressible(kind) {
		h.Set("Vary", "Accept-Encoding")
		if v, ok := s.variant(r, name, info, tag, f); ok {
			defer v.close()
			h.Set("Content-Encoding", v.encoding)
			content, tag = v.content, strings.TrimSuffix(tag, `"`)+"-"+v.encoding+`"`
		}
	}
	if status != http.StatusOK {
		h.Set("Cache-Control", "no-cache")
		s.whole(w, r, status, content)
		return
	}
	h.Set("ETag", tag)
	http.ServeContent(w, r, name, modified(info), content)
}

// whole answers with another status than 200, which knows no ranges or conditions.
func (s *Site) whole(w http.ResponseWriter, r *http.Request, status int, content io.Reader) {
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, content) // the client may be gone
	}
}

// modified leaves out times that say nothing: files of an image have none.
func modified(info os.FileInfo) time.Time {
	if t := info.ModTime(); t.Year() > 1980 {
		return t
	}
	return time.Time{}
}

// variant is a file in another encoding.
type variant struct {
	encoding string
	content  io.ReadSeeker
	file     *os.File // nil when it is in memory
}

func (v variant) close() {
	if v.file != nil {
		_ = v.file.Close() // it was only read
	}
}

// variant finds a smaller form of a file that the client takes: what the build
// left beside it, or else what we make of it.
func (s *Site) variant(r *http.Request, name string, info os.FileInfo, tag string, f *os.File) (variant, bool) {
	if r.Header.Get("Range") != "" {
		return variant{}, false
	}
	accepted := strings.Join(r.Header.Values("Accept-Encoding"), ",")
	for _, e := range []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(accepted, e.name) || !s.regular(name+e.suffix) {
			continue
		}
		if beside, err := s.root.Open(name + e.suffix); err == nil {
			return variant{e.name, beside, beside}, true
		}
	}
	if !accepts(accepted, "gzip") {
		return variant{}, false
	}
	if data, ok := s.packed.of(tag, info.Size(), f); ok {
		return variant{"gzip", bytes.NewReader(data), nil}, true
	}
	return variant{}, false
}

// types are those of the web's files; the machine's own table may differ or lack.
var types = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".cjs": "text/javascript; charset=utf-8",
	".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".avif": "image/avif", ".ico": "image/vnd.microsoft.icon",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf", ".eot": "application/vnd.ms-fontobject",
	".wasm": "application/wasm", ".pdf": "application/pdf", ".txt": "text/plain; charset=utf-8", ".md": "text/markdown; charset=utf-8",
	".xml": "application/xml", ".rss": "application/rss+xml", ".atom": "application/atom+xml",
	".mp4": "video/mp4", ".webm": "video/webm", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".wav": "audio/wav",
	".zip": "application/zip", ".gz": "application/gzip", ".csv": "text/csv; charset=utf-8", ".ics": "text/calendar; charset=utf-8",
}

func contentType(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := types[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	if ext == "" {
		return "" // looked for in the content
	}
	return "application/octet-stream"
}
