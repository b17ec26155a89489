package standard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// chosen returns the variant of a Stack for an App's commit, and by what it was
// chosen; nil is the Stack as it is. A variant with a branch goes before one without.
func chosen(s delivery.Stack, labels map[string]string, branch string) (v *delivery.Variant, why string) {
	for i, candidate := range s.Variants {
		if candidate.Fits(labels, branch) && (v == nil || candidate.Branch != "" && v.Branch == "") {
			v = &s.Variants[i]
		}
	}
	if v == nil {
		return nil, ""
	}
	var by []string
	if v.Branch != "" {
		by = append(by, fmt.Sprintf("branch %s fits %s", branch, v.Branch))
	}
	for _, key := range slices.Sorted(maps.Keys(v.Labels)) {
		by = append(by, fmt.Sprintf("the app's label %s is %s", key, v.Labels[key]))
	}
	return v, strings.Join(by, ", ")
}

// varied is the Stack with the variant's differences, but for those of its steps.
func varied(s delivery.Stack, v delivery.Variant) delivery.Stack {
	b, r := &s.Build, &s.Runtime
	b.Image, b.Output = cmp.Or(v.Build.Image, b.Image), cmp.Or(v.Build.Output, b.Output)
	if len(v.Build.Tools) > 0 {
		b.Tools = v.Build.Tools
	}
	if v.Runtime.Base != "" { // a base that says nothing of clusters is for them too
		r.Base, r.ClusterBase = v.Runtime.Base, ""
	}
	r.ClusterBase, r.With = cmp.Or(v.Runtime.ClusterBase, r.ClusterBase), cmp.Or(v.Runtime.With, r.With)
	r.Artifact, r.Home = cmp.Or(v.Runtime.Artifact, r.Artifact), cmp.Or(v.Runtime.Home, r.Home)
	r.Start, r.Logs, r.Port = cmp.Or(v.Runtime.Start, r.Start), cmp.Or(v.Runtime.Logs, r.Logs), cmp.Or(v.Runtime.Port, r.Port)
	return s
}

// variedSteps applies the variant's changes of steps. A fault is the catalog's.
func variedSteps(steps []delivery.PlanStep, s delivery.Stack, v delivery.Variant, facts Facts) ([]delivery.PlanStep, error) {
	site := variantSite(Input{Stack: s}, v)
	for i, step := range steps {
		if step.Kind == delivery.StepRun && len(v.Build.Env) > 0 {
			steps[i].Env = over(step.Env, v.Build.Env)
			steps[i].Why += "; env: " + site
		}
	}
	var faults []string
	c := changer{
		steps: steps, env: v.Build.Env, facts: facts, site: func(string) string { return site },
		bad: func(field, msg string) { faults = append(faults, field+": "+msg) },
	}
	c.apply(v.Build.Steps)
	if len(faults) > 0 {
		return nil, delivery.E(delivery.Invalid, site+": "+strings.Join(faults, "; ")+": correct the Stack")
	}
	return c.steps, nil
}
