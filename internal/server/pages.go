package server

import (
	"embed"
	"html/template"
	"net/http"
	"path"
	"time"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// web holds the pages: HTML shells, one stylesheet, and plain JavaScript modules
// that read the public API. Nothing is fetched from elsewhere.
//
//go:embed web
var web embed.FS

const contentPolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// pageData is what the shells show.
type pageData struct {
	Lang     phrase.Lang
	Version  string
	LoggedIn bool
	Login    loginForm
	SignOn   string // the name of the identity provider, if there is one
	Next     string // where a log-in leads
	Here     string // where the choice of a language leads
}

// page answers with one of the embedded shells.
func (s *Server) page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.renderPage(w, r, name, http.StatusOK) }
}

func (s *Server) renderPage(w http.ResponseWriter, r *http.Request, name string, status int) {
	s.renderWith(w, r, name, status, loginForm{})
}

func (s *Server) renderWith(w http.ResponseWriter, r *http.Request, name string, status int, form loginForm) {
	t, err := template.ParseFS(web, "web/layout.html", "web/"+name)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_ = t.ExecuteTemplate(w, "layout", pageData{ // the reader may be gone
		Lang: language(r.Context()), Version: s.cfg.Version, Here: here(r),
		LoggedIn: name != "login.html", Login: form, SignOn: s.signOnName(), Next: localPath(r.FormValue("next")),
	})
}

// loginForm is what the form of a log-in shows.
type loginForm struct {
	User   string
	Failed string // why the log-in just failed
	// MustChange asks for a new password too.
	MustChange bool
}

func (s *Server) renderLogin(w http.ResponseWriter, r *http.Request, status int, form loginForm) {
	s.renderWith(w, r, "login.html", status, form)
}

// here is the page that a request is about; a log-in that failed leads to the form.
func here(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/login" {
		return "/login"
	}
	return r.URL.Path
}

// static serves styles and scripts.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	if ext := path.Ext(name); ext != ".js" && ext != ".css" && ext != ".svg" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Security-Policy", contentPolicy)
	http.ServeFileFS(w, r, web, "web/"+name)
}

// registry gives pushes of large layers the time that they need.
func (s *Server) registry(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	until := time.Now().Add(registryTimeout)
	if err := rc.SetReadDeadline(until); err == nil {
		_ = rc.SetWriteDeadline(until) // a writer that can do one can do the other
	}
	s.cfg.Registry.ServeHTTP(w, r)
}

// registryTimeout limits the transfer of one blob.
const registryTimeout = 30 * time.Minute
