package catalog

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// RepositoryFile is the name of the file by which a repository makes exceptions.
const RepositoryFile = "shiplock.yaml"

// Bounds of a repository's file.
const (
	maxChanges  = 50
	maxTimeout  = 6 * time.Hour
	maxPatterns = 50 // of one list
)

// Repository is a repository's file and where its fields stand.
type Repository struct {
	delivery.Exceptions
	file string
	at   map[string]position
}

// ParseRepository reads a repository's file. An empty one makes no exceptions. The
// error is of kind Invalid and holds all Problems.
func ParseRepository(file string, data []byte) (Repository, error) {
	r := Repository{file: file, at: map[string]position{}}
	if len(data) > delivery.MaxSourceFile {
		return r, Problems{{File: file, Msg: fmt.Sprintf("the file has %d bytes, and may have %d", len(data), delivery.MaxSourceFile)}}.Err()
	}
	nodes, problems := syntax(file, data)
	if len(nodes)+len(problems) > 1 {
		problems = append(problems, Problem{File: file, Msg: "the file has several documents: keep one"})
	}
	if len(problems) > 0 || len(nodes) == 0 {
		return r, problems.Err()
	}
	b := &binder{file: file, at: r.at, foreign: foreignField}
	b.value(nodes[0], reflect.ValueOf(&r.Exceptions).Elem(), "")
	bad := b.bad
	if len(b.problems) > 0 {
		bad = b.badBut(slices.Clone(b.problems))
	}
	checkExceptions(r.Exceptions, bad, func(path string) bool { _, written := b.at[path]; return written })
	return r, b.problems.Err()
}

// Line returns the line of a field, such as "steps[0].run", or of the nearest one
// around it that was written.
func (r Repository) Line(field string) int { return nearestPlace(r.at, field).line }

// Site is where a field stands, for people: "shiplock.yaml:12".
func (r Repository) Site(field string) string { return fmt.Sprintf("%s:%d", r.file, r.Line(field)) }

// Problem is a fault of a field that shows only beside the standard.
func (r Repository) Problem(field, msg string) Problem {
	at := nearestPlace(r.at, field)
	return Problem{File: r.file, Line: at.line, Column: at.column, Field: field, Msg: msg}
}

// companys are fields that people look for here, and that a repository does not
// decide on, with the kind of document that does.
var companys = map[string]string{
	"registry": KindStack, "base": KindStack, "image": KindStack, "buildImage": KindStack, "tools": KindStack, "home": KindStack, "runtime": "",
	"pod": KindStack, "nodeSelector": KindStack, "tolerations": KindStack, "volumes": KindStack, "pullSecrets": KindStack, "services": KindStack,
	"resources": KindApp, "requests": KindApp, "limits": KindApp, "timeout": KindApp,
	"build":       "",
	"credentials": "", "secrets": "", "environments": KindApp, "replicas": KindApp, "listen": KindApp, "variables": KindApp,
	"health": KindApp, "stack": KindApp, "repo": KindApp, "path": KindApp, "watch": KindApp, "team": KindApp, "labels": KindApp, "workload": KindApp, "manifests": KindApp,
	"cluster": KindEnvironment, "namespace": KindEnvironment,
	"strategy": KindEnvironment, "batches": KindEnvironment, "branch": KindEnvironment, "automatic": KindEnvironment, "bake": KindEnvironment, "protected": KindEnvironment,
}

// foreignField says what to do about a field that is not the repository's.
func foreignField(path, key string) string {
	if path != "" {
		return ""
	}
	switch kind, known := companys[key]; {
	case key == "apiVersion" || key == "kind" || key == "metadata" || key == "spec":
		return fmt.Sprintf("%q belongs to the catalog's documents: this file begins with its fields, such as steps", key)
	case key == "runtime" || key == "build":
		return fmt.Sprintf("%q belongs to a Stack: write steps, env, output, port, start or logs here", key)
	case key == "credentials" || key == "secrets":
		return fmt.Sprintf("%q is the company's, and never stands in a repository: remove it", key)
	case known:
		return fmt.Sprintf("%q is the company's, not the repository's: it is set in the catalog's %s", key, kind)
	}
	return ""
}

func checkExceptions(e delivery.Exceptions, bad report, written func(string) bool) {
	bad.variables("env", e.Env)
	if written("output") {
		bad.relative("output", e.Output)
	}
	if written("port") {
		bad.within("port", e.Port, 1, 65535)
	}
	if written("start") && (strings.TrimSpace(e.Start) == "" || strings.ContainsRune(e.Start, 0)) {
		bad("start", "start is the content of start.sh: write at least one command")
	}
	if written("logs") {
		bad.filePattern("logs", e.Logs)
	}
	if len(e.Steps) > maxChanges {
		bad("steps", fmt.Sprintf("there are %d steps, and may be %d", len(e.Steps), maxChanges))
		return
	}
	checkChanges("steps", e.Steps, bad, written)
}

// checkChanges holds changes of steps to the rules that need no standard beside.
func checkChanges(path string, changes []delivery.StepChange, bad report, written func(string) bool) {
	seen := map[string]bool{}
	for i, c := range changes {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case c.Name == "":
			bad(at, "name is missing: write the name of the step that changes, or of a new one")
		case slices.Contains(ownSteps[:], c.Name):
			bad(at+".name", fmt.Sprintf("%s is Shiplock's own step, and cannot be changed", c.Name))
		case seen[c.Name]:
			bad(at+".name", fmt.Sprintf("step %s is written twice: remove one", c.Name))
		default:
			bad.err(at+".name", delivery.CheckLabel("a step", c.Name))
		}
		seen[c.Name] = true
		checkChange(at, c, bad, written)
	}
}

func checkChange(at string, c delivery.StepChange, bad report, written func(string) bool) {
	switch {
	case c.Skip && c.Run != "":
		bad(at+".skip", "a step that is skipped runs nothing: remove skip or run")
	case written(at+".run") && strings.TrimSpace(c.Run) == "":
		bad(at+".run", "run is empty: write commands, or skip: true to leave the step out")
	case strings.ContainsRune(c.Run, 0):
		bad(at+".run", "a script cannot hold a NUL character")
	}
	if n := count(c.Before != "", c.After != "", written(at+".needs")); n > 1 {
		bad(at, "before, after and needs exclude each other: keep one")
	}
	if written(at+".needs") && len(c.Needs) == 0 {
		bad(at+".needs", "needs is empty: write [checkout] to start at once, or remove it")
	}
	if written(at+".timeout") && (c.Timeout <= 0 || c.Timeout.Std() > maxTimeout) {
		bad(at+".timeout", fmt.Sprintf("timeout must be more than 0 and at most %s", strings.TrimSuffix(maxTimeout.String(), "0m0s")))
	}
	bad.oneOf(at+".tests", c.Tests, testFormats[:]...)
	bad.variables(at+".env", c.Env)
	checkReports(at+".reports", c.Reports, bad)
	bad.paths(at+".outputs", c.Outputs)
	bad.paths(at+".inputs", c.Inputs)
	if w := c.When; w != nil {
		checkCondition(at+".when", *w, bad)
	}
}

func checkCondition(at string, c delivery.Condition, bad report) {
	if len(c.Branch)+len(c.Environment)+len(c.Labels)+len(c.Paths) == 0 {
		bad(at, "when says nothing: write branch, environment, labels or paths")
	}
	for field, n := range map[string]int{"branch": len(c.Branch), "environment": len(c.Environment), "paths": len(c.Paths), "labels": len(c.Labels)} {
		if n > maxPatterns {
			bad(join(at, field), fmt.Sprintf("there are %d entries, and may be %d", n, maxPatterns))
		}
	}
	for i, p := range c.Branch {
		bad.branchPattern(fmt.Sprintf("%s.branch[%d]", at, i), p)
	}
	for i, e := range c.Environment {
		bad.err(fmt.Sprintf("%s.environment[%d]", at, i), delivery.CheckLabel("an environment", e))
	}
	for i, p := range c.Paths {
		bad.filePattern(fmt.Sprintf("%s.paths[%d]", at, i), p)
	}
	bad.labels(at+".labels", c.Labels)
}

func count(facts ...bool) (n int) {
	for _, f := range facts {
		if f {
			n++
		}
	}
	return n
}
