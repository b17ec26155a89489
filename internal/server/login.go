package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// maxLogin bounds the body of a log-in.
const maxLogin = 64 << 10

// loginPage shows the form. A one-time code in the link logs in at once.
func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("token")
	if code == "" {
		s.page("login.html")(w, r)
		return
	}
	s.signIn(w, r, "", func(ctx context.Context, from string) (signedIn, error) {
		a, g, err := s.cfg.Auth.Redeem(code)
		if err != nil {
			return signedIn{}, err
		}
		o, err := s.cfg.Auth.SessionFor(ctx, a, g, from)
		return signedIn{a, o}, err
	})
}

// signedIn is who just signed in, and the session.
type signedIn struct {
	actor   delivery.Actor
	session delivery.Opened
}

// login takes the form: a user and a password, and another one if it is to be changed;
// or an API token.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogin)
	user, token := strings.TrimSpace(r.PostFormValue("user")), strings.TrimSpace(r.PostFormValue("token"))
	if user == "" {
		s.signIn(w, r, "", func(ctx context.Context, from string) (signedIn, error) {
			o, a, err := s.cfg.Auth.SessionBy(ctx, token, from)
			return signedIn{a, o}, err
		})
		return
	}
	s.signIn(w, r, user, func(ctx context.Context, from string) (signedIn, error) {
		u, err := s.checkPassword(ctx, from, api.LogIn{User: user, Password: r.PostFormValue("password"), NewPassword: r.PostFormValue("newPassword")})
		if err != nil {
			return signedIn{}, err
		}
		o, err := s.cfg.Auth.SessionOf(ctx, u, from)
		return signedIn{u.Actor(), o}, err
	})
}

// errMustChange says that the password is right, and is to be changed first.
var errMustChange = errors.New("choose a new password")

// checkPassword recognises a person, and changes the password when another one is
// given.
func (s *Server) checkPassword(ctx context.Context, from string, in api.LogIn) (delivery.User, error) {
	u, err := s.cfg.Auth.Password(ctx, in.User, in.Password)
	switch {
	case err != nil:
		return u, err
	case in.NewPassword == "" && u.MustChange:
		return u, errMustChange
	case in.NewPassword == "":
		return u, nil
	case in.NewPassword == in.Password:
		return u, delivery.E(delivery.Invalid, "the new password is the old one: choose another")
	}
	return s.cfg.Engine.ChangePassword(ctx, u, in.NewPassword, from)
}

// attempt tries to sign in, within the limits of the address and of the user. What
// failed for a reason of ours does not count.
func (s *Server) attempt(r *http.Request, user string, try func(ctx context.Context, from string) error) error {
	from := s.address(r)
	if wait := s.logins.begin(from, user); wait > 0 {
		p := newProblem(http.StatusTooManyRequests, delivery.Denied.String(), tooManyText(wait))
		p.wait = wait
		return p
	}
	err := try(r.Context(), from)
	switch {
	case err == nil || errors.Is(err, errMustChange):
		s.logins.succeed(from, user)
	case delivery.KindOf(err) == delivery.Denied:
		s.cfg.Log.Warn("log-in failed", "user", user, "from", from, "err", err)
		s.cfg.Engine.LogInFailed(r.Context(), user, from, err)
	default:
		s.logins.forgive(from, user)
	}
	return err
}

func tooManyText(wait time.Duration) string {
	if wait <= time.Minute {
		return "too many failed log-ins: wait a minute"
	}
	return fmt.Sprintf("too many failed log-ins: wait %d minutes", int((wait+time.Minute-1)/time.Minute))
}

// signIn answers a log-in of the page: with a session, or with the form again.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, user string, try func(ctx context.Context, from string) (signedIn, error)) {
	var in signedIn
	err := s.attempt(r, user, func(ctx context.Context, from string) (err error) {
		in, err = try(ctx, from)
		return err
	})
	switch {
	case errors.Is(err, errMustChange):
		s.renderLogin(w, r, http.StatusOK, loginForm{User: user, MustChange: true})
	case err != nil && (delivery.KindOf(err) == delivery.Denied || delivery.KindOf(err) == delivery.Invalid || delivery.KindOf(err) == delivery.Conflict):
		p := s.problemOf(r.Context(), unauthenticated(err))
		s.renderLogin(w, r, p.status, loginForm{User: user, Failed: p.body.Message, MustChange: r.PostFormValue("newPassword") != "" && delivery.KindOf(err) == delivery.Invalid})
	case err != nil:
		s.fail(w, r, err)
	default:
		s.openSession(w, r, in, r.FormValue("next"))
	}
}

// openSession gives the browser a new session, whatever it had before, and leads on. The
// one that it had ends: nobody who knows it, or planted it, has the new one.
func (s *Server) openSession(w http.ResponseWriter, r *http.Request, in signedIn, next string) {
	if err := s.closeSession(r); err != nil {
		s.fail(w, r, err)
		return
	}
	s.cfg.Engine.LoggedIn(r.Context(), engine.Principal{Actor: in.actor, Address: s.address(r)}, "session")
	s.cfg.Log.Info("logged in", "actor", in.actor.String(), "from", s.address(r))
	http.SetCookie(w, s.cookie(s.sessionCookie(), in.session.Secret, in.session.ExpiresAt))
	http.Redirect(w, r, localPath(next), http.StatusSeeOther)
}

func (s *Server) closeSession(r *http.Request) error {
	c, err := r.Cookie(s.sessionCookie())
	if err != nil {
		return nil // there is none
	}
	return s.cfg.Auth.Close(r.Context(), c.Value)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if err := s.closeSession(r); err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, s.cookie(s.sessionCookie(), "", time.Time{}))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// Names of cookies. Over TLS a browser keeps the prefix for cookies of this very host,
// set over TLS, which no other host of the domain can replace.
const (
	sessionName  = "shiplock_session"
	securePrefix = "__Host-"
)

func (s *Server) sessionCookie() string { return s.cookieName(sessionName) }

func (s *Server) cookieName(name string) string {
	if s.secure() {
		return securePrefix + name
	}
	return name
}

// cookie is one that no script reads and no other site's request sends; without a value
// it is removed.
func (s *Server) cookie(name, value string, expires time.Time) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Expires: expires, HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// localPath refuses to send people to another site.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
