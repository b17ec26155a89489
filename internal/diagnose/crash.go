package diagnose

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// Crash is what is known of an app that does not serve.
type Crash struct {
	// Code of the Cause, which is stable like the constants of this package.
	Code string
	// Reason is one line of whoever runs the app.
	Reason string
	// Exited: the app's process has ended, so its last words are the cause.
	Exited bool
	// Exit is the exit code, or minus the signal; nil when it is not known.
	Exit *int
	// Output is the end of what the app wrote, perhaps over several starts.
	Output []string
	Roots  Roots
	Args   map[string]string
}

// Cause words the crash.
func (c Crash) Cause() delivery.Cause {
	said := c.lastStart()
	args := delivery.Args{"reason": c.Roots.Trim(Line(c.Reason))}
	maps.Copy(args, c.Args)
	if c.Exit != nil {
		args["exit"] = strconv.Itoa(*c.Exit)
	}
	words := said.Main()
	done := c.Exit != nil && *c.Exit <= 0 // its last words need not be an error
	ended := c.Exited && (said.Found() || !done)
	broken := said.top == telling && strings.Contains(c.Reason, " answered 5") // as it says itself
	if words != "" && (ended || broken) {
		args["error"] = words
	}
	c.advise(args, words, said.missing)
	out := delivery.Because(c.Code, args)
	out.Exit, out.Evidence = c.Exit, said.Errors()
	return out
}

const sigkill = -9

func (c Crash) advise(args delivery.Args, words, tool string) {
	switch {
	case tool != "" && c.Exit != nil && *c.Exit == 127:
		args["tool"], args[phrase.AdviceArg] = tool, "tool."+tool
		if !phrase.Known("tool." + tool) {
			args[phrase.AdviceArg] = "app.tool"
		}
	case c.Exit != nil && *c.Exit == sigkill:
		args[phrase.AdviceArg] = "app.memory"
	default:
		advise(args, words, running)
		advise(args, args["reason"], running) // what we saw goes before what it says
	}
}

// lastStart samples what the app wrote since its last start.
func (c Crash) lastStart() *Sample {
	all := make([]string, 0, len(c.Output))
	for _, line := range c.Output {
		if line = spoken(Unstamped(plain(line))); strings.TrimSpace(line) != "" {
			all = append(all, line)
		}
	}
	recent, whole := &Sample{Roots: c.Roots, Latest: true}, &Sample{Roots: c.Roots, Latest: true}
	for i, line := range all {
		whole.Add(line)
		if i >= start(all) {
			recent.Add(line)
		}
	}
	if recent.top < whole.top && !recent.Found() {
		return whole
	}
	return recent
}

// start returns where the last start's lines begin. An app that crashes again and
// again ends on the same line each time.
func start(lines []string) int {
	if len(lines) == 0 {
		return 0
	}
	same := func(line string) string { return strings.Map(noDigit, line) }
	end := len(lines) - 1
	last := same(lines[end])
	for i, line := range slices.Backward(lines[:end]) {
		if same(line) == last {
			return i + 1
		}
	}
	return 0
}

// noDigit drops what differs between starts, such as ports.
func noDigit(r rune) rune {
	if '0' <= r && r <= '9' {
		return -1
	}
	return r
}

// spoken takes the message and the error out of a structured line of a log.
func spoken(line string) string {
	var fields map[string]any
	switch {
	case strings.HasPrefix(line, "{"):
		if json.Unmarshal([]byte(line), &fields) != nil {
			return line
		}
	case strings.HasPrefix(line, "time="), strings.HasPrefix(line, "level="), strings.HasPrefix(line, "ts="):
		fields = logfmt(line)
	default:
		return line
	}
	var parts []string
	for _, names := range [][]string{{"msg", "message"}, {"err", "error"}} {
		for _, name := range names {
			if text, ok := fields[name].(string); ok && text != "" {
				parts = append(parts, text)
				break
			}
		}
	}
	if len(parts) == 0 {
		return line
	}
	return plain(strings.Join(parts, ": "))
}

// logfmt reads name=value and name="quoted value".
func logfmt(line string) map[string]any {
	fields := map[string]any{}
	for line != "" {
		name, rest, ok := strings.Cut(line, "=")
		if !ok {
			break
		}
		value, err := strconv.QuotedPrefix(rest)
		if err == nil {
			fields[name], _ = strconv.Unquote(value)
		} else {
			value, _, _ = strings.Cut(rest, " ")
			fields[name] = value
		}
		line = strings.TrimLeft(rest[len(value):], " ")
	}
	return fields
}
