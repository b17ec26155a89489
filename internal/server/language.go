package server

import (
	"context"
	"net/http"
	"time"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

const (
	languageCookie = "shiplock_lang"
	languageKept   = 365 * 24 * time.Hour
)

type languageKey struct{}

// speaking returns the request with the language of its answer: what the reader
// chose on a page, else the best of Accept-Language, else the server's own.
func (s *Server) speaking(r *http.Request) *http.Request {
	l, ok := phrase.Lang(""), false
	if c, err := r.Cookie(languageCookie); err == nil {
		l, ok = phrase.ParseLang(c.Value)
	}
	if !ok {
		l, ok = phrase.Accepted(r.Header.Get("Accept-Language"))
	}
	if !ok && s.cfg.Lang != "" {
		l = s.cfg.Lang
	}
	return r.WithContext(context.WithValue(r.Context(), languageKey{}, l))
}

// language is that of a request's answer.
func language(ctx context.Context) phrase.Lang {
	if l, ok := ctx.Value(languageKey{}).(phrase.Lang); ok {
		return l
	}
	return phrase.English
}

// chooseLanguage remembers the reader's choice in this browser.
func (s *Server) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	l, _ := phrase.ParseLang(r.PostFormValue("lang"))
	http.SetCookie(w, &http.Cookie{
		Name: languageCookie, Value: string(l), Path: "/", MaxAge: int(languageKept.Seconds()),
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, localPath(r.PostFormValue("next")), http.StatusSeeOther)
}
