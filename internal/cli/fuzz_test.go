package cli

import (
	"strings"
	"testing"
	"unicode"

	"github.com/shiplock/shiplock/internal/delivery"
)

// FuzzNeutral: foreign text cannot write to the clipboard, move the cursor, ring,
// or reorder what is shown; colours alone pass, in lines of a log.
func FuzzNeutral(f *testing.F) {
	for _, s := range []string{
		"plain\ttext", "\x1b[31mred\x1b[0m", "\x1b]52;c;aGk=\x07", "\x1b]0;title\x1b\\", "\x1b[2J\x1b[1;1H", "\u009b31m", "\a\b\v\f\x7f\u0085",
		"\u202egnp.exe\u2066", "\x1b\x1b[31m[2J", "\x1b[\x1b[0m2J", "\x1bP1$r\x1b\\", "\xff\x1b", "\x1b[38:2::1:2:3m", "\u200f\u061c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		shown := neutral(s)
		if neutral(shown) != shown && !strings.Contains(shown, "\x1b") {
			t.Errorf("%q is neutral as %q, but not twice", s, shown)
		}
		for i, part := range strings.Split(shown, "\x1b") {
			if i > 0 && !colour.MatchString("\x1b"+part[:strings.IndexByte(part+"m", 'm')]+"m") {
				t.Errorf("%q leaves the sequence %q", s, part)
			}
			if at := strings.IndexFunc(part, forbidden); at >= 0 {
				t.Errorf("%q leaves %q", s, part[at:])
			}
		}
		if strings.Contains(shown, "\x1b") && !strings.HasSuffix(shown, "\x1b[0m") {
			t.Errorf("%q leaves its colour on", s)
		}
		cause := (&console{}).causeLines(&delivery.Cause{Text: s, Evidence: []string{s}, Next: s, Step: s})
		for _, line := range append(cause, word(s)) {
			if strings.ContainsFunc(line, func(r rune) bool { return forbidden(r) || r == '\t' || r == '\x1b' }) {
				t.Errorf("%q becomes %q", s, line)
			}
		}
	})
}

// forbidden is written down anew here, by category: Cc, and Unicode's Bidi_Control.
func forbidden(r rune) bool {
	return r != '\t' && r != '\x1b' && unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r)
}
