package catalog

import (
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

const maxRank = 1000

func checkEnvironment(name string, e delivery.Environment, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckLabel("an environment", name))
	}
	if e.Branch != "" && !branchOK(e.Branch) {
		bad("spec.branch", fmt.Sprintf("%q cannot be a branch", clip(e.Branch)))
	}
	if e.Automatic && e.Branch == "" {
		bad("spec.automatic", "automatic has no effect without branch: only pushes are released automatically")
	}
	bad.strategy("spec.strategy", e.Strategy)
	bad.within("spec.rank", e.Rank, 0, maxRank)
	bad.variables("spec.variables", e.Variables)
}

// branchOK follows git-check-ref-format(1).
func branchOK(b string) bool {
	for _, part := range strings.Split(b, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return len(b) <= 250 && b != "@" && !strings.HasPrefix(b, "-") && !strings.HasSuffix(b, ".") &&
		!strings.Contains(b, "..") && !strings.Contains(b, "@{") &&
		!strings.ContainsFunc(b, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) })
}
