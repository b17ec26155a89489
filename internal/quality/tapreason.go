package quality

import (
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/diagnose"
)

// tapReason reads why a test failed from the YAML block below its result, as far
// as node --test and its like write it.
type tapReason struct {
	message  string // "error:", or "message:" in other producers
	kind     string // "name:", such as TypeError
	place    string // of the first own stack frame
	location string // where the test begins
	code     string // "exitCode:" of a whole file

	block  string // the key whose text is on the lines below, deeper than indent
	indent int
}

func (r *tapReason) hear(line string, roots diagnose.Roots) {
	text := strings.TrimSpace(line)
	depth := len(line) - len(strings.TrimLeft(line, " "))
	if r.block != "" && (depth > r.indent || text == "") {
		r.more(text, roots)
		return
	}
	r.block = ""
	key, value, ok := strings.Cut(text, ":")
	if value = strings.TrimSpace(value); !ok {
		return
	}
	if value != "" && (value[0] == '|' || value[0] == '>') {
		r.block, r.indent = key, depth
		return
	}
	r.set(key, unquote(value), roots)
}

func (r *tapReason) set(key, value string, roots diagnose.Roots) {
	switch key {
	case "error", "message":
		if r.message == "" {
			r.message = clip(value, maxMessage)
		}
	case "name":
		r.kind = clip(value, maxName)
	case "location":
		r.location, _ = roots.Place(" at " + value)
	case "exitCode":
		r.code = clip(value, maxName)
	}
}

// more takes a line of a text over several lines.
func (r *tapReason) more(text string, roots diagnose.Roots) {
	switch r.block {
	case "error", "message":
		if text != "" && len(r.message) < maxMessage/2 {
			r.message = clip(strings.TrimSpace(r.message+" "+text), maxMessage)
		}
	case "stack":
		if r.place == "" {
			r.place, _ = roots.Place(" at " + strings.TrimPrefix(text, "at "))
		}
	}
}

// overhear takes a line of a failure that is no YAML: mocha writes the message, the
// error and its stack.
func (r *tapReason) overhear(text string, roots diagnose.Roots) {
	kind, rest, _ := strings.Cut(text, ": ")
	switch {
	case strings.HasPrefix(text, "at "):
		if r.place == "" {
			r.place, _ = roots.Place(" " + text)
		}
	case r.message == "":
		r.message = clip(text, maxMessage)
	case r.kind == "" && strings.HasPrefix(rest, r.message):
		kind, _, _ = strings.Cut(kind, " [") // of Node.js: its code
		r.kind = clip(kind, maxName)
	}
}

// String is empty for what says nothing, such as that a test failed.
func (r *tapReason) String() string {
	switch r.message {
	case "", "test failed", "subtest failed", "1 subtest failed":
		return ""
	}
	why := r.message
	if r.kind != "" && r.kind != "AssertionError" && !strings.HasPrefix(why, r.kind) {
		why = r.kind + ": " + why
	}
	place := r.place
	if place == "" {
		place = r.location
	}
	if place != "" {
		why = place + ": " + why
	}
	return why
}

// exit is what is known of a test file that said nothing.
func (r *tapReason) exit() string {
	if r.code == "" {
		return ""
	}
	return "exit code " + r.code
}

// unquote takes a YAML scalar's quotes off.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] {
		return s
	}
	switch s[0] {
	case '\'':
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	case '"':
		if plain, err := strconv.Unquote(s); err == nil {
			return plain
		}
		return s[1 : len(s)-1]
	}
	return s
}
