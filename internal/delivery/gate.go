package delivery

import "fmt"

// Gate is what a run has to have shown for what it made to be released.
type Gate string

// GatePassed is at least one test, and none that failed. A run can end well without:
// when it has no tests, or when a step does not fail for those that do.
const GatePassed Gate = "passed"

// GateFacts is what the run that made an artifact has shown.
type GateFacts struct {
	// Forgotten tells that the run is not kept any more.
	Forgotten bool
	// Tests are the sums of its steps; nil when they reported none.
	Tests *Tests
}

// gateBlocker says why the tests of its run keep a release from starting. They never
// change: another run has to be released, or another thing asked for.
func (r Release) gateBlocker(f RequirementFacts) *Cause {
	args := Args{"app": r.App, "env": r.Env, "run": fmt.Sprint(r.Revision.RunNumber)}
	code := ""
	switch tests := f.Made.Tests; {
	case f.Gate != GatePassed:
		return nil
	case f.Made.Forgotten:
		code = "gate.forgotten"
	case tests == nil || tests.Passed+tests.Failed == 0:
		code = "gate.untested"
	case tests.Failed > 0:
		code = "gate.failed"
		args["failed"], args["total"] = fmt.Sprint(tests.Failed), fmt.Sprint(tests.Total())
	default:
		return nil
	}
	c := Because(code, args)
	return &c
}
