package image_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
)

// tokens stands before a registry that takes tokens only, until they are revoked.
type tokens struct {
	registry http.Handler

	mu     sync.Mutex
	good   map[string]bool
	scopes [][]string
}

func (s *tokens) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.good)
}

func (s *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	good := s.good[bearer]
	if r.URL.Path == "/token" {
		s.give(w, r)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	if !good {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="tests"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.registry.ServeHTTP(w, r)
}

func (s *tokens) give(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != "ci" || password != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.scopes = append(s.scopes, r.URL.Query()["scope"])
	token := fmt.Sprintf("token-%d", len(s.scopes))
	s.good[token] = true
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 60})
}

func newTokens(t *testing.T) *tokens {
	return &tokens{registry: embedded(t), good: map[string]bool{}}
}

// A token that is taken no more in the middle of an upload is replaced by a fresh one.
func TestATokenIsAskedForAgainWhenItIsTakenNoMore(t *testing.T) {
	s := newTokens(t)
	asked, before := 0, 0
	var mu sync.Mutex
	host := serve(t, &front{registry: s, spoil: func(_ http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 3 {
			s.revoke()
			mu.Lock()
			defer mu.Unlock()
			before = asked
		}
		return false
	}})
	server := image.New(image.Config{Registry: login(host, image.Login{Username: "ci", Password: "secret"})})
	runner := image.Hurry(image.New(image.Config{Chunk: chunk, Registry: image.Registry{Host: host, PlainHTTP: true,
		Login: func(ctx context.Context, _ string) (image.Login, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			token, err := server.PushToken(ctx, host+"/app")
			return image.Login{Token: token}, err
		}}}))
	big := make([]byte, 5*chunk)
	rand.Read(big)
	files := []image.File{{Path: "/big", Data: big}}
	if _, err := runner.BuildScratch(t.Context(), image.Scratch{Dest: host + "/app", Files: files}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if before == 0 || asked <= before {
		t.Errorf("asked for %d tokens, %d before they were revoked", asked, before)
	}
}

func TestPushTokens(t *testing.T) {
	s := newTokens(t)
	host := serve(t, s)
	c := image.New(image.Config{Registry: login(host, image.Login{Username: "ci", Password: "secret"})})
	if token, err := c.PushToken(t.Context(), host+"/apps/shop", host+"/apps/shiplock/base:1", "elsewhere.example.com/base:1", host+"/apps/shop:1"); err != nil || token != "token-1" {
		t.Fatalf("%q, %v", token, err)
	}
	if want := []string{"repository:apps/shop:push,pull", "repository:apps/shiplock/base:pull"}; !slices.Equal(s.scopes[0], want) {
		t.Errorf("scopes %q, want %q", s.scopes[0], want)
	}
	wrong := image.New(image.Config{Registry: login(host, image.Login{Username: "ci", Password: "x"})})
	_, err := wrong.PushToken(t.Context(), host+"/apps/shop")
	said(t, err, delivery.Denied, "refuses the login for "+host+"/apps/shop, which needs the permission pull,push")
	open := serve(t, embedded(t))
	if _, err := image.New(image.Config{Registry: login(open, image.Login{})}).PushToken(t.Context(), open+"/app"); !errors.Is(err, image.ErrNoTokens) {
		t.Errorf("an open registry: %v", err)
	}
}

func said(t *testing.T, err error, kind delivery.Kind, text string) {
	t.Helper()
	if delivery.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("%v: %v\nwant %v: …%s…", delivery.KindOf(err), err, kind, text)
	}
}

// Nothing is sent in the clear to a registry that is to be spoken to over TLS, wherever
// it is.
func TestOverTLS(t *testing.T) {
	srv := httptest.NewTLSServer(embedded(t))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "https://")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	scratch := func(r image.Registry) error {
		r.Login = image.Keys{r.Host: {Username: "ci", Password: "secret"}}.Login
		_, err := image.Hurry(image.New(image.Config{Registry: r})).BuildScratch(t.Context(), image.Scratch{Dest: r.Host + "/app"})
		return err
	}
	if err := scratch(image.Registry{Host: host, CA: ca}); err != nil {
		t.Error(err)
	}
	said(t, scratch(image.Registry{Host: host}), delivery.Unavailable, "the certificate of the registry of "+host+"/app is not trusted")

	var mu sync.Mutex
	plain := 0
	clear := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		plain++
	}))
	said(t, scratch(image.Registry{Host: clear, CA: ca}), delivery.Unavailable, "speaks no TLS")
	mu.Lock()
	defer mu.Unlock()
	if plain > 0 {
		t.Errorf("%d requests went in the clear", plain)
	}
}

func TestWhatRegistriesRefuse(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   delivery.Kind
		text   string
	}{
		"no permission": {403, `{"errors":[{"code":"DENIED","message":"requested access is denied"}]}`, delivery.Denied, "does not allow pull,push on HOST/app"},
		"no project":    {404, `{"errors":[{"code":"NAME_UNKNOWN","message":"project apps not found"}]}`, delivery.NotFound, "has no place for HOST/app"},
		"too large":     {413, "<html>413 Request Entity Too Large</html>", delivery.Invalid, "finds a layer too large"},
		"quota":         {403, `{"errors":[{"code":"DENIED","message":"will exceed the configured upper limit of 10.0 MiB"}]}`, delivery.Invalid, "has no room left for HOST/app"},
		"disk full":     {500, `{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"Enclosed":{"Err":"no space left on device"}}}]}`, delivery.Invalid, "has no room left for HOST/app"},
	} {
		t.Run(name, func(t *testing.T) {
			g := embedded(t)
			host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					w.WriteHeader(tc.status)
					_, _ = w.Write([]byte(tc.body))
					return
				}
				g.ServeHTTP(w, r)
			}))
			_, err := image.Hurry(image.New(image.Config{})).BuildScratch(t.Context(), image.Scratch{Dest: host + "/app"})
			said(t, err, tc.kind, strings.ReplaceAll(tc.text, "HOST", host))
		})
	}
}

func TestKeys(t *testing.T) {
	keys, err := image.ParseKeys([]byte(`{"auths": {
		"registry.example.com": {"auth": "Y2k6c2VjcmV0"},
		"registry.example.com/apps": {"username": "apps", "password": "1"},
		"registry.example.com/apps/shop": {"username": "shop", "password": "2"},
		"https://index.docker.io/v1/": {"identitytoken": "refresh"}}, "credsStore": "desktop"}`))
	if err != nil {
		t.Fatal(err)
	}
	for repository, want := range map[string]struct {
		key string
		image.Login
	}{
		"registry.example.com/other":      {"registry.example.com", image.Login{Username: "ci", Password: "secret"}},
		"registry.example.com/apps/cart":  {"registry.example.com/apps", image.Login{Username: "apps", Password: "1"}},
		"registry.example.com/apps/shop":  {"registry.example.com/apps/shop", image.Login{Username: "shop", Password: "2"}},
		"registry.example.com/apps/shop2": {"registry.example.com/apps", image.Login{Username: "apps", Password: "1"}},
		"docker.io/acme/shop":             {"index.docker.io", image.Login{Identity: "refresh"}},
		"other.example.com/shop":          {"", image.Login{}},
	} {
		if key, l := keys.For(repository); key != want.key || l != want.Login {
			t.Errorf("%s: %q %+v, want %+v", repository, key, l, want)
		}
	}
	for text, why := range map[string]string{
		`[]`:                               "not JSON with auths",
		`{"auths": {"a.example.com": {}}}`: "a credential helper keeps it",
		`{"auths": {"a.example.com": {"auth": "?"}}}`: "not user:password in base64",
	} {
		_, err := image.ParseKeys([]byte(text))
		said(t, err, delivery.Invalid, why)
	}
	if len(slices.Collect(maps.Keys(keys))) != 4 {
		t.Errorf("keys %v", keys)
	}
}
