package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// guardedMux authenticates every route but the open ones.
type guardedMux struct {
	s        *Server
	mux      *http.ServeMux
	rights   map[string]right
	compress func(http.Handler) http.HandlerFunc
	// openly are operations for anybody.
	openly map[string]bool
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
	if m.openly[pattern] {
		m.open(pattern, carrying(h))
		return
	}
	m.guarded(pattern, carrying(h))
}

// carrying lets an operation see the request that it answers.
func carrying(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h(w, r.WithContext(context.WithValue(r.Context(), requestKeyOf{}, r)))
	}
}

// forAnybody says so of an operation.
func (m *guardedMux) forAnybody(op huma.Operation) huma.Operation {
	m.openly[op.Method+" "+op.Path] = true
	return op
}

func (m *guardedMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

func (m *guardedMux) protect(pattern string, h http.HandlerFunc, refuse func(http.ResponseWriter, *http.Request, error)) {
	m.note(pattern)
	declared, known := m.rights[pattern]
	m.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		p, err := m.s.authenticate(r)
		if err != nil {
			refuse(w, r, err)
			return
		}
		if err := m.s.permit(r, p, declared, known); err != nil {
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
		return engine.Principal{Actor: a, Grants: g, Address: s.address(r)}, err
	}
	if c, err := r.Cookie(s.sessionCookie()); err == nil {
		a, g, err := s.cfg.Auth.Session(r.Context(), c.Value)
		return engine.Principal{Actor: a, Grants: g, Address: s.address(r)}, err
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
