package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// when is the rule as the documents say it.
func (r rule) when() string {
	switch {
	case r.restarts == 1 && r.after > 0 && r.after != never:
		return "after " + r.after.String() + " or 1 restart"
	case r.restarts == 1:
		return "after 1 restart"
	case r.restarts > 0:
		return fmt.Sprintf("after %d restarts", r.restarts)
	case r.pods > 0:
		return fmt.Sprintf("after %d pods", r.pods)
	case r.after == never:
		return "at the deadline"
	case r.after > 0:
		return "after " + r.after.String()
	}
	return "at once"
}

// The documents have the same table.
func TestRulesAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "spec", "cause.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z]+\\.[a-z_]+)` \\| [^|]+ \\| ([^|]+) \\|$").FindAllStringSubmatch(string(text), -1)
	if len(rows) != len(rules) {
		t.Errorf("%d rows for %d rules", len(rows), len(rules))
	}
	for i, row := range rows[:min(len(rows), len(rules))] {
		if r := rules[i]; row[1] != r.code || row[2] != r.when() {
			t.Errorf("row %d is %s %s; the rule is %s %s", i, row[1], row[2], r.code, r.when())
		}
	}
}

// What is found has a rule and a phrase.
func TestCodesHaveRules(t *testing.T) {
	var codes []string
	for _, code := range pulls {
		codes = append(codes, code)
	}
	for why := said.RefusedUnknown; why <= said.RefusedKind; why++ {
		codes = append(codes, refusals[why])
	}
	for _, code := range disruptions {
		codes = append(codes, code)
	}
	for _, check := range checks {
		codes = append(codes, check.code)
	}
	for _, code := range codes {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.code == code }) {
			t.Errorf("%q has no rule", code)
		}
	}
	for i, r := range rules {
		if at, _ := rank(r.code); at != i {
			t.Errorf("%s has two rules", r.code)
		}
		if !phrase.Known(r.code) {
			t.Errorf("%s has no phrase", r.code)
		}
	}
}
