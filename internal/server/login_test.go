package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// browse sends a form as a browser does from the given site.
func (w *world) browse(method, path, origin string, form url.Values, cookie *http.Cookie) *http.Response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(form.Encode()))
	w.must(err)
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	if cookie != nil {
		req.AddCookie(cookie)
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	w.must(err)
	res.Body.Close()
	return res
}

func TestBrowserSession(t *testing.T) {
	w := newWorld(t)
	res := w.browse("POST", "/login", w.url, url.Values{"token": {w.token}, "next": {"/runs/x"}}, nil)
	cookies := res.Cookies()
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/runs/x" || len(cookies) != 1 {
		t.Fatalf("log in: %d %v %v", res.StatusCode, res.Header, cookies)
	}
	session := cookies[0]
	if !session.HttpOnly || session.SameSite != http.SameSiteLaxMode || strings.Contains(session.Value, w.token) {
		t.Errorf("cookie %v", session)
	}
	for _, c := range []struct {
		what, method, path, origin string
		cookie                     *http.Cookie
		status                     int
	}{
		{"a page", "GET", "/", "", session, 200},
		{"the API", "GET", "/api/v1/who", "", session, 200},
		{"a stranger's page", "GET", "/", "", nil, 303},
		{"another site's request", "POST", "/api/v1/targets/shop/dev/resume", "http://evil", session, 403},
		{"another site's log-in", "POST", "/login", "http://evil", nil, 403},
		{"log out", "POST", "/logout", w.url, session, 303},
	} {
		if res := w.browse(c.method, c.path, c.origin, nil, c.cookie); res.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.what, res.StatusCode, c.status)
		}
	}
}

func TestLoginLinkWorksOnce(t *testing.T) {
	w := newWorld(t)
	link := "/login?token=" + w.keeper.Link(delivery.Actor{Kind: delivery.ActorUser, Name: "demo"}, delivery.Grants{Admin: true})
	if res := w.browse("GET", link, "", nil, nil); res.StatusCode != 303 || len(res.Cookies()) != 1 {
		t.Errorf("first: %d", res.StatusCode)
	}
	if res := w.browse("GET", link, "", nil, nil); res.StatusCode != 401 || len(res.Cookies()) != 0 {
		t.Errorf("second: %d", res.StatusCode)
	}
}

func TestGuessersAreSlowedDown(t *testing.T) {
	w := newWorld(t)
	for i := range maxFailures + 1 {
		res := w.browse("POST", "/login", w.url, url.Values{"token": {"slk_guess"}}, nil)
		want := 401
		if i == maxFailures {
			want = 429
		}
		if res.StatusCode != want {
			t.Errorf("guess %d: %d, want %d", i+1, res.StatusCode, want)
		}
	}
}

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/runs/x?a=b": "/runs/x?a=b", "": "/", "http://evil": "/", "//evil": "/", `/\evil`: "/", "/a\nb": "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("localPath(%q) = %q, want %q", next, got, want)
		}
	}
}
