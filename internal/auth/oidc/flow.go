package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// FlowLife is how long a log-in at the provider may take.
const FlowLife = 10 * time.Minute

// flow is a log-in under way.
type flow struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Issuer   string    `json:"issuer"`
	Next     string    `json:"next"`
	Expires  time.Time `json:"expires"`
}

// sealer seals flows for cookies: who has the cookie can neither read nor change it.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	sum := sha256.Sum256(append([]byte("oidc flow\x00"), key...))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

func (s sealer) seal(f flow) (string, error) {
	text, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("encode a log-in: %w", err)
	}
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, text, nil)), nil
}

func (s sealer) open(cookie string) (f flow, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || len(sealed) < s.aead.NonceSize() {
		return f, errStrange
	}
	text, err := s.aead.Open(nil, sealed[:s.aead.NonceSize()], sealed[s.aead.NonceSize():], nil)
	if err != nil || json.Unmarshal(text, &f) != nil {
		return f, errStrange
	}
	return f, nil
}

// check tells whether an answer belongs to the flow.
func (f flow) check(now time.Time, issuer, answered string) error {
	switch {
	case now.After(f.Expires):
		return delivery.E(delivery.Denied, "the log-in took too long: begin again")
	case f.Issuer != issuer:
		return errStrange // it was begun at another provider
	case !same(f.State, answered):
		return errStrange
	}
	return nil
}

// same compares in constant time. What is empty is the same as nothing.
func same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

var errStrange = delivery.E(delivery.Denied, "this log-in was not begun in this browser, or was ended before: begin again")

// maxSpent bounds the states that are remembered; a flow that is older than all of them
// has expired long before, unless somebody floods.
const maxSpent = 10_000

// spent remembers the flows that have ended, so that none ends twice.
type spent struct {
	mu   sync.Mutex
	till map[[sha256.Size]byte]time.Time
}

// spend is false for a flow that was spent before.
func (s *spent) spend(f flow, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, till := range s.till {
		if now.After(till) || len(s.till) >= maxSpent {
			delete(s.till, k)
		}
	}
	k := sha256.Sum256([]byte(f.State))
	if _, before := s.till[k]; before {
		return false
	}
	s.till[k] = f.Expires
	return true
}
