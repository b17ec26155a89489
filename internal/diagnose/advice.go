package diagnose

import (
	"regexp"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// stage is what was under way when an error came.
type stage int

const (
	building stage = 1 << iota
	running
)

// remedies name the phrases of what can be done about errors that say it themselves.
// The first whose part is in the error applies.
var remedies = []struct {
	at     stage
	part   string
	advice string
}{
	{building, "missing go.sum entry", "go.tidy"},
	{building, "no required module provides package", "go.tidy"},
	{building, "updates to go.mod needed", "go.tidy"},
	{building, ": checksum mismatch", "go.checksum"},
	{building, "inconsistent vendoring", "go.vendor"},
	{building, "build constraints exclude all Go files", "go.constraints"},
	{building, "replacement directory ", "go.replace"},
	{building, "go.mod requires go >= ", "go.version"},
	{building, "go.mod file not found", "go.init"},
	{building, "no matching files found", "go.embed"},
	{building, "package.json and package-lock.json", "npm.lock"},
	{building, "ERESOLVE ", "npm.peer"},
	{building, "404 Not Found - GET", "npm.unknown"},
	{building, "ERR_PNPM_FETCH_404", "npm.unknown"},
	{building, "No matching version found for ", "npm.unknown"},
	{building, "integrity checksum failed", "npm.integrity"},
	{building, "ERR_PNPM_OUTDATED_LOCKFILE", "pnpm.lock"},
	{building, "Your lockfile needs to be updated", "yarn.lock"},
	{building, "Not compatible with your version of node", "npm.engine"},
	{building, "ERR_PNPM_UNSUPPORTED_ENGINE", "npm.engine"},
	{building, "node-gyp could not fetch ", "npm.headers"},
	{building, ".h: No such file or directory", "npm.native"},
	{building, "', required by 'virtual:world', not found", "npm.native"}, // pkg-config
	{building, "can't fork", "build.processes"},                           // busybox
	{building, "annot fork", "build.processes"},                           // dash
	{building, "fork: retry", "build.processes"},                          // bash
	{building, "unable to create native thread", "build.processes"},       // Java
	{building, "failed to create new OS thread", "build.processes"},       // Go
	{building, "pthread_create: Resource temporarily", "build.processes"}, // node
	{building, "getaddrinfo ENOTFOUND", "build.dns"},
	{building, "getaddrinfo EAI_AGAIN", "build.dns"},
	{building, "does not contain valid JSON", "composer.json"},
	{building, "can only install with an existing package-lock.json", "npm.lock"},
	{building, "Missing script: ", "npm.script"},
	{building, "Cannot find module './package.json'", "npm.package"},
	{building, "package.json: ", "npm.json"},
	{building, "Could not find artifact ", "maven.artifact"},
	{building, "Could not transfer artifact ", "maven.repository"},
	{building, "'dependencies.dependency.version' for ", "maven.version"},
	{building, "release version ", "java.release"},
	{building, "invalid target release", "java.release"},
	{building, "is no longer supported. Use ", "java.source"},
	{building, "in the reactor: ", "maven.module"},
	{building, "GradleWrapperMain", "gradle.wrapper"},
	{building, "The forked VM terminated", "java.fork"},
	{building, "test timed out after ", "go.timeout"},
	{building, "it is missing from your system", "php.extension"},
	{building, "no space left on device", "build.disk"},
	{building, "no such host", "build.dns"},

	{running, "address already in use", "app.port"},
	{running, "Address already in use", "app.port"},
	{running, "was already in use", "app.port"},
	{running, "java.lang.OutOfMemoryError", "java.memory"},
	{running, "UnsupportedClassVersionError", "java.newer"},
	{running, "Could not find or load main class", "java.main"},
	{running, "no main manifest attribute", "java.main"},
	{running, "java.lang.ClassNotFoundException", "java.class"},
	{running, "java.lang.NoClassDefFoundError", "java.class"},
	{running, "Failed to configure a DataSource", "spring.datasource"},
	{running, "could not find driver", "php.driver"},
	{running, "Call to undefined function", "php.extension"},
	{running, "vendor/autoload.php", "php.autoload"},
	{running, "EADDRINUSE", "app.port"},
	{running, "nothing listens on the port given to the app", "app.listen"},
	{running, "must keep the app in the foreground", "app.foreground"},
	{running, "no space left on device", "app.disk"},
	{running, "ead-only file system", "app.readonly"},
	{running, "connection refused", "app.refused"},
	{running, "ECONNREFUSED", "app.refused"},
	{running, "no such host", "app.dns"},
	{running, "getaddrinfo ENOTFOUND", "app.dns"},
	{running, "getaddrinfo EAI_AGAIN", "app.dns"},
	{running, "fork/exec start.sh: no such file", "app.interpreter"},
	{running, "fork/exec start.sh: permission denied", "app.executable"},
}

var (
	// unset matches "DATABASE_URL is not set" and KeyError: 'DATABASE_URL'.
	unset = regexp.MustCompile(`\b([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])"? (?:is|was) (?:not set|unset|missing|required|empty)|KeyError: '([A-Z][A-Z0-9]*_[A-Z0-9_]*)'`)
	// unmodule matches a package, not a file, that Node.js lacks.
	unmodule = regexp.MustCompile(`(?:Cannot find (?:module|package)|Can't resolve|Could not resolve|failed to resolve import) ['"]([^'"./\\][^'"\\]*)['"]`)
)

// advise adds what to do about an error to the arguments of its Cause; nothing when
// nothing definite can be said.
func advise(args delivery.Args, err string, at stage) {
	for _, r := range remedies {
		if r.at == at && strings.Contains(err, r.part) {
			args[phrase.AdviceArg] = r.advice
			return
		}
	}
	if m := unmodule.FindStringSubmatch(err); m != nil {
		args[phrase.AdviceArg], args["module"] = "npm.module", m[1]
		return
	}
	if m := unset.FindStringSubmatch(err); m != nil && at == running {
		args[phrase.AdviceArg], args["variable"] = "app.variable", m[1]+m[2]
	}
}
