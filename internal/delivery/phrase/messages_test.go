package phrase_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// technical are the packages whose errors reach only the server's log, or are
// wrapped by what a person reads.
var technical = []string{
	"internal/deployer/local", "internal/demo", "internal/joblog", "internal/blob", "internal/registry", "internal/executor", "enginetest", "storetest", "cmd/shiplock-runner",
}

// verb is one of fmt's; a message's arguments are made up for the test.
var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*\d*(\.\d+)?[a-zA-Z]`)

// ending is an argument that is empty or goes on with the text, such as what comes
// near a name that is not known.
var ending = regexp.MustCompile(`(\w)%s`)

// counted have numbers with their nouns, which a sample does not.
var counted = []string{"x1 takes x1, and got x1: x1", "x1 running, x1 queued, x1 under way, x1 waiting",
	"x1 of x1 places for jobs are taken, x1 wait for one",
	"x1 looked at every x1 for pushes whose hook never came, x1; x1 recovered since the server started",
	"Kept: the newest x1 of each app and environment, all of the last x1; log lines x1, audit entries x1.",
	"Dropped x1, x1 in all.", "The next pass removes x1, x1 and x1, with their logs and images.",
}

// words are what a sample says without its arguments.
func words(text string) string {
	return strings.NewReplacer("x1", "", "x2", "", " ", "", ":", "", ",", "", ".", "").Replace(text)
}

// sample is a message that an expression makes; false: it makes no text of ours.
func sample(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return literal(e)
	case *ast.BinaryExpr:
		left, ok := sample(e.X)
		right, also := sample(e.Y)
		if !ok {
			left = "x1"
		}
		if !also {
			right = "x2"
		}
		return left + right, (ok || also) && e.Op == token.ADD
	case *ast.CallExpr:
		if name := called(e.Fun); (name == "Sprintf" || name == "say") && len(e.Args) > 0 {
			format, ok := literal(e.Args[0])
			format = strings.ReplaceAll(format, "%%", "\x00")
			return strings.ReplaceAll(verb.ReplaceAllString(ending.ReplaceAllString(format, "$1"), "x1"), "\x00", "%"), ok
		}
	}
	return "", false
}

// messageOf is what a call says to people, if anything.
func messageOf(path string, call *ast.CallExpr) (string, bool) {
	switch name := called(call.Fun); {
	case (name == "E" || name == "Wrap") && len(call.Args) >= 2 && called(call.Args[0]) != "Internal":
		return sample(call.Args[1])
	case name == "bad" && len(call.Args) == 2 && (strings.Contains(path, filepath.Join("internal", "catalog")) || strings.Contains(path, filepath.Join("internal", "standard"))):
		return sample(call.Args[1])
	case name == "usageOf" && len(call.Args) == 2:
		return sample(call.Args[1])
	case (name == "say" || name == "in") && strings.Contains(path, filepath.Join("internal", "cli")), name == "say" && strings.Contains(path, filepath.Join("internal", "engine")):
		return sample(call)
	}
	return "", false
}

// What people read is said in both languages, wherever it comes from.
func TestEveryMessageHasChinese(t *testing.T) {
	messages, missing := 0, []string{}
	eachFile(t, func(path string, set *token.FileSet, f *ast.File) {
		for _, dir := range technical {
			if strings.Contains(filepath.ToSlash(path), dir) {
				return
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			text, ok := "", false
			switch n := n.(type) {
			case *ast.CallExpr:
				text, ok = messageOf(path, n)
			case *ast.KeyValueExpr: // the fields that say why
				if key := called(n.Key); key == "Note" || key == "Why" {
					text, ok = sample(n.Value)
				}
			}
			if !ok || !strings.Contains(text, " ") || len(words(text)) < 5 || slices.Contains(counted, text) {
				return true
			}
			messages++
			if said := phrase.In(phrase.Chinese, text); said == text {
				missing = append(missing, fmt.Sprintf("%s: %q has no Chinese: add it to internal/delivery/phrase", set.Position(n.Pos()), text))
			}
			return true
		})
	})
	if len(missing) > 0 {
		t.Error(strings.Join(missing, "\n"))
	}
	if messages < 150 {
		t.Errorf("only %d messages were found: the test no longer sees them", messages)
	}
}
