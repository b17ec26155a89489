package runner_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// sourceOf is a repository with these files.
func sourceOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var checkoutStep = delivery.PlanStep{Name: "checkout", Kind: delivery.StepCheckout}

// The runner sends the nearest file, and goes on with the plan that it is answered.
func TestPlanIsRefined(t *testing.T) {
	t.Parallel()
	s := serve(t, checkoutStep, script("old", "echo old"))
	s.assignment.Clone.URL = sourceOf(t, map[string]string{
		"a/b/main.go": "", "a/shiplock.yaml": "steps: []\n", "shiplock.yaml": "other", "go.mod": "module x\n",
	})
	s.assignment.Plan.Path, s.assignment.Plan.Reads = "a/b", []string{"shiplock.yaml", "go.mod", ".nvmrc"}
	unused := script("unused", "echo unused")
	unused.Skip = "the branch is dev"
	s.refined.Plan = &delivery.Plan{Path: "a/b", Steps: []delivery.PlanStep{checkoutStep, unused, script("new", "echo new")}}
	s.fault = func(path string, n int) int {
		if strings.HasSuffix(path, "/plan") && n == 1 {
			return http.StatusServiceUnavailable
		}
		return 0
	}
	if code := launch(t, s).exit(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeSucceeded || len(steps) != 2 || steps["new"].State != delivery.StepSucceeded {
		t.Errorf("%+v, steps %+v", finish, steps)
	}
	want := []delivery.SourceFile{{Path: "a/shiplock.yaml", Text: "steps: []\n"}, {Path: "go.mod", Text: "module x\n"}}
	if !slices.Equal(s.source, want) || !slices.Equal(s.text("out"), []string{"new"}) {
		t.Errorf("sent %+v, output %q", s.source, s.text("out"))
	}
}

func TestPlanIsNotAskedForWithoutFiles(t *testing.T) {
	t.Parallel()
	s := serve(t, checkoutStep)
	s.assignment.Clone.URL, s.assignment.Plan.Reads = sourceOf(t, map[string]string{"main.go": ""}), []string{"shiplock.yaml"}
	launch(t, s).exit(t)
	if finish, _ := s.end(); finish.Outcome != api.OutcomeSucceeded {
		t.Errorf("%+v", finish)
	}
	for path, n := range s.asked {
		if strings.HasSuffix(path, "/plan") {
			t.Errorf("asked %d times", n)
		}
	}
}

func TestPlanIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, checkoutStep, script("build", "echo built"))
	s.assignment.Clone.URL, s.assignment.Plan.Reads = sourceOf(t, map[string]string{"shiplock.yaml": "stpes: []"}), []string{"shiplock.yaml"}
	s.refined.Cause = &delivery.Cause{Code: "plan.invalid", Text: "shiplock.yaml:1:1: unknown field", Evidence: []string{"line"}}
	launch(t, s).exit(t)
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeFailed || finish.Cause.Code != "plan.invalid" || finish.Cause.Step != "checkout" || steps["checkout"].State != delivery.StepFailed || len(steps) != 1 {
		t.Errorf("%+v, steps %+v", finish.Cause, steps)
	}
	if !slices.Contains(s.text("sys"), "shiplock.yaml:1:1: unknown field") {
		t.Errorf("log %q", s.text("sys"))
	}
}

// Nothing but small, plain files is sent.
func TestPlanReadsFilesOnly(t *testing.T) {
	t.Parallel()
	s := serve(t, checkoutStep)
	dir := sourceOf(t, map[string]string{"app/x": "", "large": strings.Repeat("x", delivery.MaxSourceFile+1), "bytes": "a\xffb", "folder/x": ""})
	for link, to := range map[string]string{"link": "/etc/passwd", "app/up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	s.assignment.Clone.URL = dir
	s.assignment.Plan.Path, s.assignment.Plan.Reads = "app", []string{"link", "large", "bytes", "folder", "up"}
	s.refined.Cause = &delivery.Cause{Text: "enough"}
	launch(t, s).exit(t)
	s.end()
	want := []delivery.SourceFile{
		{Path: "link", Problem: delivery.SourceSymlink}, {Path: "large", Problem: delivery.SourceLarge}, {Path: "bytes", Text: "a\ufffdb"},
		{Path: "folder", Problem: delivery.SourceIrregular}, {Path: "app/up", Problem: delivery.SourceSymlink},
	}
	if !slices.Equal(s.source, want) {
		t.Errorf("sent %+v", s.source)
	}
}

func TestDeclaredFilesAreThere(t *testing.T) {
	for name, tc := range map[string]struct {
		run, input, output string
		want               string
	}{
		"made":           {"mkdir out; echo x > out/a", "", "out/a", ""},
		"not made":       {"true", "", "out/a", "step make was to make out/a: it is not there"},
		"not there":      {"true", "gen", "", "step make uses gen: it is not there"},
		"out of the way": {"ln -s /etc out", "", "out", "a symbolic link leads out of the App's folder"},
		"dangling":       {"ln -s nowhere out", "", "out", "it is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := script("make", tc.run)
			if tc.input != "" {
				step.Inputs = []string{tc.input}
			}
			if tc.output != "" {
				step.Outputs = []string{tc.output}
			}
			s := serve(t, step)
			launch(t, s).exit(t)
			finish, _ := s.end()
			if got := finish.Cause.String(); !strings.Contains(got, tc.want) || (tc.want == "") != (finish.Outcome == api.OutcomeSucceeded) {
				t.Errorf("%s: %q", finish.Outcome, got)
			}
		})
	}
}
