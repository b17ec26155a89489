package diagnose

import (
	"regexp"
	"strings"
)

// stage is what was under way when an error came.
type stage int

const (
	building stage = 1 << iota
	running
)

// remedies are what can be done about errors that say it themselves. The first
// whose part is in the error applies.
var remedies = []struct {
	at   stage
	part string
	next string
}{
	{building, "missing go.sum entry", "Run go mod tidy, and commit go.mod and go.sum."},
	{building, "no required module provides package", "Run go mod tidy, and commit go.mod and go.sum."},
	{building, "updates to go.mod needed", "Run go mod tidy, and commit go.mod and go.sum."},
	{building, "go.mod requires go >= ", "Install that Go where builds run, or lower the go line in go.mod."},
	{building, "go.mod file not found", "Run go mod init in the App's folder and commit go.mod, or correct the App's path."},
	{building, "no matching files found", "Commit the embedded file, or correct the go:embed line; is it in .gitignore?"},
	{building, "package.json and package-lock.json", "Run npm install, and commit package-lock.json."},
	{building, "can only install with an existing package-lock.json", "Run npm install, and commit package-lock.json."},
	{building, "Missing script: ", "Add the script to package.json's scripts, or correct its name."},
	{building, "Cannot find module './package.json'", "Commit package.json, or correct the App's path."},
	{building, "package.json: ", "Correct package.json: it is not valid JSON."},
	{building, "test timed out after ", "Find out what it waits for, or give go test a longer -timeout."},
	{building, "no space left on device", "Free disk space on the machine that runs builds."},
	{building, "no such host", "See that the machine that runs builds resolves this name."},

	{running, "address already in use", "Listen on the port in the variable PORT: every replica gets its own."},
	{running, "EADDRINUSE", "Listen on the port in the variable PORT: every replica gets its own."},
	{running, "nothing listens on the port given to the app", "Listen on the port in the variable PORT, on all addresses or 127.0.0.1."},
	{running, "must keep the app in the foreground", "End start.sh with exec and the app's own command."},
	{running, "no space left on device", "Free disk space on the machine that runs the app."},
	{running, "connection refused", "See that what it connects to runs and is reachable from where the app runs."},
	{running, "ECONNREFUSED", "See that what it connects to runs and is reachable from where the app runs."},
	{running, "no such host", "See that the machine that runs the app resolves this name."},
	{running, "fork/exec start.sh: no such file", "Correct the first line of start.sh: the interpreter that it names is not there."},
	{running, "fork/exec start.sh: permission denied", "Make the file executable: git update-index --chmod=+x start.sh"},
}

var (
	// unset matches "DATABASE_URL is not set" and KeyError: 'DATABASE_URL'.
	unset = regexp.MustCompile(`\b([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])"? (?:is|was) (?:not set|unset|missing|required|empty)|KeyError: '([A-Z][A-Z0-9]*_[A-Z0-9_]*)'`)
	// unmodule matches a package, not a file, that Node.js lacks.
	unmodule = regexp.MustCompile(`Cannot find (?:module|package) '([^'./\\][^'\\]*)'`)
)

// advice says what to do about an error; "" when nothing definite can be said.
func advice(err string, at stage) string {
	for _, r := range remedies {
		if r.at == at && strings.Contains(err, r.part) {
			return r.next
		}
	}
	if m := unmodule.FindStringSubmatch(err); m != nil {
		return "Add " + m[1] + " to package.json: npm install " + m[1] + ", and commit package-lock.json."
	}
	if m := unset.FindStringSubmatch(err); m != nil && at == running {
		return "Give " + m[1] + m[2] + " a value among the App's variables for this environment."
	}
	return ""
}

var toolHints = map[string]string{
	"go":       "Install Go from https://go.dev/dl and put its bin folder on the PATH.",
	"node":     "Install Node.js from https://nodejs.org.",
	"npm":      "Install Node.js, which brings npm, from https://nodejs.org.",
	"npx":      "Install Node.js, which brings npx, from https://nodejs.org.",
	"pnpm":     "Install it with: npm install -g pnpm",
	"yarn":     "Install it with: npm install -g yarn",
	"tsc":      "Add typescript to the project's devDependencies, and run npm ci before it.",
	"mvn":      "Install Apache Maven, or use the project's ./mvnw.",
	"gradle":   "Install Gradle, or use the project's ./gradlew.",
	"java":     "Install a JDK and put its bin folder on the PATH.",
	"javac":    "Install a JDK (not only a JRE) and put its bin folder on the PATH.",
	"php":      "Install PHP's command line.",
	"composer": "Install Composer from https://getcomposer.org.",
	"python3":  "Install Python 3.",
	"git":      "Install git 2.31 or newer.",
}
