package said

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/diagnose"
)

// Line is what a component says, as part of a sentence: one line, bounded, without
// credentials and without a full stop.
func Line(words string) string {
	return diagnose.Line(strings.TrimRight(strings.Join(strings.Fields(words), " "), ". "))
}

// LastLines are the end of what a container, or a component, said: at most three.
func LastLines(words string) []string {
	const most = 3
	var lines []string
	for line := range strings.Lines(words) {
		if line = Line(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-most):]
}

// Seen is when an event was last noticed: old and new sources note it differently.
func Seen(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}

// has tells whether any of the parts is in the words, whatever their case.
func has(words string, parts ...string) bool {
	lower := strings.ToLower(words)
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(lower, part) })
}

// between returns what stands between two marks, the first time.
func between(words, before, after string) (string, bool) {
	_, rest, ok := strings.Cut(words, before)
	if !ok {
		return "", false
	}
	inner, _, ok := strings.Cut(rest, after)
	return inner, ok
}
