package pods

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

// because makes a Cause of a code and the names and values of its arguments.
func because(code string, pairs ...string) *delivery.Cause {
	args := delivery.Args{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	c := delivery.Because(code, args)
	return &c
}

// longest bounds a line of a Cause, in bytes.
const longest = 300

// oneLine is what a component says, as part of a sentence.
func oneLine(said string) string {
	line := strings.TrimRight(strings.Join(strings.Fields(said), " "), ". ")
	if len(line) > longest {
		line = strings.ToValidUTF8(line[:longest], "") + "…"
	}
	return line
}

// lastLines are the end of what a container, or a component, said.
func lastLines(said string) []string {
	const most = 3
	var lines []string
	for line := range strings.Lines(said) {
		if line = oneLine(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-most):]
}

func exit(t corev1.ContainerStateTerminated) string { return strconv.Itoa(int(t.ExitCode)) }

// seen is when an event was last noticed: old and new sources note it differently.
func seen(e corev1.Event) time.Time {
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
