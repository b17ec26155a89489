// Package quality reads what tests say on their standard output, and the report
// files that tools leave about tests and coverage.
//
// A Reader is fed line by line while the tests run. It answers with what a
// person should see of the line, and sums up at the end. It never fails: what it
// does not understand is shown as it is. Reports reads files as streams, and says
// what is wrong with one. The memory of both is bounded, whatever they are fed.
package quality

import (
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// Formats of test results on standard output.
const (
	GoTestJSON = "go-test-json" // go test -json
	TAP        = "tap"          // Test Anything Protocol 13 and 14, as of node --test
)

// Bounds of what is kept.
const (
	maxFailures = 10
	maxMessage  = 300     // bytes of one failure's message
	maxName     = 200     // bytes of one test's name
	maxTracked  = 1 << 14 // tests in progress
)

// Reader reads one format.
type Reader interface {
	// Line takes one line without its end and returns what to show for it; show is
	// false when there is nothing.
	Line(line string) (text string, show bool)
	// End returns what is left to show after the last line.
	End() []string
	// Summary is the result so far; nil when no test was seen.
	Summary() *delivery.Tests
}

// NewReader returns a Reader of a format, or nil for an unknown one. Failures name
// places below roots relative to them.
func NewReader(format string, roots diagnose.Roots) Reader {
	switch format {
	case GoTestJSON:
		return newGoTest(roots)
	case TAP:
		return newTAP(roots)
	}
	return nil
}

// tally counts leaf tests: a test with subtests is its subtests.
type tally struct{ delivery.Tests }

func (t *tally) fail(name, message string) {
	t.Failed++
	if len(t.Failures) < maxFailures {
		t.Failures = append(t.Failures, delivery.TestFailure{Name: clip(name, maxName), Message: clip(message, maxMessage)})
	}
}

func (t *tally) Summary() *delivery.Tests {
	if t.Passed+t.Failed+t.Skipped == 0 {
		return nil
	}
	sum := t.Tests
	return &sum
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	return s[:n] + "…"
}
