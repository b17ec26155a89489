package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// listed is what `go list` says about a package.
type listed struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e"}, args...)...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	return out
}

func packages(t *testing.T) []listed {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(goList(t, "-json=ImportPath,Dir,Imports,GoFiles", "./...")))
	var all []listed
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
}

func TestPackagesAreFound(t *testing.T) {
	if n := len(packages(t)); n < 20 {
		t.Errorf("%d packages: the rules look at nothing", n)
	}
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if _, tier := unit(p.ImportPath); tier == unknown {
			t.Errorf("%s is new: say which tier it is of, in tiers_test.go", name)
			continue
		}
		if badName(p.ImportPath) {
			t.Errorf("%s: name a package after what it is for", name)
		}
		for _, i := range p.Imports {
			why := ""
			if strings.HasPrefix(i, module) {
				why = mayImport(p.ImportPath, i)
			} else {
				why = mayUse(p.ImportPath, i)
			}
			if why != "" {
				t.Errorf("%s imports %s: %s", name, strings.TrimPrefix(i, module), why)
			}
		}
	}
}

func TestSources(t *testing.T) {
	for _, p := range packages(t) {
		name, tier := unit(p.ImportPath)
		fset := token.NewFileSet()
		var files []*ast.File
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, parser.ParseComments)
			if err != nil {
				t.Error(err)
				continue
			}
			files = append(files, f)
			for _, n := range inits(f) {
				t.Errorf("%s: no init functions: call it from where it is needed", at(fset, n))
			}
			if tier != pure {
				continue
			}
			for _, n := range clockUses(f) {
				if name == "internal/catalog" && n.(*ast.SelectorExpr).Sel.Name == "LoadLocation" {
					continue // the one place that finds time zones for the others
				}
				t.Errorf("%s: %s is pure and reads no clock: take the time as an argument", at(fset, n), name)
			}
		}
		if tier == testOnly {
			continue
		}
		for _, n := range globals(files) {
			t.Errorf("%s: no variables of a package that change: give them an owner", at(fset, n))
		}
	}
}

// The runner goes into every build pod: it stays small.
func TestRunnerBinaryIsSmall(t *testing.T) {
	deps := strings.Fields(string(goList(t, "-deps", "./cmd/shiplock-runner")))
	for _, d := range deps {
		if in([]string{"k8s.io/*", "sigs.k8s.io/*", "modernc.org/*", "database/sql", module + "internal/store", module + "internal/engine", module + "internal/server"}, d) {
			t.Errorf("the runner's binary holds %s", d)
		}
	}
}
