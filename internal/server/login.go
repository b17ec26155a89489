package server

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Failed log-ins that one address has per minute, and addresses remembered.
const (
	maxFailures  = 10
	failureSpan  = time.Minute
	maxAddresses = 10_000
)

// loginPage shows the form. A one-time code in the link logs in at once.
func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("token")
	if code == "" {
		s.page("login.html")(w, r)
		return
	}
	if err := s.admit(r); err != nil {
		s.fail(w, r, err)
		return
	}
	a, g, err := s.cfg.Auth.Redeem(code)
	s.openSession(w, r, a, g, err)
}

// login takes the form: an API token.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	if err := s.admit(r); err != nil {
		s.fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	a, g, err := s.cfg.Auth.Token(r.Context(), strings.TrimSpace(r.PostFormValue("token")))
	s.openSession(w, r, a, g, err)
}

func (s *Server) admit(r *http.Request) error {
	if s.logins.blocked(address(r)) {
		return newProblem(http.StatusTooManyRequests, delivery.Denied.String(), "too many failed log-ins: wait a minute")
	}
	return nil
}

// openSession answers a log-in whose check ended with err.
func (s *Server) openSession(w http.ResponseWriter, r *http.Request, a delivery.Actor, g delivery.Grants, err error) {
	var secret string
	var expires time.Time
	if err == nil {
		secret, expires, err = s.cfg.Auth.OpenSession(r.Context(), a, g)
	}
	switch {
	case delivery.KindOf(err) == delivery.Denied && err != nil:
		s.logins.fail(address(r))
		s.renderPage(w, r, "login.html", http.StatusUnauthorized)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	s.cfg.Log.Info("logged in", "actor", a.String())
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: secret, Path: "/", Expires: expires,
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, localPath(r.FormValue("next")), http.StatusSeeOther)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// localPath refuses to send people to another site.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// address is who a connection comes from; behind a proxy all share its address.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// loginLimit counts failed log-ins by address.
type loginLimit struct {
	now    func() time.Time
	mu     sync.Mutex
	failed map[string][]time.Time
}

func (l *loginLimit) blocked(from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.recent(from)) >= maxFailures
}

func (l *loginLimit) fail(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failed) >= maxAddresses {
		clear(l.failed) // a flood from everywhere: tokens are too long to guess anyway
	}
	l.failed[from] = append(l.recent(from), l.now())
}

// recent drops what is too old to count.
func (l *loginLimit) recent(from string) []time.Time {
	all := l.failed[from]
	for len(all) > 0 && l.now().Sub(all[0]) > failureSpan {
		all = all[1:]
	}
	if len(all) == 0 {
		delete(l.failed, from)
	}
	return all
}
