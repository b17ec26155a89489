package local

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var toolNames = [...]string{
	"PATH", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "JAVA_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
}

var toolPrefixes = [...]string{"GO", "npm_config_", "NPM_CONFIG_", "NODE_", "MAVEN_"}

// ToolEnv picks from an environment what build tools need to work as they do for
// the user who started the server, and none of the server's own settings. Builds
// have a home of their own, so Go's settings file is pointed to.
func ToolEnv(environ []string) []string {
	var env []string
	goenv := false
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if slices.Contains(toolNames[:], name) || slices.ContainsFunc(toolPrefixes[:], func(p string) bool { return strings.HasPrefix(name, p) }) {
			env = append(env, entry)
			goenv = goenv || name == "GOENV"
		}
	}
	if dir, err := os.UserConfigDir(); err == nil && !goenv {
		if file := filepath.Join(dir, "go", "env"); isFile(file) {
			env = append(env, "GOENV="+file)
		}
	}
	return env
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
