package catalog

import (
	"fmt"
	"path"
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
	checkSource(name, e, bad)
	if q := e.Requires; q.Environment == "" && (q.HealthyFor != 0 || q.Same != "") {
		bad("spec.requires.environment", "environment is missing: name where it has to run first, such as pre")
	}
	bad.oneOf("spec.requires.same", string(e.Requires.Same), string(delivery.SameDigest), string(delivery.SameCommit))
	bad.oneOf("spec.requires.gate", string(e.Requires.Gate), string(delivery.GatePassed))
	if len(e.Branches) > maxPatterns {
		bad("spec.branches", fmt.Sprintf("there are %d patterns, and may be %d", len(e.Branches), maxPatterns))
	}
	for i, p := range e.Branches {
		bad.branchPattern(fmt.Sprintf("spec.branches[%d]", i), p)
	}
	bad.strategy("spec.strategy", e.Strategy)
	bad.within("spec.rank", e.Rank, 0, maxRank)
	bad.variables("spec.variables", e.Variables)
	bad.resources("spec.build.resources", e.Build.Resources)
	checkNodes("spec.build", e.Build.NodeSelector, e.Build.Tolerations, bad)
	checkPlace(e, bad)
}

// checkPlace looks at where an environment's apps run.
func checkPlace(e delivery.Environment, bad report) {
	if e.Cluster != "" {
		bad.err("spec.cluster", delivery.CheckLabel("a cluster", e.Cluster))
	}
	switch ns := e.Namespace; {
	case e.Cluster != "" && ns == "":
		bad("spec.cluster", "namespace is missing: write the part of the cluster that is for this environment alone, such as shop-prod")
	case e.Cluster == "" && ns != "":
		bad("spec.namespace", "namespace has no effect without cluster: name the Cluster that it is of")
	case ns != "" && !namespaceName(ns):
		bad("spec.namespace", fmt.Sprintf("%q cannot be a namespace: use 1–63 of a–z, 0–9 and '-'", clip(ns)))
	case strings.HasPrefix(ns, "kube-") || ns == "default":
		bad("spec.namespace", fmt.Sprintf("namespace %s is the cluster's own: choose one that is for this environment alone", ns))
	}
	bad.oneOf("spec.drift", string(e.Drift), string(delivery.DriftShow), string(delivery.DriftHeal))
}

var namespaceName = pattern(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// checkSource looks at where an environment's artifacts come from.
func checkSource(name string, e delivery.Environment, bad report) {
	if _, err := path.Match(e.Tags, ""); err != nil || len(e.Tags) > 250 || strings.ContainsFunc(e.Tags, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		bad("spec.tags", fmt.Sprintf(`%q is no pattern of tags: write e.g. v* or shop-v*`, clip(e.Tags)))
	}
	switch from := e.Promote.From; {
	case from != "" && from == name:
		bad("spec.promote.from", "an environment cannot take what runs in itself: name another one")
	case from != "" && e.Automatic:
		bad("spec.automatic", "automatic has no effect with promote: a person promotes with `shiplock release create`")
	case from != "" && e.Tags != "":
		bad("spec.tags", "tags has no effect with promote: nothing is built for this environment")
	case e.Automatic && e.Branch == "" && e.Tags == "" && len(e.Branches) == 0:
		bad("spec.automatic", "automatic has no effect without branch or tags: only pushes are released automatically")
	}
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
