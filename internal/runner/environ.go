package runner

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// inherited are the variables that a step gets from the runner's environment:
// where tools are, and the way to the network. The executor chose their values;
// everything else stays behind, above all where the server's user has caches: one
// build would write there and another one read.
var inherited = [...]string{
	"PATH", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "JAVA_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GOENV", "GOFLAGS", "GOINSECURE", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOROOT", "GOSUMDB", "GOTOOLCHAIN",
	"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
}

var inheritedPrefixes = [...]string{"npm_config_", "NPM_CONFIG_", "NODE_", "MAVEN_"}

// shared are places for caches, which a build has in its HOME.
// MAVEN_CONFIG is one in Maven's images, and arguments to Maven's wrapper.
var shared = [...]string{"npm_config_cache", "npm_config_store_dir", "gopath", "gocache", "gomodcache", "gradle_user_home", "maven_config", "composer_home"}

// clusters are prefixes of what a cluster tells every container, builds none of its
// business.
const clusters = "KUBERNETES_"

// inherits tells whether steps get a variable of the runner's. In a pod all are of the
// build's image, which the Stack chose for them.
func (c Config) inherits(name string) bool {
	switch {
	case slices.Contains(shared[:], strings.ToLower(name)):
		return false
	case c.InImage:
		return !strings.HasPrefix(name, clusters) && name != "HOSTNAME"
	}
	return slices.Contains(inherited[:], name) ||
		slices.ContainsFunc(inheritedPrefixes[:], func(p string) bool { return strings.HasPrefix(name, p) })
}

// stepEnv is the whole environment of a step. Later sources win, but nobody
// may speak as Shiplock.
func (j *job) stepEnv(s delivery.PlanStep, dir string) []string {
	env := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG": "C.UTF-8", "TZ": "UTC", "USER": "shiplock",
	}
	for _, entry := range j.Environ {
		if name, value, _ := strings.Cut(entry, "="); j.inherits(name) {
			env[name] = value
		}
	}
	if jdk := env["JAVA_HOME"]; jdk != "" {
		env["PATH"] = filepath.Join(jdk, "bin") + ":" + env["PATH"] // the one that Maven and Gradle take
	}
	env["HOME"], env["TMPDIR"], env["PWD"], env["CI"] = j.path(homeDir), j.path(tempDir), dir, "true"
	env["PATH"] = filepath.Join(env["HOME"], ".local", "bin") + ":" + env["PATH"] // where steps put tools for later ones
	maps.Copy(env, j.Variables)
	maps.Copy(env, s.Env)
	maps.DeleteFunc(env, func(name, _ string) bool { return strings.HasPrefix(name, "SHIPLOCK_") })
	maps.Copy(env, identity(j.Assignment, j.Workspace))
	env[envStep] = s.Name

	list := make([]string, 0, len(env))
	for name, value := range env {
		if name != "" && !strings.ContainsAny(name, "=\x00") && !strings.Contains(value, "\x00") {
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}

func identity(a api.Assignment, workspace string) map[string]string {
	return map[string]string{
		"SHIPLOCK": "true", "SHIPLOCK_APP": a.App, "SHIPLOCK_ENV": a.Env, "SHIPLOCK_RUN": a.Run,
		"SHIPLOCK_COMMIT": a.Clone.SHA, "SHIPLOCK_BRANCH": a.Clone.Branch, EnvWorkspace: workspace,
	}
}

// Folders of a workspace.
const (
	sourceDir = "src"
	homeDir   = "home"
	tempDir   = "tmp"
)

func (c Config) path(name string) string { return filepath.Join(c.Workspace, name) }

// appDir is the App's folder, proven to be inside the work tree.
func (j *job) appDir() (string, error) {
	return inside(j.path(sourceDir), cmp.Or(j.Plan.Path, "."))
}

// inside resolves a relative path below root, and refuses one that a ".." or a
// symbolic link leads out of it.
func inside(root, rel string) (string, error) {
	if !filepath.IsLocal(rel) {
		return "", delivery.E(delivery.Invalid, "the path "+rel+" leads out of the repository")
	}
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", err
	}
	path, err := filepath.EvalSymlinks(filepath.Join(root, rel))
	if err != nil {
		return "", err
	}
	if path != root && !strings.HasPrefix(path, root+string(filepath.Separator)) {
		return "", delivery.E(delivery.Invalid, "the path "+rel+" leads out of the repository by a symbolic link")
	}
	return path, nil
}
