package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// inert takes from a text of people and tools what a vendor's markdown would make
// something of: mentions, links, fonts. Lines become one.
func inert(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == '\u202e', r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(markup.Replace(s))
}

// markup becomes what looks like it.
var markup = strings.NewReplacer("<", "＜", ">", "＞", "[", "［", "]", "］", "*", "＊", "~", "～", "@", "＠", "](", "］（", "![", "！［", "`", "'")

// clip shortens s to at most n runes, the last of them an ellipsis.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// clips are the lengths that each text of a message may have, the most generous first:
// with the last one any message fits into the smallest body.
var clips = []int{400, 200, 120, 80, 40, 25}

// fitting returns the most generous message that is not too long.
func fitting(limit int, render func(clip int) string) string {
	text := ""
	for _, n := range clips {
		if text = render(n); len(text) <= limit {
			return text
		}
	}
	for len(text) > limit-len("…") { // no message of ours, but no vendor should see a torn rune
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text + "…"
}

// clipped returns a card whose texts are inert and at most n runes long.
func (c card) clipped(n int) card {
	c.title = clip(inert(c.title), n)
	lines := make([]line, len(c.lines))
	for i, l := range c.lines {
		lines[i] = line{l.label, clip(inert(l.text), n)}
	}
	c.lines = lines
	return c
}
