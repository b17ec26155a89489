package diagnose_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/quality"
)

var update = flag.Bool("update", false, "write the Causes in testdata anew")

// recording is what a real tool, or an app in three starts, wrote and how it
// ended, with the Cause that this must give.
type recording struct {
	path    string
	archive *txtar.Archive
	meta    map[string]string
}

func recordings(t testing.TB, dir string) []recording {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var all []recording
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r := recording{path, archive, map[string]string{}}
		for line := range strings.Lines(string(archive.Comment)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			r.meta[name] = value
		}
		all = append(all, r)
	}
	return all
}

func (r recording) name() string { return strings.TrimSuffix(filepath.Base(r.path), ".txtar") }

func (r recording) file(name string) []string {
	for _, f := range r.archive.Files {
		if f.Name == name {
			return strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n")
		}
	}
	return nil
}

func (r recording) exit(t *testing.T) int {
	t.Helper()
	exit, err := strconv.Atoi(r.meta["exit"])
	if err != nil {
		t.Fatal(err)
	}
	return exit
}

// check compares a Cause with the recorded one and with what every Cause promises.
func (r recording) check(t *testing.T, got delivery.Cause) {
	t.Helper()
	promised(t, got)
	if strings.Contains(got.Text+strings.Join(got.Evidence, ""), r.meta["root"]+"/") {
		t.Errorf("paths are not relative to the app: %q %q", got.Text, got.Evidence)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		files := r.archive.Files[:0]
		for _, f := range r.archive.Files {
			if f.Name != "cause" {
				files = append(files, f)
			}
		}
		r.archive.Files = append([]txtar.File{{Name: "cause", Data: b.Bytes()}}, files...)
		if err := os.WriteFile(r.path, txtar.Format(r.archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Join(r.file("cause"), "\n"), strings.TrimSpace(b.String())); diff != "" {
		t.Error(diff)
	}
}

func promised(t *testing.T, c delivery.Cause) {
	t.Helper()
	if c.Code == "" || c.Text == "" || len(c.Evidence) > diagnose.MaxEvidence {
		t.Fatalf("%+v", c)
	}
	for _, line := range append([]string{c.Text}, c.Evidence...) {
		if len(line) > 300 || strings.ContainsAny(line, "\x1b\n\r") {
			t.Fatalf("not one plain line of 300 bytes: %q", line)
		}
	}
}

// ran is the end of a step.
type ran struct {
	step   string
	exit   int
	format string // of its tests
	root   string
	stdout []string
	stderr []string
	junit  []string // what it left in junit.xml
}

// cause judges the step the runner's way; early: its stderr came before its stdout.
func (r ran) cause(early bool) delivery.Cause {
	roots := diagnose.Roots{{Dir: r.root}}
	out := &diagnose.Sample{Roots: roots}
	errors := func() {
		for _, line := range r.stderr {
			out.Add(line)
		}
	}
	if early {
		errors()
	}
	reader := quality.NewReader(r.format, roots)
	for _, line := range r.stdout {
		show := true
		if reader != nil {
			line, show = reader.Line(line)
		}
		if show {
			out.Add(line)
		}
	}
	if !early {
		errors()
	}
	f := diagnose.Failure{Step: r.step, Exit: r.exit, Output: out}
	if reader != nil {
		for _, line := range reader.End() {
			out.Add(line)
		}
		f.Tests = reader.Summary()
	}
	files := quality.Reports{Roots: roots}
	if err := files.Add(quality.JUnit, "junit.xml", strings.NewReader(strings.Join(r.junit, "\n"))); err == nil {
		f.Tests = quality.Fuller(files.Tests(), f.Tests)
	}
	return f.Cause()
}

// The two streams of a step race, so a Cause must not depend on who comes first.
func TestRecordedSteps(t *testing.T) {
	for _, r := range recordings(t, "steps") {
		t.Run(r.name(), func(t *testing.T) {
			end := ran{
				step: r.meta["step"], exit: r.exit(t), format: r.meta["tests"], root: r.meta["root"],
				stdout: r.file("stdout"), stderr: r.file("stderr"), junit: r.file("junit.xml"),
			}
			r.check(t, end.cause(false))
			if diff := cmp.Diff(end.cause(false), end.cause(true)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecordedCrashes(t *testing.T) {
	for _, r := range recordings(t, "apps") {
		t.Run(r.name(), func(t *testing.T) {
			c := diagnose.Crash{
				Code: "app.crashed", Reason: r.meta["reason"], Exited: r.meta["exit"] != "", Output: r.file("log"),
				Roots: diagnose.Roots{{Dir: filepath.Dir(r.meta["root"]), Skip: 1}}, Args: map[string]string{"revision": "3e98f53dc427"},
			}
			if c.Exited {
				exit := r.exit(t)
				c.Exit = &exit
			} else {
				c.Code = "app.unhealthy"
			}
			before := maps.Clone(c.Args)
			r.check(t, c.Cause())
			if !maps.Equal(before, c.Args) {
				t.Error("changes its input")
			}
		})
	}
}
