package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

func TestRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"cmd/shiplock", "internal/store", true},
		{"cmd/shiplock", "internal/store/storetest", false},
		{"internal/demo", "cmd/shiplock", false},
		{"internal/demo/githost", "internal/git", true},
		{"internal/server", "internal/engine", true},
		{"internal/server", "internal/store", false},
		{"internal/server/web", "internal/server", true},
		{"internal/client", "internal/engine", false},
		{"internal/client", "internal/api", true},
		{"internal/engine", "internal/catalog", true},
		{"internal/engine", "internal/git", false},
		{"internal/engine", "internal/server", false},
		{"internal/store", "internal/joblog", false},
		{"internal/store", "internal/engine", false},
		{"internal/store/storetest", "internal/engine", true},
		{"internal/forge/gitlab", "internal/forge/gitea", false},
		{"internal/deployer/local/supervisor", "internal/deployer/local", true},
		{"internal/runner", "internal/git", true},
		{"internal/git", "internal/blob", false},
		{"internal/git", "internal/delivery", true},
		{"internal/catalog", "internal/delivery", true},
		{"internal/catalog", "internal/git", false},
		{"internal/delivery", "internal/api", false},
	} {
		if why := mayImport(module+c.from, module+c.to); (why == "") != c.allowed {
			t.Errorf("%s → %s: %q, want allowed: %v", c.from, c.to, why, c.allowed)
		}
	}
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"internal/delivery", "strings", true},
		{"internal/delivery", "context", false},
		{"internal/delivery", "os/exec", false},
		{"internal/delivery", "net/url", true},
		{"internal/delivery", "github.com/goccy/go-yaml", false},
		{"internal/catalog", "github.com/goccy/go-yaml/ast", true},
		{"internal/engine", "database/sql", false},
		{"internal/store", "database/sql", true},
		{"internal/runner", "k8s.io/client-go/kubernetes", false},
		{"internal/blob", "testing", false},
		{"test/chaos", "testing", true},
	} {
		if why := mayUse(module+c.from, c.to); (why == "") != c.allowed {
			t.Errorf("%s → %s: %q, want allowed: %v", c.from, c.to, why, c.allowed)
		}
	}
	if _, tier := unit(module + "internal/novel"); tier != unknown {
		t.Error("a new package has a tier")
	}
	if !badName("internal/store/util") || badName("internal/store/utility") {
		t.Error("names are judged by whole parts")
	}
}

func TestSourceRules(t *testing.T) {
	const source = `package p

import clock "time"

//go:embed x
var embedded string

var (
	table   = map[string]int{"a": 1}
	shadow  = map[string]int{"a": 1}
	written = map[string]int{}
	counter = 0
	pointed = 0
	empty   int
	errNone = clock.ErrX
)

func init() {}

func f() {
	shadow := map[string]int{}
	shadow["a"] = table["a"]
	written["a"] = 1
	counter++
	g(&pointed)
	_ = clock.Now()
	_ = clock.Second
}
`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range globals([]*ast.File{f}) {
		names = append(names, n.(*ast.Ident).Name)
	}
	slices.Sort(names)
	if want := []string{"counter", "empty", "pointed", "written"}; !slices.Equal(names, want) {
		t.Errorf("changing variables are %v, want %v", names, want)
	}
	if len(inits(f)) != 1 || len(clockUses(f)) != 1 {
		t.Errorf("%d init functions and %d uses of the clock, want one of each", len(inits(f)), len(clockUses(f)))
	}
}
