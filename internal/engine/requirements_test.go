package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// requiring makes prod ask for ten minutes of health in pre.
func requiring(t *testing.T, same string, story func(t *testing.T, w *world)) {
	t.Helper()
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), document("Environment", "prod", `{"branch":"release","rank":4,"requires":{"environment":"pre","healthyFor":"10m","same":"`+same+`"}}`))
		story(t, w)
	})
}

// A release to prod waits until the same image has been healthy in pre for long enough,
// and then starts by itself.
func TestReleaseWaitsForWhatIsRequired(t *testing.T) {
	requiring(t, "digest", func(t *testing.T, w *world) {
		w.build("shop", "pre", "a")
		w.build("shop", "pre", "b")
		id := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("b")})
		w.wantWait(id, "has to run in pre first, where nothing runs yet")
		w.wantRelease(w.create(engine.CreateRelease{Env: "pre", Run: 1}), delivery.ReleaseDeployed)
		w.wantWait(id, "has to run in pre first, where #1 runs")
		w.deployer.Delay(digest("b"))
		there := w.create(engine.CreateRelease{Env: "pre", Run: 2})
		w.wantRelease(id, delivery.ReleaseIsProposed)
		w.deployer.Mend(digest("b"))
		w.Nudge(w.target("pre").Ref())
		w.pass(0)
		w.wantRelease(there, delivery.ReleaseDeployed)
		w.wantWait(id, "has to be healthy in pre for 10m0s: 10m0s to go")
		w.pass(9 * time.Minute)
		w.wantWait(id, "to go")
		w.deployer.Delay(digest("b"))
		w.Nudge(w.target("pre").Ref())
		w.pass(0)
		w.wantWait(id, "is not healthy in pre, where it has to be first")
		w.pass(5 * time.Minute)
		w.wantRelease(id, delivery.ReleaseIsProposed)
		w.deployer.Mend(digest("b"))
		w.Nudge(w.target("pre").Ref())
		w.pass(0)
		w.wantWait(id, "10m0s to go") // it counts anew
		w.pass(10 * time.Minute)
		w.wantRelease(id, delivery.ReleaseDeployed)
	})
}

// With same: commit another image of that commit will do, or of one that contains it.
func TestReleaseWaitsForItsCommit(t *testing.T) {
	requiring(t, "commit", func(t *testing.T, w *world) {
		w.line("0abc")
		for _, c := range []struct{ branch, digit, image string }{{"release", "a", "1"}, {"release", "c", "2"}, {"pre", "b", "3"}} {
			w.receive(push("h"+c.image, "shop", c.branch, c.digit))
			w.claim().succeed(digest(c.image))
		}
		w.wantRelease(w.create(engine.CreateRelease{Env: "pre"}), delivery.ReleaseDeployed) // of b
		w.pass(10 * time.Minute)
		newer := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("2")})
		w.wantWait(newer, "has to run in pre first, where #3 runs")
		w.must(w.command(newer, delivery.CmdReleaseCancel))
		w.wantRelease(w.create(engine.CreateRelease{Env: "prod", Artifact: digest("1")}), delivery.ReleaseDeployed)
	})
	requiring(t, "commit", func(t *testing.T, w *world) {
		w.line("0ab")
		for _, c := range []struct{ branch, digit, image string }{{"release", "a", "1"}, {"pre", "b", "2"}} {
			w.receive(push("h"+c.image, "shop", c.branch, c.digit))
			w.claim().succeed(digest(c.image))
		}
		w.create(engine.CreateRelease{Env: "pre"})
		w.pass(10 * time.Minute)
		w.past.Refuse("ahead", errAway)
		id := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("1")})
		w.wantWait(id, "whether it runs in pre cannot be told: it does not answer")
		w.past.Refuse("ahead", nil)
		w.pass(2 * time.Minute)
		w.wantRelease(id, delivery.ReleaseDeployed)
	})
}

// What is urgent, and going back, wait for no other environment.
func TestEmergencyDoesNotWaitForWhatIsRequired(t *testing.T) {
	requiring(t, "digest", func(t *testing.T, w *world) {
		w.build("shop", "pre", "a")
		r, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{
			App: "shop", Env: "prod", Run: 1, Reason: "down", Emergency: &delivery.Emergency{Incident: incident, BreakGlass: true},
		})
		w.must(err)
		w.pass(time.Second)
		w.wantRelease(r.ID, delivery.ReleaseDeployed)
		if !strings.Contains(w.audit()[0].Detail, incident) {
			t.Errorf("audit: %+v", w.audit()[0])
		}
	})
}

// With gate: passed a run that succeeded with failing tests, or without any, is not
// released there until the catalog asks for less.
func TestReleaseWaitsForTestsOfItsRun(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		prod := func(requires string) {
			w.apply(document("Environment", "prod", `{"branch":"release","rank":4,"requires":{`+requires+`}}`))
		}
		w.apply(app("shop", ""))
		prod(`"gate":"passed"`)
		made := func(digit string, tests *delivery.Tests) delivery.ReleaseID {
			t.Helper()
			id := w.startRun("shop", "pre")
			r := w.claim()
			for _, state := range []delivery.StepState{delivery.StepRunning, delivery.StepSucceeded} {
				r.seq++
				_, err := r.send(api.Report{Seq: r.seq, Step: &delivery.Step{Name: "test", State: state, Tests: tests}})
				w.must(err)
			}
			r.succeed(digest(digit))
			w.wantRun(id, delivery.RunSucceeded)
			return w.create(engine.CreateRelease{Env: "prod", Artifact: digest(digit)})
		}
		w.wantWait(made("a", nil), "#1 reported no tests")
		w.wantRelease(made("b", &delivery.Tests{Passed: 4}), delivery.ReleaseDeployed)
		id := made("c", &delivery.Tests{Passed: 3, Failed: 1})
		w.wantWait(id, "1 of the 4 tests of #3 failed, and prod takes only what passed all")
		prod("")
		w.pass(time.Second)
		w.wantRelease(id, delivery.ReleaseDeployed)
	})
}
