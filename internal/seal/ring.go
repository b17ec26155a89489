package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// keySize is of AES-256, in bytes.
const keySize = 32

// ring holds master keys in memory, the newest first.
type ring []masterKey

type masterKey struct {
	name string
	box  cipher.AEAD
	text string // base64, as it is written down
}

// newKey makes a key of its bytes. Its name is derived from them, so that a wrong key
// is told from a missing one.
func newKey(secret []byte) (masterKey, error) {
	if len(secret) != keySize {
		return masterKey{}, fmt.Errorf("a master key has %d bytes, and this one %d", keySize, len(secret))
	}
	box, err := newBox(secret)
	sum := sha256.Sum256(append([]byte("shiplock master key\x00"), secret...))
	return masterKey{name: "k" + hex.EncodeToString(sum[:6]), box: box, text: base64.StdEncoding.EncodeToString(secret)}, err
}

func freshKey() (masterKey, error) {
	secret := make([]byte, keySize)
	rand.Read(secret)
	return newKey(secret)
}

// parseKey reads a key in base64. Its errors do not repeat it.
func parseKey(text string) (masterKey, error) {
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return masterKey{}, errors.New("a master key is 32 random bytes in base64, as `openssl rand -base64 32` prints them")
	}
	return newKey(secret)
}

func newBox(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (r ring) find(name string) (masterKey, error) {
	i := slices.IndexFunc(r, func(k masterKey) bool { return k.name == name })
	if i < 0 {
		return masterKey{}, fmt.Errorf("%s: %w", name, ErrUnknownKey)
	}
	return r[i], nil
}

func (r ring) wrap(name string, data, bound []byte) ([]byte, error) {
	k, err := r.find(name)
	if err != nil {
		return nil, err
	}
	return k.box.Seal(nil, nil, data, bound), nil
}

func (r ring) unwrap(name string, wrapped, bound []byte) ([]byte, error) {
	k, err := r.find(name)
	if err != nil {
		return nil, err
	}
	return k.box.Open(nil, nil, wrapped, bound)
}

// Given are master keys that the operator gives, such as by an environment variable.
type Given struct{ keys ring }

// ParseGiven reads master keys in base64 with spaces between them, the newest first.
func ParseGiven(text string) (*Given, error) {
	g := &Given{}
	for _, word := range strings.Fields(text) {
		k, err := parseKey(word)
		if err != nil {
			return nil, delivery.E(delivery.Invalid, err.Error())
		}
		g.keys = append(g.keys, k)
	}
	if len(g.keys) == 0 {
		return nil, delivery.E(delivery.Invalid, "no master key is given")
	}
	return g, nil
}

// Wrap implements Keys.
func (g *Given) Wrap(_ context.Context, key string, data, bound []byte) ([]byte, error) {
	return g.keys.wrap(key, data, bound)
}

// Unwrap implements Keys.
func (g *Given) Unwrap(_ context.Context, key string, wrapped, bound []byte) ([]byte, error) {
	return g.keys.unwrap(key, wrapped, bound)
}

// Newest implements Keys.
func (g *Given) Newest(context.Context) (string, error) { return g.keys[0].name, nil }

// Make implements Keys: the operator is the one who makes them.
func (g *Given) Make(ctx context.Context) (string, error) { return g.Newest(ctx) }

// Retire implements Keys: the operator lets go of them.
func (g *Given) Retire(context.Context, string) error { return nil }
