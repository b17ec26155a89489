package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// believer is an identity provider that takes any answer; next is what it hands back.
type believer struct{ next string }

func (b *believer) Begin(_ context.Context, next string) (to, cookie string, err error) {
	b.next = next
	return "https://id.example/authorize", "kept", nil
}

func (b *believer) Finish(_ context.Context, cookie string, _ url.Values) (delivery.Claims, string, error) {
	if cookie != "kept" {
		return delivery.Claims{}, "", delivery.E(delivery.Denied, "not begun in this browser")
	}
	return delivery.Claims{Identity: delivery.Identity{Issuer: "https://id.example", Subject: "1"}, Name: "ann"}, b.next, nil
}

// A log-in leads to pages of ours only, whatever it was begun or answered with.
func TestSignOnLeadsNowhereElse(t *testing.T) {
	for next, want := range map[string]string{
		"/runs/x?a=b": "/runs/x?a=b", "": "/", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/",
		"/\tevil": "/", "javascript:alert(1)": "/", "/%0d%0aSet-Cookie: a=b": "/%0d%0aSet-Cookie: a=b",
	} {
		w := newWorld(t)
		id := &believer{}
		w.server.cfg.SignOn = id
		res := w.browse("GET", "/login/oidc?next="+url.QueryEscape(next), "", nil, nil)
		if res.StatusCode != 303 || res.Header.Get("Location") != "https://id.example/authorize" || id.next != want {
			t.Fatalf("%q: %d %q, leads to %q", next, res.StatusCode, res.Header.Get("Location"), id.next)
		}
		kept := res.Cookies()[0]
		if !kept.HttpOnly || kept.SameSite != http.SameSiteLaxMode {
			t.Errorf("%v", kept)
		}
		id.next = next // even if it were kept as it was
		res = w.browse("GET", SignOnPath+"?code=1&state=1&next="+url.QueryEscape("//evil.example/2"), "", nil, kept)
		if got := res.Header.Get("Location"); res.StatusCode != 303 || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.Contains(got, "\\") {
			t.Errorf("%q leads to %d %q", next, res.StatusCode, got)
		}
		if len(res.Header.Values("Set-Cookie")) != 2 { // ours is removed, and the session
			t.Errorf("%q sets %q", next, res.Header.Values("Set-Cookie"))
		}
	}
}

func TestSignOnFails(t *testing.T) {
	w := newWorld(t)
	if res := w.browse("GET", "/login/oidc", "", nil, nil); res.StatusCode != 404 {
		t.Errorf("without a provider: %d", res.StatusCode)
	}
	w.server.cfg.SignOn = &believer{}
	for i := range maxFailures + 1 {
		res := w.browse("GET", SignOnPath+"?code=1", "", nil, nil)
		want := 401
		if i == maxFailures {
			want = 429
		}
		if res.StatusCode != want || len(res.Cookies()) != 1 {
			t.Errorf("answer %d: %d %v", i+1, res.StatusCode, res.Cookies())
		}
	}
}
