package standard

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// version is major and minor; a minor of -1 was not written.
type version struct{ major, minor int }

func (v version) compare(o version) int {
	if v.major != o.major {
		return v.major - o.major
	}
	return max(v.minor, 0) - max(o.minor, 0)
}

// atLeast tells whether v will do for o: a minor that v does not write is any.
func (v version) atLeast(o version) bool {
	if v.major != o.major || v.minor < 0 {
		return v.major >= o.major
	}
	return v.minor >= o.minor
}

var versionText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[vV=]?\s*(\d{1,4})(?:\.(\d{1,4}|[xX*])(?:[.+-].*)?|[+-].*)?$`)
})

// parseVersion reads "20" and "v20.11.0"; "1.26rc1" is none.
func parseVersion(s string) (version, bool) {
	m := versionText().FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return version{}, false
	}
	v := version{minor: -1}
	v.major, _ = strconv.Atoi(m[1]) // four digits
	if n, err := strconv.Atoi(m[2]); err == nil {
		v.minor = n
	}
	return v, true
}

// ranges reads a range of npm or Composer as far as major and minor go: "^20",
// ">=18 <21", "18 || 20", "^7.4 || ^8.0", "20.x", "18 - 20". ok is false when it says
// nothing that is understood.
func ranges(s string) (fits func(version) bool, ok bool) {
	var any []func(version) bool
	for _, part := range strings.FieldsFunc(strings.ReplaceAll(s, "||", "|"), func(r rune) bool { return r == '|' }) {
		all, known := comparators(part)
		if !known {
			return nil, false
		}
		any = append(any, func(v version) bool {
			for _, c := range all {
				if !c(v) {
					return false
				}
			}
			return true
		})
	}
	return func(v version) bool {
		for _, c := range any {
			if c(v) {
				return true
			}
		}
		return false
	}, len(any) > 0
}

var comparator = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(>=|<=|>|<|\^|~|=|!=)?\s*([vV]?\d[\w.*+-]*|\*|[xX])`)
})

func comparators(part string) (all []func(version) bool, known bool) {
	part = strings.TrimSpace(part)
	if low, high, hyphen := strings.Cut(part, " - "); hyphen {
		part = ">=" + strings.TrimSpace(low) + " <=" + strings.TrimSpace(high)
	}
	part = strings.ReplaceAll(part, ",", " ")
	if strings.TrimSpace(comparator().ReplaceAllString(part, "")) != "" {
		return nil, false
	}
	for _, m := range comparator().FindAllStringSubmatch(part, -1) {
		if m[2] == "*" || m[2] == "x" || m[2] == "X" {
			all = append(all, func(version) bool { return true })
			continue
		}
		v, ok := parseVersion(m[2])
		if !ok {
			return nil, false
		}
		whole := strings.Count(m[2], ".") < 2 || strings.Contains(m[2], "*") || strings.Contains(m[2], "x")
		all = append(all, compare(m[1], v, whole))
	}
	return all, len(all) > 0
}

// compare makes one comparator. whole says that no patch is written, so that "<21"
// and "<=20" are about all of a version.
func compare(op string, want version, whole bool) func(version) bool {
	same := func(v version) bool {
		return v.major == want.major && (want.minor < 0 || v.minor < 0 || v.minor == want.minor)
	}
	switch op {
	case ">=":
		return func(v version) bool { return v.atLeast(want) }
	case ">":
		return func(v version) bool { return v.atLeast(want) && !(whole && same(v)) }
	case "<":
		return func(v version) bool {
			return !v.atLeast(want) || !whole && same(v) || v.minor < 0 && want.minor > 0 && same(v)
		}
	case "<=":
		return func(v version) bool { return !v.atLeast(want) || same(v) }
	case "^":
		return func(v version) bool { return v.major == want.major && v.atLeast(want) }
	case "~":
		return func(v version) bool { return same(v) || v.major == want.major && want.minor < 0 }
	case "!=":
		return func(v version) bool { return !same(v) }
	}
	return same
}
