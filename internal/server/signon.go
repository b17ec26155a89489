package server

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// SignOnPath is where an identity provider sends people back to.
const SignOnPath = "/login/oidc/callback"

// signOnCookieName is of what a browser keeps of a log-in under way.
const (
	signOnCookieName = "shiplock_signon"
	signOnLife       = 10 * time.Minute
)

func (s *Server) signOnName() string {
	if s.cfg.SignOn == nil {
		return ""
	}
	return cmp.Or(s.cfg.SignOnName, "OIDC")
}

var errNoSignOn = delivery.E(delivery.NotFound, "nobody signs in here by an identity provider: log in with a password or a token")

// beginSignOn sends a browser to the identity provider. The cookie is Lax, since the
// way back is another site's.
func (s *Server) beginSignOn(w http.ResponseWriter, r *http.Request) {
	if s.cfg.SignOn == nil {
		s.fail(w, r, errNoSignOn)
		return
	}
	to, kept, err := s.cfg.SignOn.Begin(r.Context(), localPath(r.URL.Query().Get("next")))
	if err != nil {
		s.refuseSignOn(w, r, err)
		return
	}
	http.SetCookie(w, s.cookie(s.cookieName(signOnCookieName), kept, s.cfg.Now().Add(signOnLife)))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// finishSignOn takes the provider's answer, and makes the user at the first log-in.
// Where it leads was said at its beginning: the answer has no say in it.
func (s *Server) finishSignOn(w http.ResponseWriter, r *http.Request) {
	if s.cfg.SignOn == nil {
		s.fail(w, r, errNoSignOn)
		return
	}
	kept := ""
	if c, err := r.Cookie(s.cookieName(signOnCookieName)); err == nil {
		kept = c.Value
	}
	http.SetCookie(w, s.cookie(s.cookieName(signOnCookieName), "", time.Time{})) // it is good for once
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds the code
	var in signedIn
	var next string
	err := s.attempt(r, "", func(ctx context.Context, from string) error {
		claims, leads, err := s.cfg.SignOn.Finish(ctx, kept, r.URL.Query())
		if err != nil {
			return err
		}
		u, err := s.cfg.Engine.SignIn(ctx, claims, from)
		if err != nil {
			return err
		}
		in.actor, next = u.Actor(), leads
		in.session, err = s.cfg.Auth.SessionOf(ctx, u, from)
		return err
	})
	if err != nil {
		s.refuseSignOn(w, r, err)
		return
	}
	s.openSession(w, r, in, next)
}

// refuseSignOn shows the form again, and why.
func (s *Server) refuseSignOn(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problemOf(r.Context(), unauthenticated(err))
	s.renderLogin(w, r, p.status, loginForm{Failed: p.body.Message})
}
