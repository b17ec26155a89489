package phrase_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// eachFile calls visit with every production file of the module.
func eachFile(t *testing.T, visit func(path string, set *token.FileSet, f *ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	set := token.NewFileSet()
	for _, dir := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
				return err
			}
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err == nil {
				visit(path, set, f)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// called is the name of a function or method, without its package.
func called(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// codeForm is how a code looks: an area, a dot, and what it is.
var codeForm = regexp.MustCompile(`^[a-z]+\.[a-z_.]+$`)

// Every Cause is worded by the catalogue: its code is in it, and nobody writes the
// text of one by hand.
func TestEveryCodeInTheSourceHasAPhrase(t *testing.T) {
	codes := 0
	check := func(where token.Position, code string) {
		codes++
		if !phrase.Known(code) {
			t.Errorf("%s: code %q has no phrase: add its English and Chinese to internal/delivery/phrase", where, code)
		}
	}
	eachFile(t, func(path string, set *token.FileSet, f *ast.File) {
		diagnose := strings.Contains(path, filepath.Join("internal", "diagnose"))
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if called(n.Fun) == "Because" {
					if code, ok := literal(n.Args[0]); ok {
						check(set.Position(n.Pos()), code)
					}
				}
			case *ast.ValueSpec: // the constants that diagnose names its codes by
				for _, v := range n.Values {
					if code, ok := literal(v); ok && diagnose && codeForm.MatchString(code) {
						check(set.Position(v.Pos()), code)
					}
				}
			case *ast.CompositeLit:
				if called(n.Type) == "Cause" && len(n.Elts) > 0 && !strings.HasSuffix(path, filepath.Join("delivery", "cause.go")) {
					t.Errorf("%s: make Causes with delivery.Because, so that they are said in every language", set.Position(n.Pos()))
				}
			}
			return true
		})
	})
	if codes < 20 {
		t.Errorf("only %d codes were found: the test no longer sees them", codes)
	}
}
