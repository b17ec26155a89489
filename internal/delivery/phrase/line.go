package phrase

import (
	"strings"
	"unicode"
)

// maxLine bounds what is said, in bytes.
const maxLine = 300

// Line makes a text one bounded line: breaks become spaces, other control
// characters go, and it is cut between characters.
func Line(text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		text = strings.TrimSpace(strings.Map(func(r rune) rune {
			switch {
			case r == '\n' || r == '\r' || r == '\t':
				return ' '
			case unicode.IsControl(r):
				return -1
			}
			return r
		}, text))
	}
	if len(text) <= maxLine {
		return text
	}
	n := maxLine - len("…")
	for n > 0 && text[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	return text[:n] + "…"
}
