package quality

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/diagnose"
)

// goEvent is a line of go test -json; see go doc cmd/test2json and go help
// buildjson.
type goEvent struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Output      string
	FailedBuild string
}

type goTest struct {
	tally
	roots   diagnose.Roots
	running map[goKey]*goRunning
	partial map[goKey]string // output without a line's end yet
}

type goKey struct{ pkg, test string }

// goRunning is a test that has begun and not ended.
type goRunning struct {
	parent bool // it has subtests, which count instead of it
	failed bool // one of them failed
	why    goReason
}

func newGoTest(roots diagnose.Roots) *goTest {
	return &goTest{roots: roots, running: map[goKey]*goRunning{}, partial: map[goKey]string{}}
}

func (g *goTest) Line(line string) (string, bool) {
	var e goEvent
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		return line, true
	}
	k := goKey{e.Package + e.ImportPath, e.Test}
	switch e.Action {
	case "output", "build-output":
		return g.output(k, e.Output)
	case "run":
		g.begin(k)
	case "pass", "fail", "skip":
		if e.Test == "" {
			g.endPackage(k.pkg, e.Action, e.FailedBuild != "")
		} else {
			g.end(k, e.Action)
		}
		return g.flush(k)
	}
	return "", false
}

// output shows whole lines only, and not the framing that -json adds.
func (g *goTest) output(k goKey, text string) (string, bool) {
	text = g.partial[k] + text
	delete(g.partial, k)
	line, ended := strings.CutSuffix(text, "\n")
	if !ended && len(line) < 4<<10 && len(g.partial) < maxTracked {
		g.partial[k] = line
		return "", false
	}
	if strings.HasPrefix(line, "=== ") {
		return "", false
	}
	if r := g.running[k]; r != nil {
		r.why.hear(line, g.roots)
	}
	return line, true
}

func (g *goTest) flush(k goKey) (string, bool) {
	line, ok := g.partial[k]
	delete(g.partial, k)
	return line, ok && line != ""
}

func (g *goTest) begin(k goKey) {
	if len(g.running) >= maxTracked {
		return
	}
	g.running[k] = &goRunning{}
	if i := strings.LastIndexByte(k.test, '/'); i > 0 {
		if p := g.running[goKey{k.pkg, k.test[:i]}]; p != nil {
			p.parent = true
		}
	}
}

func (g *goTest) end(k goKey, action string) {
	r := g.running[k]
	if r == nil {
		r = &goRunning{}
	}
	delete(g.running, k)
	if action == "fail" {
		for i := len(k.test) - 1; i > 0; i-- {
			if p := g.running[goKey{k.pkg, k.test[:i]}]; k.test[i] == '/' && p != nil {
				p.failed = true
			}
		}
	}
	switch {
	case action == "fail" && !r.failed:
		g.fail(k.test, g.roots.Trim(r.why.String()))
	case r.parent:
	case action == "pass":
		g.Passed++
	case action == "skip":
		g.Skipped++
	}
}

// endPackage settles tests that a dying test binary left without a result. A
// package that did not build is a compiler's matter, not a failed test.
func (g *goTest) endPackage(pkg, action string, unbuilt bool) {
	var left []goKey
	for k := range maps.Keys(g.running) {
		if k.pkg == pkg {
			left = append(left, k)
		}
	}
	// The deepest first, so that a subtest fails before its parent.
	slices.SortFunc(left, func(a, b goKey) int { return strings.Compare(b.test, a.test) })
	for _, k := range left {
		if action == "fail" && !unbuilt {
			g.end(k, "fail")
		}
		delete(g.running, k)
	}
}

func (g *goTest) End() []string {
	var rest []string
	keys := slices.SortedFunc(maps.Keys(g.partial), func(a, b goKey) int {
		return strings.Compare(a.pkg+"\x00"+a.test, b.pkg+"\x00"+b.test)
	})
	for _, k := range keys {
		rest = append(rest, g.partial[k])
	}
	clear(g.partial)
	return rest
}
