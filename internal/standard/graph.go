package standard

import (
	"slices"

	"github.com/shiplock/shiplock/internal/delivery"
)

func indexOf(steps []delivery.PlanStep, name string) int {
	return slices.IndexFunc(steps, func(s delivery.PlanStep) bool { return s.Name == name })
}

// chain lets every step that names no needs wait for the one before it.
func chain(steps []delivery.PlanStep) {
	for i := range steps {
		if len(steps[i].Needs) == 0 && i > 0 {
			steps[i].Needs = []string{steps[i-1].Name}
		}
	}
}

// leaves are the steps that no other one waits for.
func leaves(steps []delivery.PlanStep) []string {
	var names []string
	for _, s := range steps {
		if !slices.ContainsFunc(steps, func(t delivery.PlanStep) bool { return slices.Contains(t.Needs, s.Name) }) {
			names = append(names, s.Name)
		}
	}
	return names
}

// ordered sorts steps so that each comes after those that it needs, and otherwise
// stays where it is. circle names a step that waits for itself; it is empty when
// there is none.
func ordered(steps []delivery.PlanStep) (list []delivery.PlanStep, circle string) {
	done := map[string]bool{}
	for len(list) < len(steps) {
		i := slices.IndexFunc(steps, func(s delivery.PlanStep) bool {
			return !done[s.Name] && !slices.ContainsFunc(s.Needs, func(n string) bool { return !done[n] && indexOf(steps, n) >= 0 })
		})
		if i < 0 {
			return nil, steps[slices.IndexFunc(steps, func(s delivery.PlanStep) bool { return !done[s.Name] && waitsFor(steps, s.Name)[s.Name] })].Name
		}
		done[steps[i].Name] = true
		list = append(list, steps[i])
	}
	return list, ""
}

// waitsFor are all steps that have ended when the named one begins; the step itself
// is among them when it waits in a circle.
func waitsFor(steps []delivery.PlanStep, name string) map[string]bool {
	all := map[string]bool{}
	for open := []string{name}; len(open) > 0; open = open[1:] {
		i := indexOf(steps, open[0])
		if i < 0 {
			continue
		}
		for _, n := range steps[i].Needs {
			if !all[n] {
				all[n] = true
				open = append(open, n)
			}
		}
	}
	return all
}
