package diagnose

import "strings"

// rank is how surely a line names what went wrong.
type rank int

const (
	nothing rank = iota
	hint         // it speaks of an error
	telling      // a tool's own form of an error
)

// topic is what failed, as the user would say it.
type topic string

const (
	compile topic = "compile"
	vet     topic = "vet"
	tests   topic = "tests"
	crash   topic = "crash"
	npm     topic = "npm"
)

// rules are tried in order; the first that matches decides.
var rules = []struct {
	rank  rank
	topic topic
	match func(line string) bool
}{
	{nothing, "", isNoise},
	{telling, compile, isTypeScript},
	{telling, compile, isPosition},
	{telling, tests, isTestFailure},
	{telling, crash, isCrash},
	{telling, "", isException},
	{hint, npm, isNPM},
	{hint, "", isGeneric},
}

func classify(line string) (rank, topic) {
	for _, r := range rules {
		if r.match(line) {
			return r.rank, r.topic
		}
	}
	return nothing, ""
}

// noise is what tools say after the real error, or though there is none.
var noise = []string{
	"A complete log of this run", "npm ERR! errno", "npm ERR! code ELIFECYCLE", "npm ERR! path", "npm ERR! command",
	"npm error errno", "npm error code", "npm error path", "npm error command", "Lifecycle script",
	"0 errors", "0 error(s)", "[ERROR] -> [Help", "[ERROR] Re-run", "[ERROR] To see the full", "[ERROR] For more information",
	"npm ERR! Exit status", "npm ERR! Failed at the",
}

func isNoise(line string) bool {
	trimmed := strings.TrimSpace(line)
	if len(trimmed) < 4 || trimmed == "npm ERR!" || trimmed == "npm error" {
		return true
	}
	for _, n := range noise {
		if strings.Contains(trimmed, n) {
			return true
		}
	}
	return false
}

// isTypeScript matches "src/a.ts(1,2): error TS2304: …" and "src/a.ts:1:2 - error
// TS2304: …".
func isTypeScript(line string) bool {
	_, code, ok := strings.Cut(line, "error TS")
	return ok && number(code) > 0
}

// isPosition matches "path/file.go:12:2: text" of Go's tools, and "file:12: error:
// text" or "file:12:2: error: text" of C compilers and javac.
func isPosition(line string) bool {
	if line[0] == ' ' || line[0] == '\t' {
		return false
	}
	line = strings.TrimPrefix(line, "vet: ")
	colon := strings.IndexByte(line, ':')
	if colon <= 0 || !strings.Contains(line[:colon], ".") || strings.ContainsAny(line[:colon], " \t") {
		return false
	}
	file, rest := line[:colon], line[colon+1:]
	n := number(rest)
	if n == 0 || n == len(rest) || rest[n] != ':' {
		return false
	}
	rest = rest[n+1:]
	if c := number(rest); c > 0 && c < len(rest) && rest[c] == ':' {
		if strings.HasSuffix(file, ".go") {
			return true
		}
		rest = rest[c+1:]
	}
	rest = strings.TrimLeft(rest, " ")
	return strings.HasPrefix(rest, "error:") || strings.HasPrefix(rest, "fatal error:")
}

// isTestFailure matches go test's verdicts and t.Error lines, and TAP's.
func isTestFailure(line string) bool {
	trimmed := strings.TrimLeft(line, " ")
	if strings.HasPrefix(trimmed, "--- FAIL: ") {
		return true
	}
	if strings.HasPrefix(trimmed, "not ok ") {
		return !strings.Contains(trimmed, "# TODO")
	}
	_, rest, ok := strings.Cut(trimmed, "_test.go:")
	n := number(rest)
	return ok && trimmed != line && n > 0 && strings.HasPrefix(rest[n:], ": ")
}

func isCrash(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") ||
		strings.HasPrefix(line, "Segmentation fault") || strings.HasPrefix(line, "FATAL ERROR: ")
}

// isException matches "TypeError: …", "java.lang.IllegalStateException: …" and
// "Exception in thread …", at the line's start or after "Uncaught " and the like.
func isException(line string) bool {
	line = strings.TrimLeft(line, " ")
	for _, before := range []string{"Uncaught ", "Caused by: ", "throw new "} {
		line = strings.TrimPrefix(line, before)
	}
	if strings.HasPrefix(line, "Exception in thread ") {
		return true
	}
	name, _, ok := strings.Cut(line, ":")
	name, _, _ = strings.Cut(name, " [") // Error [ERR_MODULE_NOT_FOUND]: …
	if !ok || strings.ContainsFunc(name, func(r rune) bool { return !identifier(r) }) {
		return false
	}
	return strings.HasSuffix(name, "Error") || strings.HasSuffix(name, "Exception")
}

func identifier(r rune) bool {
	return r == '.' || r == '_' || r == '$' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

func isNPM(line string) bool {
	return strings.HasPrefix(line, "npm ERR! ") || strings.HasPrefix(line, "npm error ")
}

func isGeneric(line string) bool {
	lower := strings.ToLower(line)
	for _, prefix := range []string{"fatal: ", "[error] ", "error ", "go: "} {
		if strings.HasPrefix(lower, prefix) {
			return prefix != "go: " || !strings.HasPrefix(lower, "go: downloading ") && !strings.HasPrefix(lower, "go: finding ") && !strings.HasPrefix(lower, "go: added ")
		}
	}
	for _, part := range []string{"error: ", "fatal error", "exception: ", "command not found", ": not found", "no such file or directory", "permission denied", "no space left on device", "out of memory", "cannot find "} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// number returns how many digits s begins with.
func number(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
