package site

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/fastcgi"
)

// Values of Config.Fallback beside the name of a file.
const (
	FallbackAuto = "auto"
	FallbackNone = "none"
)

// Interpreter runs scripts.
type Interpreter interface {
	Ask(ctx context.Context, r fastcgi.Request) (*fastcgi.Response, error)
}

// Config says what is served.
type Config struct {
	// Root is the folder with what the world may see.
	Root string
	// Fallback is the page that answers, with 200, a navigation to a path that has
	// no file: a file of Root, FallbackNone, or FallbackAuto: 200.html, or else
	// index.html when it is the only page and there is no 404.html.
	Fallback string
	// PHP runs *.php; nil: there is none of it, and Root is but files.
	PHP Interpreter
	// MaxBody bounds a request to a script in bytes, Limit its time.
	MaxBody int64
	Limit   time.Duration
	// TempDir holds request bodies of unknown length for as long as they are asked.
	TempDir string
	Now     func() time.Time
	// Log gets a line for each request.
	Log io.Writer
}

// Site is an http.Handler.
type Site struct {
	Config
	root     *os.Root
	denied   denials
	fallback string
	tags     *tags
	packed   *packed
}

// Open reads what is to be served. Its errors say what is wrong with the folder.
func Open(c Config) (*Site, error) {
	root, err := os.OpenRoot(c.Root)
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, fmt.Sprintf("there is no folder %s to serve", c.Root), err)
	}
	s := &Site{Config: c, root: root, tags: newTags(), packed: newPacked()}
	if err := s.survey(); err != nil {
		_ = root.Close() // it was only read
		return nil, err
	}
	return s, nil
}

// Close ends the use of the folder.
func (s *Site) Close() error { return s.root.Close() }

// ServeHTTP answers, and notes how.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.Now()
	noted := &note{ResponseWriter: w, status: http.StatusOK}
	defer func() { s.log(r, noted, s.Now().Sub(start)) }()
	w.Header().Set("X-Content-Type-Options", "nosniff")
	p, ok := cleaned(r.URL.Path)
	if !ok || s.denied.has(p) {
		s.notFound(noted, r)
		return
	}
	if s.PHP != nil {
		s.dynamic(noted, r, p)
		return
	}
	s.static(noted, r, p)
}

// static answers from files only.
func (s *Site) static(w http.ResponseWriter, r *http.Request, p string) {
	switch f := s.file(p, strings.HasSuffix(r.URL.Path, "/")); {
	case f.moved:
		redirect(w, r, f.name)
	case f.name != "":
		s.serve(w, r, f.name, http.StatusOK)
	case p == "healthz":
		plain(w, http.StatusOK, "ok")
	case s.fallback != "" && navigates(r, p):
		s.serve(w, r, s.fallback, http.StatusOK)
	default:
		s.notFound(w, r)
	}
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	if s.PHP == nil && s.regular("404.html") {
		s.serve(w, r, "404.html", http.StatusNotFound)
		return
	}
	plain(w, http.StatusNotFound, "not found")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // the client may be gone
}
