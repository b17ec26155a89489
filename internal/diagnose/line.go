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
	// go test heads findings of both alike in a package without tests.
	compileOrVet topic = "compile or vet"
	lint         topic = "lint"
	tests        topic = "tests"
	npm          topic = "npm"
	crash        topic = "crash"     // a stack trace follows
	exception    topic = "exception" // likewise; the place may come before it
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
	{telling, compile, isImportCycle},
	{telling, lint, isLint},
	{telling, "", isModuleFile},
	{telling, tests, isTestMessage},
	{telling, crash, isCrash},
	{telling, exception, isException},
	{hint, tests, isTestVerdict},
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
	"A complete log of this run", "npm ERR! errno", "npm ERR! code", "npm ERR! path", "npm ERR! command",
	"npm error errno", "npm error code", "npm error path", "npm error command", "npm error workspace", "Lifecycle script",
	"npm error Clean install", "npm error Usage:", "npm error npm ci", "npm error Options:", "npm error [-", "npm error   ",
	"npm error aliases:", "npm error Run \"npm help", "npm error To see a list", "npm ERR! To see a list",
	"0 errors", "0 error(s)", "[ERROR] -> [Help", "[ERROR] Re-run", "[ERROR] To see the full", "[ERROR] For more information",
	"npm ERR! Exit status", "npm ERR! Failed at the", "Unhandled 'error' event",
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

// isTrailer matches what go test, node and npm print around the last words of a
// program.
func isTrailer(line string) bool {
	switch line {
	case "FAIL", "PASS", "exit status 1", "exit status 2":
		return true
	}
	for _, prefix := range []string{"FAIL\t", "ok  \t", "?   \t", "Node.js v", "> ", "npm warn ", "npm WARN ", "TAP version ", "1.."} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return isNoise(line) && len(line) > 3
}

// isUsage matches the head of a program's help.
func isUsage(line string) bool {
	return strings.HasPrefix(line, "Usage") || strings.HasPrefix(line, "usage:") || strings.HasPrefix(line, "USAGE")
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
	file, rest, ok := strings.Cut(line, ":")
	if !ok || !strings.Contains(file, ".") || strings.ContainsAny(file, " \t") {
		return false
	}
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

func isImportCycle(line string) bool { return strings.HasSuffix(line, ": import cycle not allowed") }

// isLint matches "  3:7  error  'n' is never used  no-unused-vars" of ESLint.
func isLint(line string) bool {
	rest := strings.TrimLeft(line, " ")
	n := number(rest)
	if n == 0 || rest == line || !strings.HasPrefix(rest[n:], ":") {
		return false
	}
	rest = rest[n+1:]
	after := strings.TrimLeft(rest[number(rest):], " ")
	return number(rest) > 0 && strings.HasPrefix(after, "error ")
}

// isModuleFile matches "go.mod:3: unknown directive: x".
func isModuleFile(line string) bool {
	for _, name := range []string{"go.mod:", "go.sum:", "go.work:"} {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n := number(rest)
			return n > 0 && strings.HasPrefix(rest[n:], ":")
		}
	}
	return false
}

// isTestMessage matches t.Error's lines.
func isTestMessage(line string) bool {
	trimmed := strings.TrimLeft(line, " ")
	_, rest, ok := strings.Cut(trimmed, "_test.go:")
	n := number(rest)
	return ok && trimmed != line && n > 0 && strings.HasPrefix(rest[n:], ": ")
}

// isTestVerdict matches what go test and TAP say of a test that failed, which does
// not tell why.
func isTestVerdict(line string) bool {
	trimmed := strings.TrimLeft(line, " ")
	return strings.HasPrefix(trimmed, "--- FAIL: ") || strings.HasPrefix(trimmed, "not ok ") && !strings.Contains(trimmed, "# TODO")
}

func isCrash(line string) bool {
	for _, prefix := range []string{"panic: ", "fatal error: ", "Segmentation fault", "FATAL ERROR: ", "WARNING: DATA RACE"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

// isException matches "TypeError: …", "java.lang.IllegalStateException: …" and
// "Exception in thread …", at the line's start or after "Uncaught " and the like.
func isException(line string) bool {
	line = strings.TrimLeft(line, " ")
	for _, before := range []string{"Uncaught ", "Caused by: ", "[cause]: "} {
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

var (
	genericStarts = []string{"fatal: ", "[error] ", "error ", "go: "}
	genericParts  = []string{
		"error: ", "fatal error", "exception: ", "command not found", ": not found", "no such file or directory",
		"permission denied", "no space left on device", "out of memory", "cannot find ", "address already in use",
	}
	goProgress = []string{"go: downloading ", "go: finding ", "go: added "}
)

func isGeneric(line string) bool {
	lower := strings.ToLower(line)
	for _, progress := range goProgress {
		if strings.HasPrefix(lower, progress) {
			return false
		}
	}
	for _, start := range genericStarts {
		if strings.HasPrefix(lower, start) {
			return true
		}
	}
	for _, part := range genericParts {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}
