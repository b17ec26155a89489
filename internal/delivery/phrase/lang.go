package phrase

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Lang is a language that Shiplock speaks.
type Lang string

const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// Colon stands between what happened and why.
func Colon(l Lang) string {
	if l == Chinese {
		return "："
	}
	return ": "
}

// ParseLang reads a language or a locale: "zh", "zh-Hans-CN", "zh_CN.UTF-8", "en".
// The locales C and POSIX are English.
func ParseLang(s string) (Lang, bool) {
	s, _, _ = strings.Cut(strings.TrimSpace(s), ".")
	s, _, _ = strings.Cut(s, "@")
	s, _, _ = strings.Cut(strings.ReplaceAll(s, "_", "-"), "-")
	switch strings.ToLower(s) {
	case "zh":
		return Chinese, true
	case "en", "c", "posix":
		return English, true
	}
	return English, false
}

// FromEnvironment is the language that a person's environment asks for, as POSIX
// has it: the first of LC_ALL, LC_MESSAGES and LANG that is set decides.
func FromEnvironment(getenv func(string) string) Lang {
	l, _ := ParseLang(cmp.Or(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")))
	return l
}

// Accepted picks the language that an Accept-Language header (RFC 9110, 12.5.4)
// likes best; false when it names none of ours.
func Accepted(header string) (Lang, bool) {
	type choice struct {
		lang   Lang
		weight float64
	}
	var choices []choice
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(part, ";")
		l, ok := ParseLang(tag)
		if !ok {
			continue
		}
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			weight, _ = strconv.ParseFloat(q, 64) // what cannot be read weighs nothing
		}
		if weight > 0 {
			choices = append(choices, choice{l, weight})
		}
	}
	if len(choices) == 0 {
		return English, false
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.weight, a.weight) })
	return choices[0].lang, true
}
