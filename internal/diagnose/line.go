package diagnose

import (
	"slices"
	"strings"
)

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
	composer     topic = "composer"
	pnpm         topic = "pnpm"
	crash        topic = "crash"     // a stack trace follows
	exception    topic = "exception" // likewise; the place may come before it
)

// rules are tried in order; the first that matches decides.
var rules = []struct {
	rank  rank
	topic topic
	match func(line string) bool
}{
	{telling, compile, isPHP},
	{telling, composer, isComposer},
	{telling, composer, isComposerProblem},
	{hint, composer, isComposerHead},
	{telling, pnpm, isPNPM},
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

// What tools say after the real error, or though there is none.
var (
	npmNoise = []string{
		"A complete log of this run", "errno", "syscall", "code", "path", "command", "workspace", "Lifecycle script", "Exit status", "Failed at the",
		"Clean install", "Usage:", "npm ci", "Options:", "[-", "  ", "aliases:", "Run \"npm help", "To see a list",
		"network This is", "network In most cases", "network If you are", "engine Unsupported engine", "notsup Not compatible",
	}
	otherNoise = []string{"Error: A fatal exception has occurred", "Error: Could not create the Java Virtual Machine", "Error: LinkageError occurred", "0 errors", "0 error(s)", "Unhandled 'error' event"}
)

func isNoise(line string) bool {
	line = strings.TrimSpace(line)
	if rest, ok := ofNPM(line); ok {
		return rest == "" || startsWith(rest, npmNoise)
	}
	return len(line) < 4 || contains(line, otherNoise) || startsWith(line, composerUsage)
}

// ofNPM returns what npm says in a line of an error.
func ofNPM(line string) (string, bool) {
	if !strings.HasPrefix(line, "npm ") {
		return "", false
	}
	for _, prefix := range []string{"npm ERR!", "npm error"} {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return strings.TrimPrefix(rest, " "), true
		}
	}
	return "", false
}

func startsWith(line string, list []string) bool {
	return slices.ContainsFunc(list, func(start string) bool { return strings.HasPrefix(line, start) })
}

func contains(line string, list []string) bool {
	return slices.ContainsFunc(list, func(part string) bool { return strings.Contains(line, part) })
}

// trailers are what go test, node and npm print around the last words of a program.
var trailers = []string{"FAIL\t", "ok  \t", "?   \t", "Node.js v", "> ", "npm warn ", "npm WARN ", "TAP version ", "1..", "exit status "}

func isTrailer(line string) bool {
	return line == "FAIL" || line == "PASS" || startsWith(line, trailers)
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

// isModuleFile matches "go.mod:3: unknown directive: x", and a module that is not the
// one in go.sum.
func isModuleFile(line string) bool {
	if strings.HasPrefix(line, "verifying ") && strings.HasSuffix(line, ": checksum mismatch") {
		return true
	}
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

// isTestVerdict matches what go test, Gradle and TAP say of a test that failed, which does
// not tell why.
func isTestVerdict(line string) bool {
	trimmed := strings.TrimLeft(line, " ")
	return strings.HasPrefix(trimmed, "--- FAIL: ") || strings.HasSuffix(trimmed, " FAILED") && strings.Contains(trimmed, " > ") || strings.HasPrefix(trimmed, "not ok ") && !strings.Contains(trimmed, "# TODO")
}

var crashes = []string{"panic: ", "fatal error: ", "Segmentation fault", "FATAL ERROR: ", "WARNING: DATA RACE", "Terminating due to java.lang.OutOfMemoryError", "Unrecognized VM option ", "Unrecognized option: ", "Invalid maximum heap size"}

func isCrash(line string) bool { return startsWith(line, crashes) }

// isException matches "TypeError: …", "java.lang.IllegalStateException: …" and
// "Exception in thread …", at the line's start or after "Uncaught " and the like.
func isException(line string) bool {
	line = strings.TrimLeft(line, " \t")
	for _, before := range []string{"Uncaught ", "Caused by: ", "[cause]: ", "Exception during run: "} {
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

// isPNPM matches " ERR_PNPM_FETCH_404  GET …: Not Found".
func isPNPM(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "ERR_PNPM_") }

func isNPM(line string) bool {
	_, ok := ofNPM(line)
	return ok
}

var (
	genericStarts = []string{"fatal: ", "[error] ", "error ", "go: ", "no tests found, ", "no test files found, "}
	genericParts  = []string{
		"error: ", "fatal error", "exception: ", "command not found", ": not found", "no such file or directory",
		"permission denied", "no space left on device", "read-only file system", "out of memory", "cannot find ", "address already in use",
	}
	goProgress = []string{"go: downloading ", "go: finding ", "go: added "}
)

func isGeneric(line string) bool {
	lower := strings.ToLower(line)
	return !startsWith(lower, goProgress) && (startsWith(lower, genericStarts) || contains(lower, genericParts))
}
