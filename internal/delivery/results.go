package delivery

import (
	"fmt"
	"strconv"
	"strings"
)

// Tests sums up test results.
type Tests struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	// Failures names the first failing tests with their messages.
	Failures []TestFailure `json:"failures,omitempty"`
}

// TestFailure is one failing test.
type TestFailure struct {
	Name    string `json:"name"`
	Message string `json:"message,omitempty"`
}

// Total is the number of tests; nil has none.
func (t *Tests) Total() int {
	if t == nil {
		return 0
	}
	return t.Passed + t.Failed + t.Skipped
}

func (t Tests) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.Passed, t.Failed, t.Skipped)
}

// Coverage says how much of the code the tests have reached.
type Coverage struct {
	// CoveredLines of Lines that could be; of Go, statements.
	CoveredLines int64 `json:"coveredLines"`
	Lines        int64 `json:"lines"`
	// CoveredBranches of Branches; 0 of 0 when the report tells none.
	CoveredBranches int64 `json:"coveredBranches,omitempty"`
	Branches        int64 `json:"branches,omitempty"`
}

// String is like "87.5 % of 1,240 lines".
func (c Coverage) String() string {
	return percent(c.CoveredLines, c.Lines) + " of " + grouped(c.Lines) + " lines"
}

// percent is rounded down to a tenth: 100 % is only what is whole.
func percent(part, whole int64) string {
	if whole <= 0 {
		return "0.0 %"
	}
	tenths := part * 1000 / whole
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

// grouped separates thousands by commas.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Results is like "40 passed, 1 failed, 0 skipped, covers 87.5 % of 1,240 lines".
// Either may be nil.
func Results(t *Tests, c *Coverage) string {
	var parts []string
	if t != nil {
		parts = append(parts, t.String())
	}
	if c != nil {
		parts = append(parts, "covers "+c.String())
	}
	return strings.Join(parts, ", ")
}

// Tests sums up the tests of all steps, without the failures; nil when there were
// none.
func (r Run) Tests() *Tests {
	var sum Tests
	for s := range r.steps {
		if t := s.Tests; t != nil {
			sum.Passed, sum.Failed, sum.Skipped = sum.Passed+t.Passed, sum.Failed+t.Failed, sum.Skipped+t.Skipped
		}
	}
	if sum.Total() == 0 {
		return nil
	}
	return &sum
}

// Coverage sums up the coverage of all steps; nil when none was measured.
func (r Run) Coverage() *Coverage {
	var sum *Coverage
	for s := range r.steps {
		if c := s.Coverage; c != nil {
			if sum == nil {
				sum = &Coverage{}
			}
			sum.CoveredLines, sum.Lines = sum.CoveredLines+c.CoveredLines, sum.Lines+c.Lines
			sum.CoveredBranches, sum.Branches = sum.CoveredBranches+c.CoveredBranches, sum.Branches+c.Branches
		}
	}
	return sum
}

// steps yields the steps of all jobs.
func (r Run) steps(yield func(Step) bool) {
	for _, j := range r.Jobs {
		for _, s := range j.Steps {
			if !yield(s) {
				return
			}
		}
	}
}
