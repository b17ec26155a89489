package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const module = "github.com/shiplock/shiplock/"

// tier is a storey of the house. Imports point downwards only.
type tier int

const (
	unknown tier = iota
	// testOnly packages are imported by tests only.
	testOnly
	// top is what people run: it may import everything.
	top
	// surfaces are the engine's callers and the API's.
	surface
	engine
	// adapters talk to the world, each to its own part of it.
	adapter
	leaf
	pure
)

// tiers says where every package is, by its path in the module. The packages below
// one of these are parts of it.
var tiers = map[string]tier{
	"cmd/shiplock":        top,
	"cmd/shiplock-runner": top,
	"cmd/shiplock-web":    top,
	"deploy/image":        top,
	"examples":            top,
	"internal/cli":        top,
	"internal/demo":       top,

	"internal/server": surface,
	"internal/client": surface,
	"internal/engine": engine,

	"internal/auth":                adapter,
	"internal/deployer/argocd":     adapter,
	"internal/deployer/kubernetes": adapter,
	"internal/deployer/local":      adapter,
	"internal/executor/kubernetes": adapter,
	"internal/executor/local":      adapter,
	"internal/forge/gitea":         adapter,
	"internal/forge/github":        adapter,
	"internal/forge/gitlab":        adapter,
	"internal/image":               adapter,
	"internal/joblog":              adapter,
	"internal/notify":              adapter,
	"internal/phpfpm":              adapter,
	"internal/registry":            adapter,
	"internal/runner":              adapter,
	"internal/seal":                adapter,
	"internal/site":                adapter,
	"internal/sonar":               adapter,
	"internal/store":               adapter,

	"internal/archive":  leaf,
	"internal/blob":     leaf,
	"internal/cache":    leaf,
	"internal/fastcgi":  leaf,
	"internal/forge":    leaf,
	"internal/git":      leaf,
	"internal/kube":     leaf,
	"internal/netguard": leaf,
	"internal/tail":     leaf,

	"internal/api":               pure,
	"internal/catalog":           pure,
	"internal/delivery":          pure,
	"internal/diagnose":          pure,
	"internal/diagnose/checkup":  pure,
	"internal/diagnose/pods":     pure,
	"internal/diagnose/said":     pure,
	"internal/diagnose/workload": pure,
	"internal/manifest":          pure,
	"internal/quality":           pure,
	"internal/standard":          pure,

	"internal/arch": testOnly,
	"test":          testOnly,
}

// unit returns the package of the table that p is or is a part of, and its tier.
func unit(p string) (string, tier) {
	p = strings.TrimPrefix(p, module)
	if strings.HasSuffix(path.Base(p), "test") { // storetest, deployertest
		return p, testOnly
	}
	for at := p; at != "."; at = path.Dir(at) {
		if t, ok := tiers[at]; ok {
			return at, t
		}
	}
	return p, unknown
}

// mayImport answers "" or why the package may not import the other one, both of
// this module.
func mayImport(from, to string) string {
	fromUnit, fromTier := unit(from)
	toUnit, toTier := unit(to)
	switch {
	case fromTier == testOnly || fromUnit == toUnit:
		return ""
	case toTier == testOnly:
		return "production code imports no test-only package"
	case strings.HasPrefix(toUnit, "cmd/"):
		return "nothing imports cmd"
	case fromTier == top:
		return ""
	case toUnit == "internal/engine" && fromUnit == "internal/server":
		return ""
	case (fromTier == surface || fromTier == engine) && toTier != pure:
		return fmt.Sprintf("%s imports pure packages only; declare an interface for the rest", fromUnit)
	case fromTier == adapter && toTier != leaf && toTier != pure:
		return "an adapter imports leaf tools and pure packages only"
	case fromTier == leaf && toTier != pure:
		return "a leaf tool imports pure packages only"
	case fromTier == pure && toTier != pure:
		return "a pure package imports pure packages only"
	case fromUnit == "internal/delivery":
		return "delivery imports nothing of this module"
	}
	return ""
}

// Packages outside of the module.
var (
	// impure packages of the standard library read the world or the clock.
	impure = []string{
		"context", "crypto/rand", "database/sql", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2",
		"net", "net/*", "os", "os/*", "plugin", "runtime/*", "syscall", "unsafe",
	}
	harmless = []string{"net/url", "net/netip"}

	// decoders are what a pure package may import from elsewhere.
	decoders = map[string][]string{
		"internal/catalog":           {"github.com/goccy/go-yaml/*", "github.com/goccy/go-yaml"},
		"internal/delivery":          {"github.com/teambition/rrule-go"},
		"internal/manifest":          {"k8s.io/api/*", "k8s.io/apimachinery/*", "sigs.k8s.io/yaml"},
		"internal/diagnose/pods":     {"k8s.io/api/*", "k8s.io/apimachinery/*"},
		"internal/diagnose/said":     {"k8s.io/api/*", "k8s.io/apimachinery/*"},
		"internal/diagnose/workload": {"k8s.io/api/*", "k8s.io/apimachinery/*"},
	}

	testTools = []string{
		"testing", "testing/*", "net/http/httptest", "pgregory.net/rapid", "go.uber.org/goleak",
		"github.com/google/go-cmp/*", "github.com/rogpeppe/go-internal/*", "golang.org/x/tools/txtar",
	}

	// owned packages belong to few.
	owned = []struct {
		imports, owners []string
	}{
		{[]string{"database/sql", "database/sql/*", "modernc.org/*", "github.com/jackc/pgx/*"}, []string{"internal/store"}},
		{[]string{"k8s.io/*", "sigs.k8s.io/*"}, []string{"internal/kube", "internal/manifest", "internal/diagnose/pods", "internal/diagnose/said", "internal/diagnose/workload", "internal/catalog", "internal/executor/kubernetes", "internal/deployer/kubernetes", "internal/deployer/argocd"}},
		{[]string{"gitlab.com/*", "github.com/google/go-github/*", "code.gitea.io/*"}, []string{"internal/forge/gitlab", "internal/forge/github", "internal/forge/gitea"}},
	}
)

// mayUse answers "" or why the package may not import one from outside.
func mayUse(from, outside string) string {
	name, t := unit(from)
	if t == testOnly {
		return ""
	}
	if in(testTools, outside) {
		return "production code imports no test-only package"
	}
	for _, o := range owned {
		if in(o.imports, outside) && !slices.Contains(o.owners, name) {
			return "it belongs to " + strings.Join(o.owners, ", ")
		}
	}
	if t != pure {
		return ""
	}
	if in(impure, outside) && !in(harmless, outside) {
		return "a pure package does no I/O and reads no clock"
	}
	if first, _, _ := strings.Cut(outside, "/"); strings.Contains(first, ".") && !in(decoders[name], outside) {
		return "a pure package imports the standard library and named decoders only"
	}
	return ""
}

// in tells whether a pattern of the list ("x" or "x/*") names p.
func in(list []string, p string) bool {
	return slices.ContainsFunc(list, func(pattern string) bool {
		dir, below := strings.CutSuffix(pattern, "*")
		return p == pattern || below && strings.HasPrefix(p, dir)
	})
}

// badNames say nothing about what a package is for.
var badNames = []string{"util", "utils", "common", "helper", "helpers", "models", "manager", "misc", "shared", "pkg"}

func badName(p string) bool {
	return slices.ContainsFunc(strings.Split(strings.TrimPrefix(p, module), "/"), func(part string) bool {
		return slices.Contains(badNames, part)
	})
}
