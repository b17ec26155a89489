package delivery_test

import (
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestGate(t *testing.T) {
	const gate = delivery.GatePassed
	tests := func(passed, failed, skipped int) delivery.GateFacts {
		return delivery.GateFacts{Tests: &delivery.Tests{Passed: passed, Failed: failed, Skipped: skipped}}
	}
	urgent := func(r *delivery.Release) { r.Emergency = &delivery.Emergency{Incident: "https://incidents.example/1"} }
	for name, tc := range map[string]struct {
		gate   delivery.Gate
		made   delivery.GateFacts
		change func(*delivery.Release)
		code   string
	}{
		"nothing is asked":           {made: tests(0, 9, 0)},
		"all passed":                 {gate: gate, made: tests(3, 0, 1)},
		"one failed":                 {gate: gate, made: tests(3, 1, 0), code: "gate.failed"},
		"none were reported":         {gate: gate, code: "gate.untested"},
		"all were skipped":           {gate: gate, made: tests(0, 0, 4), code: "gate.untested"},
		"the run is not kept":        {gate: gate, made: delivery.GateFacts{Forgotten: true}, code: "gate.forgotten"},
		"an emergency does not wait": {gate: gate, made: tests(3, 1, 0), change: urgent},
		"a rollback does not wait":   {gate: gate, made: tests(3, 1, 0), change: func(r *delivery.Release) { r.Kind = delivery.ReleaseRollback }},
		"a restart does not wait":    {gate: gate, made: tests(3, 1, 0), change: func(r *delivery.Release) { r.Kind = delivery.ReleaseRestart }},
		"a change of size waits not": {gate: gate, made: tests(3, 1, 0), change: func(r *delivery.Release) { r.Kind = delivery.ReleaseScale }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelease("release-1", delivery.ReleaseDeploy, 1)
			r.CreatedAt = t0
			if tc.change != nil {
				tc.change(&r)
			}
			f := delivery.ReleaseFacts{Required: delivery.RequirementFacts{Requirement: delivery.Requirement{Gate: tc.gate}, Made: tc.made}}
			why := delivery.Cause{}
			for _, c := range r.Blockers(t0, f) {
				if c.Code != "approval.missing" { // of an emergency
					why = c
				}
			}
			if why.Code != tc.code || tc.code != "" && (why.Text == "" || why.Next == "") {
				t.Errorf("%+v, want %q", why, tc.code)
			}
			if actions, again := r.Next(t0, f); tc.code != "" && (len(actions) > 0 || again != (time.Time{})) {
				t.Errorf("Next gives %s at %s", describe(actions, false), again)
			}
		})
	}
}

// What the run has to show goes before what another environment has.
func TestGateBeforeAnotherEnvironment(t *testing.T) {
	r := newRelease("release-1", delivery.ReleaseDeploy, 1)
	f := delivery.ReleaseFacts{Required: delivery.RequirementFacts{Requirement: delivery.Requirement{Environment: "pre", Gate: delivery.GatePassed}}}
	want := func(code string) {
		t.Helper()
		if why := r.Blockers(t0, f); len(why) != 1 || why[0].Code != code {
			t.Errorf("%+v, want %s", why, code)
		}
	}
	want("gate.untested")
	f.Required.Made.Tests = &delivery.Tests{Passed: 1}
	want("required.absent")
}
