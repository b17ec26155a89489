package runner_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// writing is a step that writes a report, and says where.
func writing(name, text, format, pattern string) delivery.PlanStep {
	s := script(name, text)
	s.Reports = []delivery.ReportFiles{{Format: format, Path: pattern}}
	return s
}

const suite = `mkdir -p out
cat >out/TEST-$1.xml <<END
<testsuite><testcase classname="Cart" name="adds"/><testcase classname="Cart" name="sums"><failure message="expected 3 but was log-secret"/></testcase></testsuite>
END
`

func TestReportsOfAFailingStep(t *testing.T) {
	t.Parallel()
	step := writing("test", suite+"echo 'mode: set\na.go:1.1,2.2 7 1\na.go:3.1,4.2 1 0' >cover.out; exit 1", "junit", "out/TEST-*.xml")
	step.Reports = append(step.Reports, delivery.ReportFiles{Format: "go-cover", Path: "cover.out"}, delivery.ReportFiles{Format: "lcov", Path: "**/lcov.info"})
	s := serve(t, step)
	s.assignment.Masks = []string{"log-secret"}
	launch(t, s).exit(t)
	finish, steps := s.end()
	c, test := finish.Cause, steps["test"]
	if finish.Outcome != api.OutcomeFailed || c == nil || c.Text != "1 test failed: Cart.sums: expected 3 but was ***" {
		t.Errorf("%+v", c)
	}
	want := &delivery.Tests{Passed: 1, Failed: 1, Failures: []delivery.TestFailure{{Name: "Cart.sums", Message: "expected 3 but was ***"}}}
	if diff := cmp.Diff(want, test.Tests); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&delivery.Coverage{CoveredLines: 7, Lines: 8}, test.Coverage); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{"Reports (2): 1 passed, 1 failed, 0 skipped, covers 87.5 % of 8 lines", "No file matches these reports: lcov **/lcov.info"} {
		if said := s.text("sys"); !slices.Contains(said, line) {
			t.Errorf("%q is not said in %q", line, said)
		}
	}
}

// What is on the output and in a file is the same tests.
func TestReportsAndOutputCountOnce(t *testing.T) {
	t.Parallel()
	step := writing("test", suite+"echo 'ok 1 - adds\nnot ok 2 - sums'", "junit", "out/*.xml")
	step.Tests = "tap"
	s := serve(t, step)
	launch(t, s).exit(t)
	finish, steps := s.end()
	if x := steps["test"].Tests; finish.Outcome != api.OutcomeSucceeded || x.Total() != 2 || x.Failures[0].Name != "Cart.sums" {
		t.Errorf("%s: %+v", finish.Outcome, x)
	}
}

// A step's results are the files that it wrote.
func TestReportsOfAnotherStepDoNotCount(t *testing.T) {
	t.Parallel()
	s := serve(t, writing("unit", suite, "junit", "out/*.xml"), writing("integration", "set it\n"+suite, "junit", "out/*.xml"), writing("none", ":", "junit", "out/*.xml"))
	launch(t, s).exit(t)
	_, steps := s.end()
	if u, i, n := steps["unit"].Tests.Total(), steps["integration"].Tests.Total(), steps["none"].Tests.Total(); u != 2 || i != 2 || n != 0 {
		t.Errorf("%d, %d and %d tests", u, i, n)
	}
}

func TestBrokenReportsAreWarnings(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside.xml")
	if err := os.WriteFile(outside, []byte(`<testsuite><testcase name="not ours"/></testsuite>`), 0o644); err != nil {
		t.Fatal(err)
	}
	s := serve(t, writing("test", suite+`
ln -s `+outside+` out/link.xml
mkfifo out/pipe.xml
echo '<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite>&a;</testsuite>' >out/bomb.xml
head -c 33554433 /dev/zero >out/big.xml
printf '<testsuite><testcase name="cut' >out/cut.xml
for i in 1 2 3 4 5 6 7 8 9; do : >out/empty$i.xml; done
`, "junit", "out/*.xml"))
	launch(t, s).exit(t)
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeSucceeded || steps["test"].Tests.Total() != 2 {
		t.Errorf("%+v %+v", finish, steps["test"].Tests)
	}
	warnings := strings.Join(steps["test"].Warnings, "\n")
	for _, want := range []string{"out/bomb.xml: it defines a document type", "out/big.xml: it is larger than 32 MiB", "out/cut.xml: it ends too early", "out/empty1.xml: it is empty"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no warning of %s in\n%s", want, warnings)
		}
	}
	if n := len(steps["test"].Warnings); n != 10 {
		t.Errorf("%d warnings", n)
	}
}
