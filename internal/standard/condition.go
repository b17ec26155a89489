package standard

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// refute says why a condition does not hold; empty when it does.
func (f Facts) refute(c delivery.Condition) string {
	if len(c.Branch) > 0 && !slices.ContainsFunc(c.Branch, func(p string) bool { return delivery.MatchBranch(p, f.Branch) }) {
		return fmt.Sprintf("the branch is %s, not %s", f.Branch, strings.Join(c.Branch, " or "))
	}
	if len(c.Environment) > 0 && !slices.Contains(c.Environment, f.Environment) {
		return fmt.Sprintf("the environment is %s, not %s", f.Environment, strings.Join(c.Environment, " or "))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Labels)) {
		if f.Labels[key] != c.Labels[key] {
			return fmt.Sprintf("the app has no label %s: %s", key, c.Labels[key])
		}
	}
	if len(c.Paths) > 0 && f.Changed != nil && !changes(c.Paths, f.Changed.Paths) {
		return "nothing changed in " + strings.Join(c.Paths, " or ")
	}
	return ""
}

func changes(patterns, files []string) bool {
	for _, p := range patterns {
		pattern := delivery.NewPathPattern(p)
		for _, file := range files {
			if pattern.Matches(strings.Split(file, "/")) {
				return true
			}
		}
	}
	return false
}
