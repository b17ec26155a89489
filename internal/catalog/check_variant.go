package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

const maxVariants = 50

func checkVariants(s delivery.Stack, bad report) {
	if len(s.Variants) > maxVariants {
		bad("spec.variants", fmt.Sprintf("there are %d variants, and may be %d", len(s.Variants), maxVariants))
		return
	}
	for i, v := range s.Variants {
		at := fmt.Sprintf("spec.variants[%d]", i)
		bad.err(at+".name", delivery.CheckLabel("a variant", v.Name))
		if slices.ContainsFunc(s.Variants[:i], func(w delivery.Variant) bool { return w.Name == v.Name }) {
			bad(at+".name", fmt.Sprintf("another variant has the name %q already: choose another", clip(v.Name)))
		}
		if v.Branch == "" && len(v.Labels) == 0 {
			bad(at, "nothing chooses this variant: write a pattern of branches, or labels of Apps")
		}
		if v.Branch != "" {
			bad.branchPattern(at+".branch", v.Branch)
		}
		bad.labels(at+".labels", v.Labels)
		checkVariantBuild(at+".build", s.Build, v.Build, bad)
		checkRuntime(at+".runtime", v.Runtime, bad)
	}
	for _, c := range clashes(s.Variants, nil) {
		bad(fmt.Sprintf("spec.variants[%d]", c.at), c.String())
	}
}

func checkVariantBuild(at string, of delivery.Build, b delivery.VariantBuild, bad report) {
	if b.Image != "" && !imageRef(b.Image) {
		bad(at+".image", fmt.Sprintf("%q is not an image reference", clip(b.Image)))
	}
	checkPod(at+".pod", b.Pod, bad)
	bad.variables(at+".env", b.Env)
	if b.Output != "" {
		bad.relative(at+".output", b.Output)
	}
	written := func(path string) bool { return false } // the values say it all
	checkChanges(at+".steps", b.Steps, bad, written)
	names := []string{string(delivery.StepCheckout)}
	for _, s := range of.Steps {
		names = append(names, s.Name)
	}
	for i, c := range b.Steps {
		field := fmt.Sprintf("%s.steps[%d]", at, i)
		if known := slices.Contains(names, c.Name); !known && c.Run == "" {
			bad(field+".name", fmt.Sprintf("the stack has no step %q%s (%s); a new one has a run", clip(c.Name), DidYouMean(c.Name, names), strings.Join(names, ", ")))
		}
		for _, anchor := range []string{c.Before, c.After} {
			if anchor != "" && !slices.Contains(names, anchor) {
				bad(field, fmt.Sprintf("there is no step %q before this one%s (%s)", clip(anchor), DidYouMean(anchor, names), strings.Join(names, ", ")))
			}
		}
		names = append(names, c.Name)
	}
}

// clash is two variants that could be chosen for the same App and branch.
type clash struct {
	at           int // the later one
	first, later string
	branch       string // on which; empty is any
}

func (c clash) String() string {
	on := ""
	if c.branch != "" {
		on = " on a branch like " + c.branch
	}
	return fmt.Sprintf("variants %s and %s could both be chosen%s: let only one of them fit", c.first, c.later, on)
}

// clashes finds variants of which neither goes before the other. A variant with a
// branch goes before one without. app is whose labels count; nil is every App, so
// that only variants without labels are known to meet.
func clashes(variants []delivery.Variant, app *delivery.App) (found []clash) {
	fits := func(v delivery.Variant) bool {
		if app == nil {
			return len(v.Labels) == 0
		}
		return v.FitsApp(app.Labels)
	}
	for i, v := range variants {
		for _, w := range variants[:i] {
			if !fits(v) || !fits(w) || (v.Branch == "") != (w.Branch == "") {
				continue
			}
			if branch, meet := delivery.BranchesMeet(v.Branch, w.Branch); meet {
				found = append(found, clash{i, w.Name, v.Name, branch})
			}
		}
	}
	return found
}

// checkVariantsOf refuses an App that two variants of its Stack are for.
func (s *Set) checkVariantsOf(a delivery.App, bad report) {
	variants := s.Stacks[a.Stack].Variants
	everybodys := clashes(variants, nil) // the Stack's own fault
	for _, c := range clashes(variants, &a) {
		if !slices.Contains(everybodys, c) {
			bad("spec.labels", "of Stack "+a.Stack+", "+c.String())
		}
	}
}
