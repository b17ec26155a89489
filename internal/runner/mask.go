package runner

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

const (
	// minSecret is the shortest text worth hiding: "no" or "1" would blot out
	// the log and protect nothing.
	minSecret = 4
	blot      = "***"
)

// masker replaces secrets, as they are and in common encodings.
type masker struct {
	patterns [256][]string // by first byte
	longest  int
}

func newMasker(secrets []string) *masker {
	m := &masker{}
	for _, secret := range secrets {
		m.add(encodings(strings.TrimSpace(secret)))
		for line := range strings.Lines(secret) { // the log is seen line by line
			m.add(encodings(strings.TrimSpace(line)))
		}
	}
	return m
}

func (m *masker) add(patterns []string) {
	for _, p := range patterns {
		if len(p) < minSecret || strings.Contains(p, "\n") {
			continue
		}
		if list := &m.patterns[p[0]]; !slices.Contains(*list, p) {
			*list = append(*list, p)
			m.longest = max(m.longest, len(p))
		}
	}
}

func encodings(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	quoted, _ := json.Marshal(secret) // a string always has one
	list := []string{secret, string(quoted[1 : len(quoted)-1]), url.QueryEscape(secret), url.PathEscape(secret)}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		list = append(list, e.EncodeToString([]byte(secret)))
		for shift := range 3 {
			list = append(list, inBase64(e, secret, shift))
		}
	}
	return list
}

// inBase64 is the part of an encoding that depends on the secret alone, wherever
// it stands in the encoded text: shift is its offset there, modulo 3.
func inBase64(e *base64.Encoding, secret string, shift int) string {
	encoded := e.EncodeToString(append(make([]byte, shift), secret...))
	from := (8*shift + 5) / 6
	to := 8 * (shift + len(secret)) / 6
	if to-from < 2*minSecret { // by chance in other text
		return ""
	}
	return encoded[from:to]
}

// mask returns the first limit bytes of s without secrets. A secret that begins
// before the limit is hidden also when it ends behind it.
func (m *masker) mask(s string, limit int) string {
	if m.longest == 0 {
		return s[:min(limit, len(s))]
	}
	var b strings.Builder
	kept, hidden := 0, 0 // s[:kept] is dealt with; a secret reaches up to hidden
	for i := 0; i < min(limit, len(s)); i++ {
		end := i + m.at(s[i:])
		if end == i {
			continue
		}
		if i >= hidden { // overlapping secrets make one blot
			b.WriteString(s[kept:i])
			b.WriteString(blot)
		}
		hidden = max(hidden, end)
		kept = hidden
	}
	if kept < min(limit, len(s)) {
		b.WriteString(s[kept:min(limit, len(s))])
	}
	return b.String()
}

// at returns the length of the longest secret that s begins with.
func (m *masker) at(s string) int {
	n := 0
	for _, p := range m.patterns[s[0]] {
		if len(p) > n && strings.HasPrefix(s, p) {
			n = len(p)
		}
	}
	return n
}

func (m *masker) text(s string) string { return m.mask(s, len(s)) }
