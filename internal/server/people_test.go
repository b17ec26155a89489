package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/auth"
	"github.com/shiplock/shiplock/internal/delivery"
)

const chosen = "a password of one's own"

// person makes a user who has chosen a password.
func (w *world) person(name string) {
	w.t.Helper()
	var made api.UserPassword
	w.ok("POST", "/api/v1/users", api.AddUser{Name: name}, &made)
	in, status := w.logIn(api.LogIn{User: name, Password: made.Password, NewPassword: chosen}, "")
	if status != 200 || in.Token == "" {
		w.t.Fatalf("first log-in of %s: %d %+v", name, status, in)
	}
}

// logIn is the command line's, from an address.
func (w *world) logIn(in api.LogIn, from string) (out api.LoggedIn, status int) {
	w.t.Helper()
	body, err := json.Marshal(in)
	w.must(err)
	req, err := http.NewRequestWithContext(w.t.Context(), "POST", w.url+"/api/v1/login", strings.NewReader(string(body)))
	w.must(err)
	req.Header.Set("Content-Type", "application/json")
	if from != "" {
		req.Header.Set("X-Forwarded-For", from)
	}
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&out) // a refusal has no token
	return out, res.StatusCode
}

// status is that of a request with a token.
func (w *world) status(method, path, token string) int {
	w.t.Helper()
	res := w.do(method, path, nil, token)
	res.Body.Close()
	return res.StatusCode
}

func TestOneTimePasswordsAreChanged(t *testing.T) {
	w := newWorld(t)
	var made api.UserPassword
	w.ok("POST", "/api/v1/users", api.AddUser{Name: "ann"}, &made)
	in, status := w.logIn(api.LogIn{User: "ann", Password: made.Password}, "")
	if status != 200 || !in.MustChange || in.Token != "" {
		t.Errorf("with the one-time password: %d %+v", status, in)
	}
	for _, bad := range []string{"short", "ann", made.Password, strings.Repeat("x", 300)} {
		if in, status := w.logIn(api.LogIn{User: "ann", Password: made.Password, NewPassword: bad}, ""); status != 400 || in.Token != "" {
			t.Errorf("%q is taken: %d", bad, status)
		}
	}
	in, status = w.logIn(api.LogIn{User: "ann", Password: made.Password, NewPassword: chosen}, "")
	if status != 200 || w.status("GET", "/api/v1/who", in.Token) != 200 {
		t.Errorf("the change: %d %+v", status, in)
	}
	if _, status := w.logIn(api.LogIn{User: "ann", Password: made.Password}, ""); status != 401 {
		t.Errorf("the one-time password works again: %d", status)
	}
	// On the page the form comes again, with a field for the new one, and no session.
	w.ok("POST", "/api/v1/users/ann/reset-password", nil, &made)
	form := url.Values{"user": {"ann"}, "password": {made.Password}, "next": {"/runs/x"}}
	if res := w.browse("POST", "/login", w.url, form, nil); res.StatusCode != 200 || len(res.Cookies()) != 0 {
		t.Errorf("the page: %d %v", res.StatusCode, res.Cookies())
	}
	form.Set("newPassword", "another password")
	if res := w.browse("POST", "/login", w.url, form, nil); res.StatusCode != 303 || res.Header.Get("Location") != "/runs/x" {
		t.Errorf("the page: %d %v", res.StatusCode, res.Header)
	}
}

// What ends a user's log-ins ends them at once, browsers and tokens alike.
func TestRevocation(t *testing.T) {
	off := true
	for what, do := range map[string]func(w *world){
		"disabling": func(w *world) { w.ok("POST", "/api/v1/users/ann", api.ChangeUser{Disabled: &off}, nil) },
		"a reset":   func(w *world) { w.ok("POST", "/api/v1/users/ann/reset-password", nil, nil) },
		"a new password": func(w *world) {
			w.logIn(api.LogIn{User: "ann", Password: chosen, NewPassword: "one more password"}, "")
		},
		"log out": func(w *world) {
			w.ok("POST", "/api/v1/users/ann/sessions/revoke", nil, nil)
			var tokens api.Page[api.Token]
			w.ok("GET", "/api/v1/tokens?for=ann", nil, &tokens)
			for _, token := range tokens.Items {
				w.ok("POST", "/api/v1/tokens/"+token.ID+"/revoke", nil, nil)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.person("ann")
			in, _ := w.logIn(api.LogIn{User: "ann", Password: chosen}, "")
			var made api.NewToken
			w.ok("POST", "/api/v1/tokens", api.CreateToken{For: "ann", Name: "ci"}, &made)
			session := w.browse("POST", "/login", w.url, url.Values{"user": {"ann"}, "password": {chosen}}, nil).Cookies()[0]
			works := func() [3]int {
				return [3]int{
					w.status("GET", "/api/v1/who", in.Token), w.status("GET", "/api/v1/who", made.Secret),
					w.browse("GET", "/api/v1/who", "", nil, session).StatusCode,
				}
			}
			if got := works(); got != [3]int{200, 200, 200} {
				t.Fatalf("before: %v", got)
			}
			do(w)
			if got := works(); got != [3]int{401, 401, 401} {
				t.Errorf("after: %v", got)
			}
		})
	}
}

// A session that somebody planted in a browser is not the one after a log-in, and is
// worth nothing.
func TestSessionFixation(t *testing.T) {
	w := newWorld(t)
	w.person("ann")
	w.person("eve")
	form := func(user string) url.Values { return url.Values{"user": {user}, "password": {chosen}} }
	planted := w.browse("POST", "/login", w.url, form("eve"), nil).Cookies()[0]
	made := &http.Cookie{Name: planted.Name, Value: "sls_" + strings.Repeat("0", 43)}
	for what, before := range map[string]*http.Cookie{"another's session": planted, "one that was made up": made} {
		after := w.browse("POST", "/login", w.url, form("ann"), before).Cookies()[0]
		if after.Value == before.Value {
			t.Errorf("%s is kept at the log-in", what)
		}
		if res := w.browse("GET", "/api/v1/who", "", nil, before); res.StatusCode != 401 {
			t.Errorf("%s still works after the log-in: %d", what, res.StatusCode)
		}
		if res := w.browse("GET", "/api/v1/who", "", nil, after); res.StatusCode != 200 {
			t.Errorf("the new session: %d", res.StatusCode)
		}
	}
}

func TestLogOutEndsTheSession(t *testing.T) {
	w := newWorld(t)
	session := w.browse("POST", "/login", w.url, url.Values{"token": {w.token}}, nil).Cookies()[0]
	if res := w.browse("POST", "/logout", w.url, nil, session); res.StatusCode != 303 || res.Cookies()[0].MaxAge >= 0 {
		t.Errorf("log out: %d %v", res.StatusCode, res.Cookies())
	}
	if res := w.browse("GET", "/api/v1/who", "", nil, session); res.StatusCode != 401 {
		t.Errorf("who kept the cookie is still in: %d", res.StatusCode)
	}
	if w.status("GET", "/api/v1/who", w.token) != 200 {
		t.Error("the token that opened it has ended too")
	}
}

func TestSecureCookies(t *testing.T) {
	w := newWorld(t)
	w.server.cfg.PublicURL = "https://shiplock.example"
	c := w.browse("POST", "/login", w.url, url.Values{"token": {w.token}}, nil).Cookies()[0]
	if c.Name != "__Host-shiplock_session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("%v", c)
	}
	bare := *c
	bare.Name = "shiplock_session" // what another host of the domain, or plain HTTP, could set
	if res := w.browse("GET", "/api/v1/who", "", nil, &bare); res.StatusCode != 401 {
		t.Errorf("a cookie without the prefix is taken: %d", res.StatusCode)
	}
	if res := w.browse("GET", "/api/v1/who", "", nil, c); res.StatusCode != 200 {
		t.Errorf("the session: %d", res.StatusCode)
	}
}

// Every request that changes something is refused when another site makes a browser
// send it with its cookie.
func TestForgedRequests(t *testing.T) {
	w := newWorld(t)
	session := w.browse("POST", "/login", w.url, url.Values{"token": {w.token}}, nil).Cookies()[0]
	tried := 0
	for _, pattern := range w.server.routes {
		method, path, ok := strings.Cut(pattern, " ")
		if !ok || method == "GET" || strings.HasPrefix(path, "/runner/") || strings.HasPrefix(path, "/hooks/") {
			continue
		}
		tried++
		path = strings.NewReplacer("{$}", "", "{", "", "}", "").Replace(path)
		for _, origin := range []string{"http://evil.example", "null"} {
			if res := w.browse(method, path, origin, url.Values{}, session); res.StatusCode != 403 {
				t.Errorf("%s from %s: %d", pattern, origin, res.StatusCode)
			}
		}
	}
	if tried < 20 {
		t.Errorf("only %d routes change anything", tried)
	}
}

func TestGuessersOfPasswords(t *testing.T) {
	w := newWorld(t)
	w.person("ann")
	guess := func(user, from string) int {
		_, status := w.logIn(api.LogIn{User: user, Password: "a wrong password"}, from)
		return status
	}
	t.Run("many passwords from one address", func(t *testing.T) {
		for i := range maxFailures + 1 {
			if status := guess(fmt.Sprint("u", i), "10.0.0.1"); (status == 429) != (i == maxFailures) {
				t.Errorf("guess %d: %d", i+1, status)
			}
		}
		if status := guess("ann", "10.0.0.2"); status != 401 {
			t.Errorf("another address: %d", status)
		}
		w.pass(failureSpan)
		if status := guess("u0", "10.0.0.1"); status != 401 {
			t.Errorf("after a minute: %d", status)
		}
	})
	t.Run("one password for many users, slowly", func(t *testing.T) {
		blocked := 0
		for i := range maxSprayed + 5 {
			w.pass(failureSpan / 5)
			if guess(fmt.Sprint("v", i), "10.0.0.3") == 429 {
				blocked++
			}
		}
		if blocked != 5 {
			t.Errorf("%d of the 5 users too many are refused", blocked)
		}
		w.pass(spraySpan)
		if status := guess("v999", "10.0.0.3"); status != 401 {
			t.Errorf("after an hour: %d", status)
		}
	})
	t.Run("one user from many addresses", func(t *testing.T) {
		w.pass(userSpan)
		if _, status := w.logIn(api.LogIn{User: "ann", Password: chosen}, "10.0.0.9"); status != 200 {
			t.Fatalf("ann at her desk: %d", status)
		}
		for i := range maxOfUser + 3 {
			if status := guess("ann", fmt.Sprint("10.1.0.", i)); (status == 429) != (i >= maxOfUser) {
				t.Errorf("guess %d: %d", i+1, status)
			}
		}
		if _, status := w.logIn(api.LogIn{User: "ann", Password: chosen}, "10.2.0.1"); status != 429 {
			t.Errorf("right, from somewhere new: %d", status)
		}
		if _, status := w.logIn(api.LogIn{User: "ann", Password: chosen}, "10.0.0.9"); status != 200 {
			t.Errorf("ann at her desk is locked out: %d", status)
		}
		w.pass(userSpan)
		if _, status := w.logIn(api.LogIn{User: "ann", Password: chosen}, "10.2.0.1"); status != 200 {
			t.Errorf("ann is locked out for good: %d", status)
		}
	})
}

// Attempts count from their beginning, so that many at once are no way around.
func TestAttemptsAtOnce(t *testing.T) {
	now := time.Now()
	a := newAttempts(func() time.Time { return now })
	begun := 0
	for range 100 {
		if a.begin("10.0.0.1", "ann") == 0 {
			begun++
		}
	}
	if begun != maxFailures {
		t.Errorf("%d may be under way", begun)
	}
	for range maxFailures {
		a.succeed("10.0.0.1", "ann")
	}
	if a.begin("10.0.0.1", "ann") != 0 {
		t.Error("who logs in often is refused")
	}
	if a.begin("2001:db8::1", "") != 0 || network("2001:db8::1") != network("2001:db8::ffff:2") || network("2001:db8:0:1::1") == network("2001:db8::1") {
		t.Error("an address of IPv6 stands for its network of 64 bits")
	}
}

func TestWhereARequestIsFrom(t *testing.T) {
	s := &Server{cfg: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}}
	for _, c := range []struct {
		remote string
		header []string
		want   string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{"1.2.3.4"}, "192.0.2.1"}, // whoever says so
		{"10.0.0.1:5", nil, "10.0.0.1"},
		{"10.0.0.1:5", []string{"1.2.3.4"}, "1.2.3.4"},
		{"10.0.0.1:5", []string{"6.6.6.6, 1.2.3.4"}, "1.2.3.4"}, // the left was there before
		{"10.0.0.1:5", []string{"6.6.6.6", "1.2.3.4, 10.0.0.2"}, "1.2.3.4"},
		{"10.0.0.1:5", []string{"nonsense, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"[fd00::1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
		{"[::ffff:10.0.0.1]:5", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.header}}
		if got := s.address(r); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.remote, c.header, got, c.want)
		}
	}
}

// A token's last use is written at most once a minute, and never by the request.
func TestLastUse(t *testing.T) {
	w := newWorld(t)
	var made api.NewToken
	w.person("ann")
	w.ok("POST", "/api/v1/tokens", api.CreateToken{For: "ann"}, &made)
	used := func() time.Time {
		token, err := w.store.Token(t.Context(), made.ID)
		w.must(err)
		return token.UsedAt
	}
	if w.status("GET", "/api/v1/who", made.Secret) != 200 || !used().IsZero() {
		t.Errorf("the request wrote it: %v", used())
	}
	w.must(w.keeper.WriteUses(t.Context()))
	first := used()
	if first.IsZero() {
		t.Error("it is not written")
	}
	w.pass(50 * time.Second)
	w.status("GET", "/api/v1/who", made.Secret)
	w.must(w.keeper.WriteUses(t.Context()))
	if !used().Equal(first) {
		t.Error("it is written again within the minute")
	}
	w.pass(11 * time.Second)
	w.status("GET", "/api/v1/who", made.Secret)
	w.must(w.keeper.WriteUses(t.Context()))
	if !used().After(first) {
		t.Error("it is not written again")
	}
	w.pass(30 * 24 * time.Hour)
	if w.status("GET", "/api/v1/who", made.Secret) != 401 {
		t.Error("it does not expire")
	}
}

func TestListsOfTokensHaveNoSecrets(t *testing.T) {
	w := newWorld(t)
	w.person("ann")
	in, _ := w.logIn(api.LogIn{User: "ann", Password: chosen, Name: "laptop"}, "192.0.2.7")
	var sessions api.Page[api.Token]
	w.ok("GET", "/api/v1/users/ann/sessions", nil, &sessions)
	text, err := json.Marshal(sessions)
	w.must(err)
	if len(sessions.Items) == 0 || sessions.Items[0].From != "192.0.2.7" || sessions.Items[0].Kind != delivery.TokenLogin {
		t.Errorf("%s", text)
	}
	for _, secret := range []string{in.Token, auth.Hash(in.Token)} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the list says %s", secret)
		}
	}
	// Others' are nobody's business.
	w.person("eve")
	eve, _ := w.logIn(api.LogIn{User: "eve", Password: chosen}, "")
	for _, path := range []string{"/api/v1/users/ann/sessions", "/api/v1/tokens?for=ann", "/api/v1/tokens?for=*", "/api/v1/users"} {
		if status := w.status("GET", path, eve.Token); status != 403 {
			t.Errorf("eve reads %s: %d", path, status)
		}
	}
	if status := w.status("GET", "/api/v1/tokens", eve.Token); status != 200 {
		t.Errorf("eve reads her own: %d", status)
	}
}
