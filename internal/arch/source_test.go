package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
)

// clockSymbols of package time depend on the moment or on the machine.
var clockSymbols = []string{
	"Now", "Since", "Until", "Local", "LoadLocation", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker",
}

// clockUses lists the uses of the clock in a file.
func clockUses(f *ast.File) []ast.Node {
	name := ""
	for _, spec := range f.Imports {
		if path, _ := strconv.Unquote(spec.Path.Value); path == "time" {
			name = "time"
			if spec.Name != nil {
				name = spec.Name.Name
			}
		}
	}
	var uses []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && name != "" && slices.Contains(clockSymbols, s.Sel.Name) {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == name && x.Obj == nil {
				uses = append(uses, s)
			}
		}
		return true
	})
	return uses
}

// inits lists the init functions of a file.
func inits(f *ast.File) []ast.Node {
	var found []ast.Node
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			found = append(found, fn)
		}
	}
	return found
}

// globals finds the variables of a package that change after its start: those that
// are written to, and those that are made for it (locks, channels, empty ones).
func globals(files []*ast.File) []ast.Node {
	vars := make(map[string]*ast.Ident)
	var found []ast.Node
	for _, f := range files {
		for _, spec := range varSpecs(f) {
			for _, name := range spec.Names {
				if name.Name == "_" {
					continue
				}
				vars[name.Name] = name
				if madeToChange(spec) {
					found = append(found, name)
				}
			}
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			for _, target := range written(n) {
				if name := root(target); name != nil && isGlobal(name, vars) && !slices.Contains(found, ast.Node(vars[name.Name])) {
					found = append(found, vars[name.Name])
				}
			}
			return true
		})
	}
	return found
}

func varSpecs(f *ast.File) []*ast.ValueSpec {
	var specs []*ast.ValueSpec
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR && (g.Doc == nil || !embeds(g.Doc)) {
			for _, s := range g.Specs {
				if v := s.(*ast.ValueSpec); v.Doc == nil || !embeds(v.Doc) {
					specs = append(specs, v)
				}
			}
		}
	}
	return specs
}

func embeds(doc *ast.CommentGroup) bool {
	return slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return len(c.Text) > 10 && c.Text[:10] == "//go:embed" })
}

// madeToChange tells whether a variable has no value yet, or one of a type that is
// there to change.
func madeToChange(v *ast.ValueSpec) bool {
	if len(v.Values) == 0 {
		return true
	}
	return slices.ContainsFunc(v.Values, func(e ast.Expr) bool {
		if lit, ok := e.(*ast.CompositeLit); ok {
			s, ok := lit.Type.(*ast.SelectorExpr)
			if !ok {
				return false
			}
			x, ok := s.X.(*ast.Ident)
			return ok && (x.Name == "sync" || x.Name == "atomic")
		}
		call, ok := e.(*ast.CallExpr)
		if !ok {
			return false
		}
		name, ok := call.Fun.(*ast.Ident)
		return ok && (name.Name == "make" || name.Name == "new")
	})
}

// written lists the expressions that a statement writes to, or takes the address of.
func written(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "delete" || name.Name == "clear") && len(n.Args) > 0 {
			return n.Args[:1]
		}
	}
	return nil
}

// root returns x of x, x[i], x.f and *x.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isGlobal tells whether a name means the package's variable and no local one: the
// parser resolves names within a file, and leaves those of other files open.
func isGlobal(name *ast.Ident, vars map[string]*ast.Ident) bool {
	global, ok := vars[name.Name]
	return ok && (name.Obj == nil || name.Obj == global.Obj)
}

func at(fset *token.FileSet, n ast.Node) string {
	p := fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}
