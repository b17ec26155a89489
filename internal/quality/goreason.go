package quality

import (
	"strings"

	"github.com/shiplock/shiplock/internal/diagnose"
)

// goReason finds out from its output why a Go test failed: a panic or a race, else
// what it reported with t.Error and the like, else its last words.
type goReason struct {
	crash  string
	placed bool // the crash has its place
	report string
	words  string
}

func (r *goReason) String() string {
	for _, why := range []string{r.crash, r.report, r.words} {
		if why != "" {
			return why
		}
	}
	return ""
}

func (r *goReason) hear(line string, roots diagnose.Roots) {
	text := strings.TrimSpace(line)
	switch {
	case text == "", strings.HasPrefix(text, "--- "), strings.HasPrefix(text, "===="):
	case r.crash != "":
		if place, ok := roots.Place(line); ok && !r.placed {
			r.crash, r.placed = clip(place+": "+r.crash, maxMessage), true
		}
	case isGoCrash(text):
		text, _, _ = strings.Cut(text, " [recovered")
		r.crash = clip(text, maxMessage)
	case isGoReport(text):
		// t.Log looks the same, so what does not sound like a failure gives way.
		if !blames(r.report) {
			r.report = clip(text, maxMessage)
		}
	case r.continues(text):
		r.report = clip(r.report+" "+strings.Join(strings.Fields(strings.TrimPrefix(text, "Error:")), " "), maxMessage)
	case r.report == "":
		r.words = clip(diagnose.Unstamped(text), maxMessage)
	}
}

// continues reports whether a line goes on with a report that has not said it yet,
// such as those of testify.
func (r *goReason) continues(text string) bool {
	if strings.HasPrefix(text, "actual") {
		return strings.Contains(r.report, "expected:") && !strings.Contains(r.report, "actual")
	}
	return strings.HasSuffix(r.report, ":") && len(r.report) < maxMessage && !strings.HasPrefix(text, "Error Trace:") && !isPath(text)
}

func isPath(text string) bool { return !strings.Contains(text, " ") && strings.Contains(text, ".go:") }

func isGoCrash(text string) bool {
	return strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") || text == "WARNING: DATA RACE"
}

// isGoReport matches "shop_test.go:7: text" of t.Error, t.Fatal, t.Log and t.Skip.
func isGoReport(text string) bool {
	file, rest, ok := strings.Cut(text, ".go:")
	number, _, colon := strings.Cut(rest, ":")
	return ok && colon && number != "" && strings.Trim(number, "0123456789") == "" && !strings.Contains(file, " ")
}

// blames reports whether a report sounds like one of a failure.
func blames(report string) bool {
	report = strings.ToLower(report)
	for _, word := range []string{"want", "expect", "error", "fail", "mismatch", "not ", "got", "invalid", "missing", "wrong", "unexpected", "should"} {
		if strings.Contains(report, word) {
			return true
		}
	}
	return false
}
