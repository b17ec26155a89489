package delivery_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestCoverageSays(t *testing.T) {
	for want, c := range map[string]delivery.Coverage{
		"87.5 % of 1,240 lines":     {CoveredLines: 1085, Lines: 1240},
		"100.0 % of 7 lines":        {CoveredLines: 7, Lines: 7},
		"99.9 % of 1,234,567 lines": {CoveredLines: 1_234_566, Lines: 1_234_567},
		"0.0 % of 100 lines":        {Lines: 100},
		"33.3 % of 3 lines":         {CoveredLines: 1, Lines: 3},
		"0.0 % of 0 lines":          {},
	} {
		if got := c.String(); got != want {
			t.Errorf("%+v is %q, want %q", c, got, want)
		}
	}
}

func TestRunSumsUp(t *testing.T) {
	var run delivery.Run
	if run.Tests() != nil || run.Coverage() != nil || delivery.Results(nil, nil) != "" {
		t.Error("a run without steps has results")
	}
	failure := []delivery.TestFailure{{Name: "x"}}
	run.Jobs = []delivery.Job{
		{Steps: []delivery.Step{{}, {Tests: &delivery.Tests{Passed: 3, Failed: 1, Failures: failure}, Coverage: &delivery.Coverage{CoveredLines: 8, Lines: 10}}}},
		{Steps: []delivery.Step{{Tests: &delivery.Tests{Passed: 1, Skipped: 2}}, {Coverage: &delivery.Coverage{Lines: 10, CoveredBranches: 1, Branches: 2}}}},
	}
	if diff := cmp.Diff(&delivery.Tests{Passed: 4, Failed: 1, Skipped: 2}, run.Tests()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&delivery.Coverage{CoveredLines: 8, Lines: 20, CoveredBranches: 1, Branches: 2}, run.Coverage()); diff != "" {
		t.Error(diff)
	}
	if got, want := delivery.Results(run.Tests(), run.Coverage()), "4 passed, 1 failed, 2 skipped, covers 40.0 % of 20 lines"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
