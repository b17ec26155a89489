package diagnose_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/quality"
)

func sample(output string) *diagnose.Sample {
	s := &diagnose.Sample{}
	for line := range strings.Lines(output) {
		s.Add(strings.TrimSuffix(line, "\n"))
	}
	return s
}

func TestStepFailures(t *testing.T) {
	for name, c := range map[string]struct {
		exit     int
		output   string
		code     string
		text     string
		evidence int
		next     string
	}{
		"go build": {1, "go: downloading a v1.0.0\n# example.com/x\n./main.go:12:2: undefined: foo\n./main.go:14:9: too many return values\n",
			"step.failed", "compile failed (exit 1): ./main.go:12:2: undefined: foo", 2, ""},
		"go vet": {1, "# x\n# [x]\n./main.go:6:2: fmt.Printf format %d has arg s of wrong type string\n",
			"step.failed", "vet failed (exit 1): ./main.go:6:2: fmt.Printf format %d has arg s of wrong type string", 1, ""},
		"go module": {1, "go: example.com/gone@v1.0.0: reading https://proxy.example.com: 404 Not Found\n",
			"step.failed", "step build failed (exit 1): go: example.com/gone@v1.0.0: reading https://proxy.example.com: 404 Not Found", 1, ""},
		"go test": {1, "=== RUN   TestA\n    a_test.go:4: got 1\n--- FAIL: TestA (0.00s)\nFAIL\nFAIL\tx\t0.1s\n",
			"step.failed", "tests failed (exit 1): a_test.go:4: got 1", 1, ""},
		"tsc": {2, "\n> web@1.0.0 build\n> tsc\n\n\x1b[96msrc/a.ts\x1b[0m(3,7): \x1b[91merror\x1b[0m TS2322: Type 'string' is not assignable to type 'number'.\nnpm ERR! code ELIFECYCLE\n",
			"step.failed", "compile failed (exit 2): src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.", 1, ""},
		"npm script": {1, "npm ERR! Missing script: \"build\"\nnpm ERR! \nnpm ERR! To see a list of scripts, run:\nnpm ERR! A complete log of this run can be found in: /x\n",
			"step.failed", `npm failed (exit 1): Missing script: "build"`, 1, "scripts"},
		"node": {1, "/src/a.js:3\n  foo();\n  ^\n\nReferenceError: foo is not defined\n    at Object.<anonymous> (/src/a.js:3:3)\n",
			"step.failed", "step build failed (exit 1): ReferenceError: foo is not defined", 1, ""},
		"node module": {1, "node:internal/modules/cjs/loader:1080\n  throw err;\n  ^\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find module 'x'\n",
			"step.failed", "step build failed (exit 1): Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'x'", 1, ""},
		"java": {1, "[INFO] Compiling\nsrc/A.java:12: error: ';' expected\n",
			"step.failed", "compile failed (exit 1): src/A.java:12: error: ';' expected", 1, ""},
		"generic":   {3, "working\nerror: the thing is broken\nbye\n", "step.failed", "step build failed (exit 3): error: the thing is broken", 1, ""},
		"silent":    {3, "", "step.failed", "step build failed (exit 3)", 0, ""},
		"mumbling":  {3, "one\ntwo\n", "step.failed", "step build failed (exit 3): two", 2, ""},
		"dash":      {127, "sh: 1: mvn: not found\n", "tool.missing", "mvn is not installed where the build runs (exit 127)", 1, "Maven"},
		"bash":      {127, "sh: line 4: frobnicate: command not found\n", "tool.missing", "frobnicate is not installed where the build runs (exit 127)", 1, "Install frobnicate"},
		"env":       {127, "/usr/bin/env: ‘node’: No such file or directory\n", "tool.missing", "node is not installed where the build runs (exit 127)", 1, "Node.js"},
		"oom":       {137, "linking\nKilled\n", "step.killed", "step build was killed by SIGKILL, most likely for lack of memory", 2, "memory"},
		"segfault":  {139, "", "step.killed", "step build was killed by SIGSEGV", 0, ""},
		"exit 200":  {200, "", "step.failed", "step build failed (exit 200)", 0, ""},
		"not x":     {126, "sh: 1: ./mvnw: Permission denied\n", "step.failed", "step build failed (exit 126): sh: 1: ./mvnw: Permission denied", 1, "chmod"},
		"zero errs": {1, "a.go: 0 errors\nlast\n", "step.failed", "step build failed (exit 1): last", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := diagnose.Failure{Step: "build", Exit: c.exit, Output: sample(c.output)}.Cause()
			if got.Code != c.code || got.Text != c.text || len(got.Evidence) != c.evidence {
				t.Errorf("%s %q %q\nwant %s %q and %d lines", got.Code, got.Text, got.Evidence, c.code, c.text, c.evidence)
			}
			if !strings.Contains(got.Next, c.next) || got.Exit == nil || *got.Exit != c.exit || got.Step != "build" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTimeLimits(t *testing.T) {
	f := diagnose.Failure{Step: "test", Exit: -1, Signal: "SIGTERM", Limit: 90 * time.Second, Output: sample("waiting\n")}
	c := f.Cause()
	if c.Code != "step.timeout" || c.Text != "step test was stopped at its time limit of 1m30s" || c.Exit != nil || !slices.Equal(c.Evidence, []string{"waiting"}) {
		t.Errorf("%+v", c)
	}
	f.WholeJob = true
	if c := f.Cause(); !strings.Contains(c.Text, "the job's time limit") {
		t.Errorf("%+v", c)
	}
}

func TestFailedTestsAreTheCause(t *testing.T) {
	c := diagnose.Failure{Step: "test", Exit: 1, Output: sample("error: something else\n"), Tests: &delivery.Tests{
		Failed: 2, Failures: []delivery.TestFailure{{Name: "TestA", Message: "got 1"}, {Name: "TestB"}},
	}}.Cause()
	if c.Code != "tests.failed" || c.Text != "2 tests failed: TestA: got 1" || !slices.Equal(c.Evidence, []string{"TestA: got 1", "TestB"}) {
		t.Errorf("%+v", c)
	}
}

func TestManyErrorsAreBounded(t *testing.T) {
	s := &diagnose.Sample{}
	for i := range 100_000 {
		s.Add(fmt.Sprintf("main.go:%d:2: ", i) + strings.Repeat("界", 200))
	}
	got := s.Errors()
	if len(got) != diagnose.MaxEvidence {
		t.Fatalf("%d lines", len(got))
	}
	for _, line := range got {
		if len(line) > 300 || !utf8.ValidString(line) {
			t.Errorf("%d bytes: %q", len(line), line)
		}
	}
}

func FuzzSample(f *testing.F) {
	for _, r := range append(recordings(f, "steps"), recordings(f, "apps")...) {
		for _, file := range r.archive.Files {
			if file.Name != "cause" {
				f.Add(string(file.Data), 1)
			}
		}
	}
	f.Add("main.go:1:2: x\nsh: 1: go: not found\n\x1b[31merror\x1b]0;x\x07: y\n# [x]\nvet: a.go:1:1: z", 127)
	f.Fuzz(func(t *testing.T, output string, exit int) {
		lines := strings.Split(output, "\n")
		for _, format := range []string{"", quality.GoTestJSON, quality.TAP} {
			promised(t, ran{step: "s", exit: exit, format: format, root: "/tmp/ws/src", stdout: lines}.cause(false))
		}
		crash := diagnose.Crash{Code: "app.crashed", Reason: "exited: " + output, Exited: true, Exit: &exit, Output: lines, Roots: diagnose.Roots{{Dir: "/tmp/ws", Skip: 1}}}
		promised(t, crash.Cause())
	})
}

func BenchmarkSample(b *testing.B) {
	line := "2026/11/23 07:00:00 handling request GET /index.html from 10.0.0.1: ok, nothing wrong here"
	s := &diagnose.Sample{}
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		s.Add(line)
	}
}
