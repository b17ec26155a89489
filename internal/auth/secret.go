package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
)

// The prefixes tell secret scanners, and people, what they found.
const (
	tokenPrefix   = "slk_"
	sessionPrefix = "sls_"
	codePrefix    = "slc_"
)

// secretDigits is the length of 32 bytes in base 62.
const secretDigits = 43

// newSecret returns prefix and 32 random bytes in base 62.
func newSecret(prefix string) string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	digits := new(big.Int).SetBytes(b[:]).Text(62)
	return prefix + strings.Repeat("0", secretDigits-len(digits)) + digits
}

// Hash is what is kept of a secret.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewToken returns a fresh API token, for whoever sets an installation up by
// itself. It is worth nothing before its Hash is kept.
func NewToken() string { return newSecret(tokenPrefix) }

// IsToken tells whether a secret has the form of an API token; no other is one.
func IsToken(secret string) bool { return formed(tokenPrefix, secret) }

func formed(prefix, secret string) bool {
	return len(secret) == len(prefix)+secretDigits && strings.HasPrefix(secret, prefix)
}
