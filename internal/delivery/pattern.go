package delivery

import (
	"path"
	"strings"
)

// PathPattern is a pattern of files, cut at its slashes: as of path.Match, and "**"
// stands for any folders, also for none.
type PathPattern []string

// NewPathPattern cuts a pattern.
func NewPathPattern(pattern string) PathPattern { return strings.Split(pattern, "/") }

// AnyFolders is the part of a PathPattern that stands for any folders.
const AnyFolders = "**"

// Matches tells whether the pattern names a file, given by the parts of its path.
// Only the last "**" needs to be tried again, so the work is bounded by the product
// of the lengths.
func (g PathPattern) Matches(file []string) bool {
	star, from := -1, 0
	i, k := 0, 0
	for k < len(file) {
		switch {
		case i < len(g) && g[i] == AnyFolders:
			star, from = i, k
			i++
		case i < len(g) && MatchName(g[i], file[k]):
			i++
			k++
		case star >= 0:
			from++
			i, k = star+1, from
		default:
			return false
		}
	}
	return i == len(g)
}

// MatchName matches one part of a path.
func MatchName(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// MatchBranch tells whether a branch fits a pattern, in which "*" stands for any
// characters, also for "/" and for none.
func MatchBranch(pattern, branch string) bool {
	first, pattern, starred := strings.Cut(pattern, "*")
	rest, ok := strings.CutPrefix(branch, first)
	if !ok || !starred {
		return ok && rest == ""
	}
	for {
		part, after, more := strings.Cut(pattern, "*")
		if !more {
			return strings.HasSuffix(rest, part)
		}
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest, pattern = rest[i+len(part):], after
	}
}
