package standard

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

func newerThan(v version) func(version) bool {
	return func(have version) bool { return have.atLeast(v) }
}

// readGo reads the go line, which is the lowest version, and the toolchain line.
func readGo(files map[string]string) Wish {
	w := Wish{Oldest: true, Why: "go.mod"}
	var lowest version
	for line := range strings.Lines(files["go.mod"]) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "go" && f[0] != "toolchain" {
			continue
		}
		v, ok := parseVersion(strings.TrimPrefix(f[1], "go"))
		if i := strings.IndexAny(f[1], "rb"); !ok && i > 0 { // go1.27rc1
			v, ok = parseVersion(strings.TrimPrefix(f[1][:i], "go"))
		}
		if ok && v.compare(lowest) > 0 {
			lowest, w.Why = v, "go.mod: "+f[0]+" "+f[1]
		}
	}
	if lowest.major > 0 {
		w.Fits = newerThan(lowest)
	}
	return w
}

// pattern is compiled once it is needed.
func pattern(expr string) func(string) []string {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
	return func(s string) []string { return compiled().FindStringSubmatch(s) }
}

var (
	mavenVersion  = pattern(`<(maven\.compiler\.release|maven\.compiler\.source|java\.version|release|source)>\s*([\d.]+)\s*</`)
	gradleVersion = pattern(`(languageVersion[^\n]*JavaLanguageVersion\.of\(\s*|sourceCompatibility\s*=?\s*(?:JavaVersion\.VERSION_)?['"]?)([\d._]+)`)
)

// readJava reads what the sources are compiled for. A newer JDK compiles older
// sources, so the oldest that is new enough is right.
func readJava(files map[string]string) Wish {
	w := Wish{Oldest: true}
	for _, mark := range []string{"pom.xml", "build.gradle", "build.gradle.kts"} {
		if _, ok := files[mark]; ok && w.Why == "" {
			w.Why = mark
		}
	}
	say := func(file, what, number string) bool {
		v, ok := javaVersion(number)
		if ok {
			w.Fits, w.Why = newerThan(v), fmt.Sprintf("%s: %s %s", file, what, number)
		}
		return ok
	}
	if m := mavenVersion(files["pom.xml"]); m != nil && say("pom.xml", m[1], m[2]) {
		return w
	}
	for _, file := range []string{"build.gradle", "build.gradle.kts"} {
		if m := gradleVersion(files[file]); m != nil {
			what := "sourceCompatibility"
			if strings.HasPrefix(m[1], "languageVersion") {
				what = "toolchain"
			}
			if say(file, what, strings.ReplaceAll(m[2], "_", ".")) {
				return w
			}
		}
	}
	say(".java-version", "version", strings.TrimSpace(files[".java-version"]))
	return w
}

// javaVersion reads "17", and "1.8" as 8.
func javaVersion(s string) (version, bool) {
	v, ok := parseVersion(s)
	if v.major == 1 && v.minor > 0 {
		v = version{v.minor, -1}
	}
	v.minor = -1
	return v, ok
}

// packageJSON is what is read of a package.json.
type packageJSON struct {
	Scripts map[string]string `json:"scripts"`
	Engines map[string]string `json:"engines"`
}

// readNode reads .nvmrc or .node-version, which name the version that developers use,
// and the engines, which say what works.
func readNode(files map[string]string) Wish {
	w := Wish{Why: "package.json"}
	var p packageJSON
	_ = json.Unmarshal([]byte(files["package.json"]), &p) // what it does not say is not known
	if w.Static = p.static(); w.Static {
		w.Why = "package.json builds"
	}
	if fits, ok := ranges(p.Engines["node"]); ok {
		w.Fits, w.Why = fits, "package.json: engines.node "+p.Engines["node"]
	}
	for _, file := range []string{".nvmrc", ".node-version"} {
		if v, ok := parseVersion(files[file]); ok {
			used := Wish{Static: w.Static, Why: file + ": " + strings.TrimSpace(files[file])}
			used.Fits = func(have version) bool { return have.major == v.major }
			if w.Fits != nil {
				used.Wider = &w
			}
			return used
		}
	}
	return w
}

// devServers are start scripts that serve a developer, not visitors.
var devServers = pattern(`^\s*(react-scripts|vite|vue-cli-service|ng|webpack|webpack-dev-server|parcel|astro|gatsby|rsbuild)\b`)

// static tells a site: it has a build, and no start that is more than a developer's
// server.
func (p packageJSON) static() bool {
	start, starts := p.Scripts["start"]
	return p.Scripts["build"] != "" && (!starts || devServers(start) != nil)
}

// readPHP reads the platform that Composer resolves for, or else what is required.
func readPHP(files map[string]string) Wish {
	w := Wish{Why: "composer.json"}
	var c struct {
		Require map[string]string `json:"require"`
		Config  struct {
			Platform map[string]string `json:"platform"`
		} `json:"config"`
	}
	_ = json.Unmarshal([]byte(files["composer.json"]), &c) // what it does not say is not known
	if v, ok := parseVersion(c.Config.Platform["php"]); ok {
		w.Why = "composer.json: config.platform.php " + c.Config.Platform["php"]
		w.Fits = func(have version) bool { return have.major == v.major && (v.minor < 0 || have.minor == v.minor) }
		return w
	}
	for _, key := range slices.Sorted(maps.Keys(c.Require)) {
		if fits, ok := ranges(c.Require[key]); ok && (key == "php" || key == "php-64bit") {
			w.Fits, w.Why = fits, "composer.json: require.php "+c.Require[key]
		}
	}
	return w
}
