package registry

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// leeway is how long a registry takes a token that has expired.
const leeway = time.Minute

// Grant is a token that was given.
type Grant struct {
	User, Token string
	Scopes      []string
}

// Tokens is a token service: it knows users, and notes what they ask for.
type Tokens struct {
	t     testing.TB
	ca    *Authority
	users map[string]string
	url   string

	mu     sync.Mutex
	life   time.Duration
	grants []Grant
}

const (
	service = "the tests' registry"
	issuer  = "the tests' token service"
)

// NewTokens starts a token service for users with their passwords.
func NewTokens(t testing.TB, ca *Authority, users map[string]string) *Tokens {
	t.Helper()
	s := &Tokens{life: time.Hour, t: t, ca: ca, users: users}
	srv := httptest.NewUnstartedServer(s)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Leaf}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	s.url = strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	return s
}

// Live says how long tokens are taken by the registry from now on; an hour at first.
func (s *Tokens) Live(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life = d
}

// Grants lists what was given so far.
func (s *Tokens) Grants() []Grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.grants)
}

func (s *Tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if want, ok := s.users[user]; !ok || want != password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	scopes := r.URL.Query()["scope"]
	s.mu.Lock()
	defer s.mu.Unlock()
	token := s.token(user, scopes)
	s.grants = append(s.grants, Grant{User: user, Token: token, Scopes: scopes})
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": int(s.life.Seconds())})
}

// token is a JWT as registries of the distribution project take it.
func (s *Tokens) token(user string, scopes []string) string {
	type access struct {
		Type    string   `json:"type"`
		Name    string   `json:"name"`
		Actions []string `json:"actions"`
	}
	list := []access{}
	for _, scope := range scopes {
		if p := strings.Split(scope, ":"); len(p) == 3 {
			list = append(list, access{p[0], p[1], strings.Split(p[2], ",")})
		}
	}
	now := time.Now()
	head := map[string]any{"typ": "JWT", "alg": "RS256", "x5c": []string{base64.StdEncoding.EncodeToString(s.ca.Leaf.Certificate[0])}}
	body := map[string]any{
		"iss": issuer, "sub": user, "aud": service, "jti": rand.Text(), "access": list,
		"iat": now.Unix(), "nbf": now.Add(-time.Hour).Unix(), "exp": now.Add(s.life - leeway).Unix(),
	}
	signed := encoded(s.t, head) + "." + encoded(s.t, body)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.ca.Leaf.PrivateKey.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		s.t.Error(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encoded(t testing.TB, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
