package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/auth/oidc"
	"github.com/shiplock/shiplock/internal/delivery"
)

// signOn is a Provider, a provider that may lie, and a clock.
type signOn struct {
	*oidc.Provider
	t   *testing.T
	id  *emulator
	now time.Time
}

func newSignOn(t *testing.T, change func(*oidc.Config)) *signOn {
	t.Helper()
	s := &signOn{t: t, now: time.Now()}
	clock := func() time.Time { return s.now }
	s.id = newEmulator(t, clock)
	cfg := oidc.Config{
		Issuer: s.id.server.URL, ClientID: "shiplock", ClientSecret: "s3cret", RedirectURL: "http://shiplock/login/oidc/callback",
		Scopes: []string{"openid", "email"}, UsernameClaim: "preferred_username", GroupsClaim: "groups", Key: []byte("key"), Now: clock,
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if s.Provider, err = oidc.New(cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// begin starts a log-in in a browser, and has the person agree to it.
func (s *signOn) begin() (cookie string, answer url.Values) {
	s.t.Helper()
	to, cookie, err := s.Begin(s.t.Context(), "/runs/x")
	if err != nil {
		s.t.Fatal(err)
	}
	return cookie, s.id.authorize(to)
}

func (s *signOn) finish(cookie string, answer url.Values) (delivery.Claims, error) {
	c, _, err := s.Finish(s.t.Context(), cookie, answer)
	return c, err
}

func TestSignOn(t *testing.T) {
	s := newSignOn(t, func(c *oidc.Config) { c.Domains = []string{"Example.com"} })
	cookie, answer := s.begin()
	c, next, err := s.Finish(t.Context(), cookie, answer)
	want := delivery.Claims{
		Identity: delivery.Identity{Issuer: s.id.server.URL, Subject: "42"},
		Name:     "ann", DisplayName: "Ann Lee", Email: "ann@example.com", Groups: []string{"leads", "web"},
	}
	if err != nil || !reflect.DeepEqual(c, want) || next != "/runs/x" {
		t.Errorf("%+v, %q, %v", c, next, err)
	}
}

// What the ID token leaves out, the provider is asked for.
func TestClaimsOfTheUserInfo(t *testing.T) {
	s := newSignOn(t, func(c *oidc.Config) { c.GroupsClaim = "realm_access.roles" })
	s.id.lies.claims = func(c map[string]any) {
		delete(c, "preferred_username")
		c["realm_access"] = map[string]any{"roles": []string{"x"}}
	}
	if c, err := s.finish(s.begin()); err != nil || c.Name != "ann-of-info" || len(c.Groups) != 1 || c.Groups[0] != "x" {
		t.Errorf("%+v %v", c, err)
	}
}

// Each lie is one that some attack rests on; all are refused.
func TestLies(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, v any) func(*signOn) {
		return func(s *signOn) {
			s.id.lies.claims = func(c map[string]any) {
				if c[name] = v; v == nil {
					delete(c, name)
				}
			}
		}
	}
	for name, lie := range map[string]func(s *signOn){
		"another nonce":              claim("nonce", "another"),
		"no nonce":                   claim("nonce", nil),
		"another issuer":             claim("iss", "https://evil.example"),
		"no issuer":                  claim("iss", nil),
		"another audience":           claim("aud", "other"),
		"two audiences, none named":  claim("aud", []string{"shiplock", "other"}),
		"for another party":          claim("azp", "other"),
		"expired":                    claim("exp", time.Now().Add(-time.Hour).Unix()),
		"no subject":                 claim("sub", nil),
		"of another access token":    claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"another person's user info": func(s *signOn) { claim("groups", nil)(s); s.id.lies.info = func(c map[string]any) { c["sub"] = "43" } },
		"no name": func(s *signOn) {
			claim("preferred_username", nil)(s)
			s.id.lies.info = func(c map[string]any) { delete(c, "preferred_username") }
		},
		"no token":          func(s *signOn) { s.id.lies.idToken = func(string) string { return "" } },
		"signed by another": func(s *signOn) { s.id.lies.sign = func(_ *emulator, in string) []byte { return signedBy(other, in) } },
		"not signed": func(s *signOn) {
			s.id.lies.header = func(h map[string]any) { h["alg"] = "none" }
			s.id.lies.sign = func(*emulator, string) []byte { return nil }
		},
		"signed with the public key": func(s *signOn) {
			s.id.lies.header = func(h map[string]any) { h["alg"] = "HS256" }
			s.id.lies.sign = (*emulator).hs256
		},
		"changed after it was signed": func(s *signOn) {
			s.id.lies.idToken = func(h string) string {
				p := strings.Split(h, ".")
				return p[0] + "." + part(map[string]any{"sub": "1"}) + "." + p[2]
			}
		},
		"it refuses the code": func(s *signOn) { s.id.lies.status = 400 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSignOn(t, nil)
			lie(s)
			c, err := s.finish(s.begin())
			if delivery.KindOf(err) != delivery.Denied {
				t.Errorf("%+v is taken: %v", c, err)
			}
		})
	}
	t.Run("it is not there", func(t *testing.T) {
		s := newSignOn(t, nil)
		s.id.lies.status = 503
		if _, err := s.finish(s.begin()); delivery.KindOf(err) != delivery.Unavailable {
			t.Error(err)
		}
	})
	t.Run("it describes another", func(t *testing.T) {
		s := newSignOn(t, nil)
		s.id.lies.discovery = func(d map[string]any) { d["issuer"] = "https://evil.example" }
		if _, _, err := s.Begin(t.Context(), "/"); delivery.KindOf(err) != delivery.Unavailable {
			t.Error(err)
		}
		s.id.lies.discovery = nil
		if _, _, err := s.Begin(t.Context(), "/"); err == nil {
			t.Error("it is asked again at once")
		}
		s.now = s.now.Add(time.Minute)
		if _, _, err := s.Begin(t.Context(), "/"); err != nil {
			t.Errorf("once it is itself again: %v", err)
		}
	})
}

// The answer has to be brought by the browser that began, once and in time. The
// emulator takes any verifier and any code twice, so that only our own checks are left.
func TestStateIsTheBrowsers(t *testing.T) {
	s := newSignOn(t, nil)
	s.id.lies.anyVerifier, s.id.lies.anyCode = true, true
	refused := func(what, cookie string, answer url.Values) {
		t.Helper()
		if c, err := s.finish(cookie, answer); delivery.KindOf(err) != delivery.Denied || err == nil {
			t.Errorf("%s: %+v %v", what, c, err)
		}
	}
	mine, answer := s.begin()
	theirs, other := s.begin()
	refused("no cookie", "", answer)
	refused("another browser's cookie", theirs, answer)
	refused("a code of another log-in", mine, url.Values{"code": answer["code"]})
	refused("another state", mine, url.Values{"code": answer["code"], "state": {"another"}})
	refused("an empty state", mine, url.Values{"code": answer["code"], "state": {""}})
	refused("a cookie that was changed", mine[:len(mine)-2]+"AA", answer)
	// A code that an attacker got for himself, put into somebody's answer: the nonce is
	// another one.
	refused("an attacker's code", mine, url.Values{"code": other["code"], "state": answer["state"]})

	mine, answer = s.begin()
	if _, err := s.finish(mine, answer); err != nil {
		t.Fatal(err)
	}
	refused("once more", mine, answer)

	mine, answer = s.begin()
	s.now = s.now.Add(oidc.FlowLife + time.Second)
	refused("too late", mine, answer)

	strange := newSignOn(t, func(c *oidc.Config) { c.Key = []byte("of another installation") })
	cookie, answer := strange.begin()
	refused("another installation's cookie", cookie, answer)

	mine, answer = s.begin()
	refused("a refusal", mine, url.Values{"error": {"access_denied"}, "state": answer["state"]})
}

// A code is worth nothing without the verifier, which only the cookie holds.
func TestStolenCodes(t *testing.T) {
	s := newSignOn(t, nil)
	s.id.lies.claims = func(c map[string]any) { delete(c, "nonce") } // even then
	_, theirs := s.begin()
	mine, answer := s.begin()
	if _, err := s.finish(mine, url.Values{"code": theirs["code"], "state": answer["state"]}); err == nil || !strings.Contains(fmt.Sprint(err), "does not take the log-in back") {
		t.Errorf("a stolen code: %v", err)
	}
}

// An ID token of an earlier log-in is not one of this.
func TestReplayedTokens(t *testing.T) {
	s := newSignOn(t, nil)
	var earlier string
	s.id.lies.idToken = func(honest string) string {
		if earlier == "" {
			earlier = honest
		}
		return earlier
	}
	if _, err := s.finish(s.begin()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.finish(s.begin()); delivery.KindOf(err) != delivery.Denied {
		t.Errorf("it is taken again: %v", err)
	}
}

// Mix-up: the answer comes from another provider than the one that was asked.
func TestMixUp(t *testing.T) {
	for _, promised := range []bool{false, true} {
		s := newSignOn(t, nil)
		s.id.lies.discovery = func(d map[string]any) { d["authorization_response_iss_parameter_supported"] = promised }
		for iss, want := range map[string]bool{"": !promised, "https://evil.example": false, s.id.server.URL + "/": false, s.id.server.URL: true} {
			cookie, answer := s.begin()
			if iss != "" {
				answer.Set("iss", iss)
			}
			if _, err := s.finish(cookie, answer); (err == nil) != want {
				t.Errorf("iss %q, promised %v: %v", iss, promised, err)
			}
		}
		cookie, answer := s.begin()
		answer["iss"] = []string{s.id.server.URL, "https://evil.example"}
		if _, err := s.finish(cookie, answer); err == nil {
			t.Error("two providers at once are taken")
		}
	}
	// A log-in that was begun at another provider does not end at this one, though both
	// belong to one installation.
	one, two := newSignOn(t, nil), newSignOn(t, nil)
	cookie, answer := one.begin()
	two.id.codes = one.id.codes // the other one has got hold of the code
	if _, err := two.finish(cookie, answer); delivery.KindOf(err) != delivery.Denied {
		t.Errorf("begun elsewhere: %v", err)
	}
}

func TestOnlyVerifiedAddressesOfTheDomain(t *testing.T) {
	for _, c := range []struct {
		email    any
		verified any
		want     bool
	}{
		{"ann@example.com", true, true}, {"ann@EXAMPLE.com", "true", true},
		{"ann@example.com", false, false}, {"ann@example.com", nil, false},
		{"ann@evil.example", true, false}, {"ann@example.com.evil.example", true, false}, {"ann@evil.example@example.com", true, false}, {nil, true, false},
	} {
		s := newSignOn(t, func(cfg *oidc.Config) { cfg.Domains = []string{"example.com"} })
		s.id.lies.claims = func(said map[string]any) { said["email"], said["email_verified"] = c.email, c.verified }
		if _, err := s.finish(s.begin()); (err == nil) != c.want {
			t.Errorf("%v (%v): %v", c.email, c.verified, err)
		}
	}
}
