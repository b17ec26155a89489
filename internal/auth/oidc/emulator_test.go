package oidc_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// emulator is an identity provider on loopback that does what the standard says, and
// tells the lies that a test asks for.
type emulator struct {
	t      *testing.T
	server *httptest.Server
	key    *rsa.PrivateKey
	now    func() time.Time

	mu    sync.Mutex
	codes map[string]url.Values // what was asked for, by code; a code works once
	lies  lies
}

// lies change what is told.
type lies struct {
	discovery func(map[string]any)
	claims    func(map[string]any)
	header    func(map[string]any)
	// sign replaces the signature.
	sign func(e *emulator, input string) []byte
	// idToken replaces the whole token, and sees the honest one.
	idToken func(honest string) string
	info    func(map[string]any)
	// anyVerifier leaves PKCE out, and anyCode takes codes twice: only ours is left.
	anyVerifier, anyCode bool
	status               int
}

func newEmulator(t *testing.T, now func() time.Time) *emulator {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e := &emulator{t: t, key: key, now: now, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", e.discovery)
	mux.HandleFunc("GET /keys", e.keys)
	mux.HandleFunc("POST /token", e.token)
	mux.HandleFunc("GET /info", e.info)
	e.server = httptest.NewServer(mux)
	t.Cleanup(e.server.Close)
	return e
}

func (e *emulator) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		e.t.Error(err)
	}
}

func (e *emulator) discovery(w http.ResponseWriter, _ *http.Request) {
	d := map[string]any{
		"issuer": e.server.URL, "authorization_endpoint": e.server.URL + "/authorize", "token_endpoint": e.server.URL + "/token",
		"jwks_uri": e.server.URL + "/keys", "userinfo_endpoint": e.server.URL + "/info",
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
	}
	if e.lies.discovery != nil {
		e.lies.discovery(d)
	}
	e.answer(w, d)
}

func (e *emulator) keys(w http.ResponseWriter, _ *http.Request) {
	b64 := base64.RawURLEncoding.EncodeToString
	e.answer(w, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
		"n": b64(e.key.N.Bytes()), "e": b64(big.NewInt(int64(e.key.E)).Bytes()),
	}}})
}

// authorize is what a person at the provider does: it returns the answer that the
// browser brings back.
func (e *emulator) authorize(to string) url.Values {
	u, err := url.Parse(to)
	if err != nil {
		e.t.Fatal(err)
	}
	q := u.Query()
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 20 || len(q.Get("nonce")) < 20 {
		e.t.Errorf("asked for %v", q)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	code := rand.Text()
	e.codes[code] = q
	return url.Values{"code": {code}, "state": {q.Get("state")}}
}

func (e *emulator) token(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	asked, known := e.codes[r.PostFormValue("code")]
	if !e.lies.anyCode {
		delete(e.codes, r.PostFormValue("code"))
	}
	e.mu.Unlock()
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	proven := e.lies.anyVerifier || base64.RawURLEncoding.EncodeToString(challenge[:]) == asked.Get("code_challenge")
	if e.lies.status != 0 {
		w.WriteHeader(e.lies.status)
		return
	}
	if user, secret, _ := r.BasicAuth(); !known || !proven || user != "shiplock" || secret != "s3cret" {
		w.WriteHeader(http.StatusBadRequest)
		e.answer(w, map[string]any{"error": "invalid_grant"})
		return
	}
	token := e.idToken(asked.Get("nonce"))
	if e.lies.idToken != nil {
		token = e.lies.idToken(token)
	}
	e.answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": token})
}

func (e *emulator) idToken(nonce string) string {
	half := sha256.Sum256([]byte("access"))
	claims := map[string]any{
		"iss": e.server.URL, "aud": "shiplock", "sub": "42", "nonce": nonce,
		"iat": e.now().Unix(), "exp": e.now().Add(time.Minute).Unix(),
		"at_hash":            base64.RawURLEncoding.EncodeToString(half[:16]),
		"preferred_username": "Ann", "name": "Ann Lee", "groups": []string{"web", "leads"},
		"email": "ann@example.com", "email_verified": true,
	}
	header := map[string]any{"alg": "RS256", "kid": "1", "typ": "JWT"}
	if e.lies.claims != nil {
		e.lies.claims(claims)
	}
	if e.lies.header != nil {
		e.lies.header(header)
	}
	input := part(header) + "." + part(claims)
	sign := (*emulator).rs256
	if e.lies.sign != nil {
		sign = e.lies.sign
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sign(e, input))
}

func part(v map[string]any) string {
	text, err := json.Marshal(maps.Clone(v))
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func (e *emulator) rs256(input string) []byte { return signedBy(e.key, input) }

func signedBy(key *rsa.PrivateKey, input string) []byte {
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return sig
}

// hs256 signs with the public key as if it were a shared secret.
func (e *emulator) hs256(input string) []byte {
	mac := hmac.New(sha256.New, e.key.N.Bytes())
	fmt.Fprint(mac, input)
	return mac.Sum(nil)
}

func (e *emulator) info(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	info := map[string]any{"sub": "42", "preferred_username": "ann-of-info", "groups": []string{"of-info"}}
	if e.lies.info != nil {
		e.lies.info(info)
	}
	e.answer(w, info)
}
