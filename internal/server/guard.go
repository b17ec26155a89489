package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

const sessionCookie = "shiplock_session"

// guardedMux authenticates every route but the open ones.
type guardedMux struct {
	s        *Server
	mux      *http.ServeMux
	compress func(http.Handler) http.HandlerFunc
}

type principalKey struct{}

// principal is who asks; every guarded handler has one.
func principal(ctx context.Context) engine.Principal {
	p, _ := ctx.Value(principalKey{}).(engine.Principal)
	return p
}

func (m *guardedMux) note(pattern string) { m.s.routes = append(m.s.routes, pattern) }

// open registers a handler for anybody.
func (m *guardedMux) open(pattern string, h http.HandlerFunc) {
	m.note(pattern)
	m.s.public[pattern] = true
	m.mux.HandleFunc(pattern, h)
}

// guarded registers a handler that answers 401 without credentials.
func (m *guardedMux) guarded(pattern string, h http.HandlerFunc) {
	m.protect(pattern, h, func(w http.ResponseWriter, r *http.Request, err error) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="shiplock"`)
		m.s.fail(w, r, unauthenticated(err))
	})
}

// page registers a handler that sends people without a session to log in.
func (m *guardedMux) page(pattern string, h http.HandlerFunc) {
	m.protect(pattern, h, func(w http.ResponseWriter, r *http.Request, err error) {
		if delivery.KindOf(err) != delivery.Denied {
			m.s.fail(w, r, err)
			return
		}
		http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
	})
}

// HandleFunc and ServeHTTP let the API's framework register guarded routes. JSON is
// compressed; streams write for themselves.
func (m *guardedMux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	if !strings.HasSuffix(pattern, "/stream") && !strings.HasSuffix(pattern, ".txt") {
		h = m.compress(http.HandlerFunc(h))
	}
	m.guarded(pattern, h)
}

func (m *guardedMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

func (m *guardedMux) protect(pattern string, h http.HandlerFunc, refuse func(http.ResponseWriter, *http.Request, error)) {
	m.note(pattern)
	m.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		p, err := m.s.authenticate(r)
		if err != nil {
			refuse(w, r, err)
			return
		}
		if err := m.s.cfg.Engine.Allow(r.Context(), p, delivery.CmdRead, delivery.Everything(r.URL.Path)); err != nil {
			m.s.fail(w, r, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
	})
}

// authenticate finds out who asks, by token or by session.
func (s *Server) authenticate(r *http.Request) (engine.Principal, error) {
	if token := bearer(r); token != "" {
		a, g, err := s.cfg.Auth.Token(r.Context(), token)
		return engine.Principal{Actor: a, Grants: g}, err
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		a, g, err := s.cfg.Auth.Session(r.Context(), c.Value)
		return engine.Principal{Actor: a, Grants: g}, err
	}
	return engine.Principal{}, delivery.E(delivery.Denied, "log in first: send a token as \"Authorization: Bearer slk_…\", or run `shiplock login`")
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
