package phrase

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// part is a piece of a template: a literal, an argument, or an optional group.
type part struct {
	literal   string
	arg       string
	one, many string // the noun after a number
	ours      bool   // the argument is text of ours
	group     []part
}

// parse splits a template. It panics on a broken one: they are constants.
func parse(template string) []part {
	parts, rest := parseUntil(template, false)
	if rest != "" {
		panic("phrase: unbalanced template: " + template)
	}
	return parts
}

func parseUntil(s string, inGroup bool) (parts []part, rest string) {
	for s != "" {
		i := strings.IndexAny(s, "{«»")
		switch {
		case i < 0:
			return append(parts, part{literal: s}), ""
		case i > 0:
			parts = append(parts, part{literal: s[:i]})
		}
		at, size := utf8.DecodeRuneInString(s[i:])
		s = s[i+size:]
		switch at {
		case '»':
			if !inGroup {
				return parts, "»" + s
			}
			return parts, s
		case '«':
			var group []part
			group, s = parseUntil(s, true)
			parts = append(parts, part{group: group})
		case '{':
			name, after, ok := strings.Cut(s, "}")
			if !ok {
				return parts, "{" + s
			}
			parts, s = append(parts, argument(name)), after
		}
	}
	return parts, ""
}

// argument reads what is between braces.
func argument(s string) part {
	s, ours := strings.CutPrefix(s, "@")
	name, nouns, _ := strings.Cut(s, " ")
	one, many, _ := strings.Cut(nouns, "|")
	return part{arg: name, one: one, many: many, ours: ours}
}

// fill words the parts; false when an argument outside of a group is missing.
func fill(parts []part, l Lang, args map[string]string) (string, bool) {
	text := ""
	for _, p := range parts {
		switch {
		case p.group != nil:
			if said, ok := fill(p.group, l, args); ok {
				text = joint(text, said)
			}
			continue
		case p.arg == "":
			text = joint(text, p.literal)
			continue
		}
		value := args[p.arg]
		if value == "" {
			return "", false
		}
		if p.ours {
			value = In(l, value)
		}
		text = joint(text, value+p.noun(value))
	}
	return text, true
}

// joint joins two pieces, with a space between Chinese and Latin as is usual in print.
func joint(a, b string) string {
	last, _ := utf8.DecodeLastRuneInString(a)
	first, _ := utf8.DecodeRuneInString(b)
	if unicode.Is(unicode.Han, last) && latin(first) || latin(last) && unicode.Is(unicode.Han, first) {
		return a + " " + b
	}
	return a + b
}

func latin(r rune) bool { return r < unicode.MaxLatin1 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

func (p part) noun(value string) string {
	switch {
	case p.one == "":
		return ""
	case value == "1":
		return " " + p.one
	}
	return " " + p.many
}

// match finds the arguments with which the parts make the text. Of several ways it
// takes the one with the shortest arguments, from the left.
func match(parts []part, text string, args map[string]string) bool {
	if len(parts) == 0 {
		return text == ""
	}
	p, rest := parts[0], parts[1:]
	switch {
	case p.group != nil:
		return match(join(p.group, rest), text, args) || match(rest, text, args)
	case p.arg == "":
		after, ok := strings.CutPrefix(text, p.literal)
		return ok && match(rest, after, args)
	}
	for end := 1; end <= len(text); end++ {
		if len(rest) > 0 && rest[0].literal != "" && p.one == "" {
			i := strings.Index(text[end:], rest[0].literal)
			if i < 0 {
				return false
			}
			end += i
		} else if len(rest) == 0 && p.one == "" {
			end = len(text)
		}
		if p.takes(text[:end], args) && match(rest, text[end:], args) {
			return true
		}
	}
	return false
}

// takes notes a value, unless the argument cannot have it.
func (p part) takes(text string, args map[string]string) bool {
	if p.one != "" {
		value, ok := strings.CutSuffix(text, " "+p.one)
		if !ok {
			if value, ok = strings.CutSuffix(text, " "+p.many); !ok {
				return false
			}
		}
		text = value
	}
	args[p.arg] = text
	return true
}

func join(a, b []part) []part { return append(append(make([]part, 0, len(a)+len(b)), a...), b...) }
