package forge

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

// MatchSecret compares what was sent with every secret in constant time; several
// may be valid while one is being replaced. Empty secrets never match.
func MatchSecret(sent string, secrets []string) bool {
	got := sha256.Sum256([]byte(sent))
	match := 0
	for _, s := range secrets {
		want := sha256.Sum256([]byte(s))
		equal := subtle.ConstantTimeCompare(got[:], want[:])
		if s != "" {
			match |= equal
		}
	}
	return match == 1
}

// MatchHexMAC tells whether sent is the hexadecimal HMAC-SHA256 of a body under one
// of the secrets, in constant time. Empty secrets never match.
func MatchHexMAC(sent string, body []byte, secrets []string) bool {
	got, err := hex.DecodeString(strings.TrimSpace(sent))
	if err != nil {
		return false
	}
	match := false
	for _, s := range secrets {
		equal := hmac.Equal(got, MAC([]byte(s), body))
		match = match || s != "" && equal
	}
	return match
}

// MAC is the HMAC-SHA256 of the parts, one after the other.
func MAC(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// maxID bounds a delivery's id, in bytes.
const maxID = 128

// ID returns the first of the named headers that can be an id, or "".
func ID(header http.Header, names ...string) string {
	for _, name := range names {
		if id := header.Get(name); id != "" && len(id) <= maxID && id == Printable(id) {
			return id
		}
	}
	return ""
}

// Digest identifies a delivery by its event and body when it has no id of its own.
func Digest(event string, body []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00", event)
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
