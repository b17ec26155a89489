package catalog

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/shiplock/shiplock/internal/delivery"
)

// report notes a fault of the field at a path such as "spec.stack".
type report func(path, msg string)

var (
	stackName    = pattern(`^[a-z]([-.a-z0-9]{0,61}[a-z0-9])?$`)
	variableName = pattern(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)
	labelKey     = pattern(`^[A-Za-z0-9]([-A-Za-z0-9_./]{0,126}[A-Za-z0-9])?$`)
	imageRef     = pattern(`^(\{registry\}/)?[a-z0-9][-a-z0-9._/:]*(@sha256:[0-9a-f]{64})?$`)

	repoURL  = pattern(`^(https?|ssh|git|file)://[^\s@]*(@?[^\s@]+)$`)
	repoSCP  = pattern(`^[\w.][-\w.]*@[\w.][-\w.]*:[^\s-]\S*$`)
	repoPath = pattern(`^[\w.][-\w.]*(/[\w.][-\w.]*)+$`)
)

// pattern is a regular expression that is compiled once it is needed: most programs
// that carry documents never check one, and a runner should start in no time.
func pattern(expr string) func(string) bool {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
	return func(s string) bool { return compiled().MatchString(s) }
}

func (bad report) err(path string, err error) {
	if err != nil {
		bad(path, err.Error())
	}
}

// within refuses a number outside of [low, high].
func (bad report) within(path string, n, low, high int) {
	if n < low || n > high {
		bad(path, fmt.Sprintf("%d is out of range: it must be %d to %d", n, low, high))
	}
}

// relative refuses a path that is not plainly inside of a folder.
func (bad report) relative(field, p string) {
	switch {
	case p == ".":
		bad(field, `"." is the default: remove the field`)
	case p == "" || path.IsAbs(p) || p != path.Clean(p) || p == ".." || strings.HasPrefix(p, "../") || strings.ContainsAny(p, "\\\x00"):
		bad(field, fmt.Sprintf(`%q is not a relative path: write it like services/shop, without "..", "." or a "/" at its ends`, clip(p)))
	}
}

// maxPaths bounds a list of paths.
const maxPaths = 50

// paths refuses a list of paths that are not all inside of the App's folder.
func (bad report) paths(field string, list []string) {
	if len(list) > maxPaths {
		bad(field, fmt.Sprintf("there are %d paths, and may be %d: name folders", len(list), maxPaths))
	}
	for i, p := range list {
		bad.relative(fmt.Sprintf("%s[%d]", field, i), p)
	}
}

// filePattern refuses what is no pattern of files inside of a folder.
func (bad report) filePattern(field, pattern string) {
	bad.relative(field, pattern)
	if _, err := path.Match(pattern, ""); err != nil {
		bad(field, fmt.Sprintf("%q is not a pattern of files: write it like web/**/*.ts", clip(pattern)))
	}
}

// branchPattern refuses what no branch can fit.
func (bad report) branchPattern(field, pattern string) {
	if pattern == "" || len(pattern) > 255 || strings.ContainsAny(pattern, " \t\n\x00~^:?[\\") || strings.Contains(pattern, "**") {
		bad(field, fmt.Sprintf("%q is not a pattern of branches: write a branch's name, in which * stands for any characters", clip(pattern)))
	}
}

// variables refuses those of an app or of a step, some of which are Shiplock's.
func (bad report) variables(path string, vars map[string]string) {
	bad.names(path, vars)
	for name := range vars {
		bad.given(keyOf(path, name), name)
	}
}

// given refuses the names of variables that are Shiplock's.
func (bad report) given(field, name string) {
	switch {
	case name == "PORT":
		bad(field, "PORT is given by Shiplock: remove it")
	case strings.HasPrefix(name, "SHIPLOCK_"):
		bad(field, "names that start with SHIPLOCK_ are given by Shiplock: choose another")
	}
}

// variable refuses what cannot name one of an app.
func (bad report) variable(field, name string) {
	if !variableName(name) {
		bad(field, fmt.Sprintf("%q cannot name a variable: use letters, digits and '_', not starting with a digit", clip(name)))
	}
	bad.given(field, name)
}

// names refuses what cannot be variables at all.
func (bad report) names(path string, vars map[string]string) {
	for name, value := range vars {
		switch {
		case !variableName(name):
			bad(keyOf(path, name), fmt.Sprintf("%q cannot name a variable: use letters, digits and '_', not starting with a digit", clip(name)))
		case strings.ContainsRune(value, 0):
			bad(join(path, name), "a variable cannot hold a NUL character")
		}
	}
}

func (bad report) labels(path string, labels map[string]string) {
	for key, value := range labels {
		if !labelKey(key) {
			bad(keyOf(path, key), fmt.Sprintf("%q cannot be a label: use letters, digits, '-', '_', '.' and '/'", clip(key)))
		}
		if len(value) > 255 || strings.ContainsAny(value, "\n\x00") {
			bad(join(path, key), "a label's value is one line of at most 255 characters")
		}
	}
}

// strategy reports each batch that cannot follow those before it.
func (bad report) strategy(path string, s delivery.Strategy) {
	for i := range s.Batches {
		if err := (delivery.Strategy{Batches: s.Batches[:i+1]}).Check(); err != nil {
			bad(fmt.Sprintf("%s.batches[%d]", path, i), err.Error())
			return
		}
	}
}

// repo refuses what git must not be given, and credentials.
func (bad report) repo(field, s string) {
	_, rest, isURL := strings.Cut(s, "://")
	authority, _, _ := strings.Cut(rest, "/")
	user, _, hasUser := strings.Cut(authority, "@")
	switch {
	case s == "":
		bad(field, "repo is missing: write a clone URL, or the forge's group/name")
	case hasUser && strings.Contains(user, ":"):
		bad(field, "a password does not belong into the catalog: remove it from the URL")
	case isURL && !repoURL(s), !isURL && !repoSCP(s) && !repoPath(s):
		bad(field, fmt.Sprintf("%q is not a repository: write a clone URL, or the forge's group/name", clip(s)))
	}
}

func (bad report) artifact(field string, kind delivery.ArtifactKind) {
	bad.oneOf(field, string(kind), string(delivery.ArtifactImage), string(delivery.ArtifactPackage))
}

func (bad report) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		bad(field, fmt.Sprintf("%q is not known here%s (%s)", clip(value), DidYouMean(value, allowed), strings.Join(allowed, ", ")))
	}
}
