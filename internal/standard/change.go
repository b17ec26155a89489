package standard

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// changer applies the changes of one source to the steps of a plan. It goes on
// after a fault, so that all of them are reported.
type changer struct {
	steps []delivery.PlanStep
	env   map[string]string // of every added step
	facts Facts
	// site says where a field of the source stands: "shiplock.yaml:12".
	site func(field string) string
	bad  func(field, msg string)
	// tails are the steps that were put after others, by those: a second one comes
	// after the first.
	tails map[string]string
}

// Facts are what conditions ask about.
type Facts struct {
	Branch      string
	Environment string
	Labels      map[string]string
	// Changed is nil when it is not known what changed.
	Changed *delivery.Changes
}

// apply changes the steps. Needs that the source writes are literal, so they are
// set when all steps stand.
func (c *changer) apply(changes []delivery.StepChange) {
	c.tails = map[string]string{}
	for i, ch := range changes {
		at := fmt.Sprintf("steps[%d]", i)
		if k := indexOf(c.steps, ch.Name); k >= 0 {
			c.change(k, ch, at)
		} else {
			c.add(ch, at)
		}
	}
	for i, ch := range changes {
		if k := indexOf(c.steps, ch.Name); k >= 0 && len(ch.Needs) > 0 {
			c.need(k, ch, fmt.Sprintf("steps[%d].needs", i))
		}
	}
	sorted, circle := ordered(c.steps)
	if circle != "" {
		c.bad(c.fieldOf(changes, circle), fmt.Sprintf("step %s waits for itself: %s", circle, c.circle(circle)))
		return
	}
	c.steps = sorted
	for i, ch := range changes {
		c.checkInputs(ch, fmt.Sprintf("steps[%d].inputs", i))
	}
}

// change lays what the source says of a step over it.
func (c *changer) change(k int, ch delivery.StepChange, at string) {
	s := &c.steps[k]
	if ch.Before != "" || ch.After != "" {
		c.bad(cmp.Or(placed(at+".after", ch.After), placed(at+".before", ch.Before)),
			fmt.Sprintf("step %s is the standard's and has its place: before and after are for added steps, needs changes what it waits for", ch.Name))
	}
	var what []string
	set := func(field string, is bool, do func()) {
		if is {
			do()
			what = append(what, field)
		}
	}
	set("run", ch.Run != "", func() { s.Run = ch.Run })
	set("env", len(ch.Env) > 0, func() { s.Env = over(s.Env, ch.Env) })
	set("timeout", ch.Timeout > 0, func() { s.Timeout = ch.Timeout })
	set("tests", ch.Tests != "", func() { s.Tests = ch.Tests })
	set("reports", len(ch.Reports) > 0, func() { s.Reports = ch.Reports })
	set("outputs", len(ch.Outputs) > 0, func() { s.Outputs = ch.Outputs })
	set("inputs", len(ch.Inputs) > 0, func() { s.Inputs = ch.Inputs })
	set("needs", len(ch.Needs) > 0, func() {})
	if len(what) > 0 {
		s.Why += fmt.Sprintf("; its %s: %s", strings.Join(what, ", "), c.site(at))
	}
	s.Skip = c.skip(ch, at)
}

func placed(field, value string) string {
	if value == "" {
		return ""
	}
	return field
}

// add puts a new step in its place.
func (c *changer) add(ch delivery.StepChange, at string) {
	if ch.Run == "" {
		c.bad(at+".name", fmt.Sprintf("the standard has no step %q%s (%s); a new one has a run", ch.Name, catalog.DidYouMean(ch.Name, c.list()), c.names()))
		return
	}
	s := delivery.PlanStep{
		Name: ch.Name, Kind: delivery.StepRun, Run: ch.Run, Env: over(c.env, ch.Env), Tests: ch.Tests, Reports: ch.Reports,
		Outputs: ch.Outputs, Inputs: ch.Inputs, Timeout: delivery.Duration(ch.Timeout.Or(stepTimeout)),
		Skip: c.skip(ch, at), Why: c.site(at) + ": added here",
	}
	switch {
	case ch.After != "":
		c.addAfter(s, ch.After, at+".after")
	case ch.Before != "":
		c.addBefore(s, ch.Before, at+".before")
	default:
		if len(ch.Needs) == 0 && len(c.steps) > 0 {
			s.Needs = leaves(c.steps)
		}
		c.steps = append(c.steps, s)
	}
}

// addAfter lets what waited for the anchor wait for the new step.
func (c *changer) addAfter(s delivery.PlanStep, anchor, field string) {
	if !c.stands(anchor, field) {
		return
	}
	to := anchor
	for c.tails[to] != "" {
		to = c.tails[to]
	}
	c.tails[to] = s.Name
	k := indexOf(c.steps, to)
	for i := range c.steps {
		c.steps[i].Needs = replaced(c.steps[i].Needs, to, s.Name)
	}
	s.Needs = []string{to}
	c.steps = slices.Insert(c.steps, k+1, s)
}

// addBefore lets the new step wait for what the anchor waited for.
func (c *changer) addBefore(s delivery.PlanStep, anchor, field string) {
	if !c.stands(anchor, field) {
		return
	}
	if anchor == string(delivery.StepCheckout) {
		c.bad(field, "nothing runs before the checkout: there is no file yet")
		return
	}
	k := indexOf(c.steps, anchor)
	s.Needs = c.steps[k].Needs
	c.steps[k].Needs = []string{s.Name}
	c.steps = slices.Insert(c.steps, k, s)
}

// stands refuses an anchor that is not there, or not yet.
func (c *changer) stands(anchor, field string) bool {
	if indexOf(c.steps, anchor) >= 0 {
		return true
	}
	c.bad(field, fmt.Sprintf("there is no step %q before this one%s (%s)", anchor, catalog.DidYouMean(anchor, c.list()), c.names()))
	return false
}

// need sets the needs that the source writes.
func (c *changer) need(k int, ch delivery.StepChange, field string) {
	var needs []string
	for i, n := range ch.Needs {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case n == ch.Name:
			c.bad(at, fmt.Sprintf("step %s waits for itself: remove it from its needs", n))
		case slices.Contains(needs, n):
			c.bad(at, fmt.Sprintf("%s stands here twice: remove one", n))
		case indexOf(c.steps, n) >= 0, n == string(delivery.StepCheckout): // which a build may do without
			needs = append(needs, n)
		default:
			c.bad(at, fmt.Sprintf("there is no step %q%s (%s)", n, catalog.DidYouMean(n, c.list()), c.names()))
		}
	}
	c.steps[k].Needs = needs
}

// skip says why a step does not run; empty when it does.
func (c *changer) skip(ch delivery.StepChange, at string) string {
	if ch.Skip {
		return c.site(at+".skip") + ": skip"
	}
	if ch.When == nil {
		return ""
	}
	if why := c.facts.refute(*ch.When); why != "" {
		return c.site(at+".when") + ": " + why
	}
	return ""
}

// checkInputs wants every input to be an output of a step that is over by then.
func (c *changer) checkInputs(ch delivery.StepChange, field string) {
	before := waitsFor(c.steps, ch.Name)
	for i, in := range ch.Inputs {
		maker := ""
		made := false
		for _, s := range c.steps {
			if slices.ContainsFunc(s.Outputs, func(out string) bool { return in == out || strings.HasPrefix(in, out+"/") }) {
				maker = s.Name
				made = made || before[s.Name]
			}
		}
		switch at := fmt.Sprintf("%s[%d]", field, i); {
		case made:
		case maker == "":
			c.bad(at, fmt.Sprintf("no step names %s among its outputs: add it to those of the step that makes it", path.Clean(in)))
		default:
			c.bad(at, fmt.Sprintf("step %s makes %s, and %s does not wait for it: add needs: [%s]", maker, in, ch.Name, maker))
		}
	}
}

// fieldOf finds the change that is best blamed for a step's needs.
func (c *changer) fieldOf(changes []delivery.StepChange, step string) string {
	for i, ch := range changes {
		if ch.Name == step && len(ch.Needs) > 0 {
			return fmt.Sprintf("steps[%d].needs", i)
		}
	}
	all := waitsFor(c.steps, step)
	for i, ch := range changes {
		if all[ch.Name] && len(ch.Needs) > 0 {
			return fmt.Sprintf("steps[%d].needs", i)
		}
	}
	return "steps"
}

// circle writes the way from a step back to itself: "a → b → a".
func (c *changer) circle(step string) string {
	way := []string{step}
	for at := step; len(way) <= len(c.steps); {
		s := c.steps[indexOf(c.steps, at)]
		i := slices.IndexFunc(s.Needs, func(n string) bool { return n == step || waitsFor(c.steps, n)[step] && !slices.Contains(way, n) })
		if i < 0 {
			break
		}
		at = s.Needs[i]
		way = append(way, at)
		if at == step {
			break
		}
	}
	return strings.Join(way, " → ")
}

func (c *changer) list() []string {
	var names []string
	for _, s := range c.steps {
		names = append(names, s.Name)
	}
	return names
}

func (c *changer) names() string { return strings.Join(c.list(), ", ") }

// replaced returns the list with one entry exchanged.
func replaced(list []string, old, new string) []string {
	list = slices.Clone(list)
	for i := range list {
		if list[i] == old {
			list[i] = new
		}
	}
	return list
}

// over lays variables over others.
func over(base, own map[string]string) map[string]string {
	if len(base)+len(own) == 0 {
		return nil
	}
	all := make(map[string]string, len(base)+len(own))
	maps.Copy(all, base)
	maps.Copy(all, own)
	return all
}
