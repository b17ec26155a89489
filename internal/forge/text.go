package forge

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable drops control characters and broken UTF-8.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// Clip shortens s to at most n runes, the last of them an ellipsis.
func Clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// Line is a text from outside as one line of at most MaxText runes.
func Line(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return Clip(Printable(line), MaxText)
}

// Short is an error about a body from outside, which may quote all of it.
func Short(err error) error { return errors.New(Line(err.Error())) }
