package diagnose

import (
	"regexp"
	"strings"
	"sync"
)

// bundler reads how vite and webpack say that a build failed:
//
//	error during build:
//	src/main.js (1:9): "total" is not exported by "src/cart.js", imported by "src/main.js".
//	file: src/main.js:1:9
//
//	ERROR in ./src/index.js 1:0-33
//	Module not found: Error: Can't resolve './cart.js' in 'src'
type bundler struct {
	awaits bool   // the error is in a line to come
	place  string // its place, when that was said before
	said   *entry // the last error, which is said again and whose place may follow
}

// match finds the parts of a line that has a form, and a mark of it: of all the lines of
// a build few have that, and to look for it costs little.
func match(mark, expr string) func(string) []string {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
	return func(s string) []string {
		if !strings.Contains(s, mark) {
			return nil
		}
		return compiled().FindStringSubmatch(s)
	}
}

var (
	webpackHead  = match("ERROR in ", `^(?:\[\w+\] )?ERROR in (?:\./)?(\S+?)(?:[ :](\d+)(?:[:,](\d+)(?:-\S+)?)?)?$`)
	vitePlugin   = match("[plugin ", `^\[plugin [^\]]+\] (\S+:\d+:\d+)$`)
	rollupPlace  = match("): ", `^(\S+) \((\d+:\d+)\): (.+)$`)
	esbuildError = match(": ERROR: ", `^(\S+:\d+:\d+): ERROR: (.+)$`)
	// laterPlace is in a line of its own below the error: of rollup, rolldown and Sass.
	laterPlace = match(":", `^(?:file: |[^\w]*─\[ )(\S+:\d+:\d+)(?: \])?$|^\s+(\S+) (\d+:\d+) +root stylesheet$`)
)

// bundlerHeads are said between the head and the error, or again after it.
var bundlerHeads = []string{"Build failed with ", "Transform failed with ", "Module build failed (from "}

// line returns an error that a line is. ok: the line is a bundler's, and nothing else
// need look at it.
func (b *bundler) line(line string) (e *entry, ok bool) {
	if line == "error during build:" {
		*b = bundler{awaits: true}
		return nil, true
	}
	if m := webpackHead(line); m != nil {
		*b = bundler{awaits: true}
		if m[2] != "" {
			b.place = m[1] + ":" + m[2]
		} else if isScript(m[1]) {
			b.place = m[1]
		}
		return nil, true
	}
	if b.awaits {
		return b.awaited(line)
	}
	if b.said == nil {
		return nil, false
	}
	if m := laterPlace(line); m != nil && b.said.place == "" {
		if b.said.place = m[1]; m[2] != "" {
			b.said.place = m[2] + ":" + m[3]
		}
		return nil, true
	}
	return nil, strings.HasSuffix(line, b.said.text)
}

func (b *bundler) awaited(line string) (e *entry, ok bool) {
	if contains(line, bundlerHeads) {
		return nil, true
	}
	if m := vitePlugin(line); m != nil {
		b.place = m[1]
		return nil, true
	}
	text := strings.TrimSpace(line)
	for _, kind := range []string{"Error: ", "RolldownError: "} {
		text = strings.TrimPrefix(text, kind)
	}
	text = strings.Replace(text, "not found: Error: ", "not found: ", 1)
	for strings.HasPrefix(text, "[") { // [vite:css] [sass], [UNRESOLVED_IMPORT]
		_, rest, ok := strings.Cut(text, "]")
		if !ok {
			break
		}
		text = strings.TrimLeft(rest, ": ")
	}
	place := b.place
	if m := rollupPlace(text); m != nil {
		place, text = m[1]+":"+m[2], m[3]
	} else if m := esbuildError(text); m != nil {
		place, text = m[1], m[2]
	}
	text, _, _ = strings.Cut(text, " If you are using JSX, ")
	*b = bundler{said: &entry{place: place, text: plain(text)}}
	return b.said, true
}
