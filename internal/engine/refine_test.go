package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

func repositoryFile(text string) api.Source {
	return api.Source{Files: []delivery.SourceFile{{Path: "shiplock.yaml", Text: text}}}
}

// refine sends what the runner has checked out.
func (r *runner) refine(text string) (api.Refined, error) {
	answer, err := r.w.Refine(r.w.t.Context(), r.key, r.token, repositoryFile(text))
	synctest.Wait()
	return answer, err
}

func stepNames(p delivery.Plan) string {
	var names []string
	for _, s := range p.Steps {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

const addsLint = "steps: [{name: lint, run: make lint, needs: [checkout]}]"

// A lost answer, a restarted server and a second attempt see the plan that was pinned.
func TestRefinedPlanIsPinned(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		first := w.claim()
		first.step("checkout")
		answer, err := first.refine(addsLint)
		w.must(err)
		if got := stepNames(*answer.Plan); got != "checkout build test lint image" || answer.Push.Repository != "shop" || answer.Push.Password != first.token {
			t.Fatalf("answer is %q, push %+v", got, answer.Push)
		}
		version := w.run(id).Version
		w.stop(w.server)
		w.boot()
		again, err := first.refine("output: other")
		w.must(err)
		run := w.run(id)
		if stepNames(*again.Plan) != stepNames(*answer.Plan) || again.Plan.Digest != answer.Plan.Digest || run.Version != version {
			t.Errorf("asked again: %q, version %d, was %d", stepNames(*again.Plan), run.Version, version)
		}
		if s := run.Jobs[0].Steps; len(s) != 5 || s[0].State != delivery.StepRunning || s[3].Name != "lint" {
			t.Errorf("steps are %+v", s)
		}
		first.step("lint")
		w.executor.Die(first.key, nil)
		w.NudgeAttempt(first.key)
		w.pass(5 * time.Second)
		_, err = first.refine(addsLint)
		w.gone(err)
		c := w.alive()
		assigned, err := w.Claim(t.Context(), c)
		w.must(err)
		if stepNames(assigned.Plan) != stepNames(*answer.Plan) || assigned.Plan.Digest != answer.Plan.Digest || len(assigned.Plan.Reads) > 0 {
			t.Errorf("the second attempt has %q, reads %v", stepNames(assigned.Plan), assigned.Plan.Reads)
		}
		w.take(c).succeed(digest("a"))
		w.wantRun(id, delivery.RunSucceeded)
		if got := count(w.history(run.Ref()), "plan.refined"); got != 1 {
			t.Errorf("the plan was refined %d times", got)
		}
	})
}

func TestBadRepositoryFile(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		answer, err := r.refine("stpes: []\nregistry: x\n")
		w.must(err)
		c := answer.Cause
		if answer.Plan != nil || c == nil || c.Code != "plan.invalid" || c.Text != `shiplock.yaml:1:1: unknown field "stpes": did you mean "steps"? (and 1 more)` || len(c.Evidence) != 2 {
			t.Fatalf("answer is %+v, cause %+v", answer, c)
		}
		w.must(r.finish(api.Finish{Outcome: api.OutcomeFailed, Cause: c}))
		if run := w.wantRun(id, delivery.RunFailed); len(run.Plan.Reads) == 0 {
			t.Errorf("the plan was refined: %+v", run.Plan)
		}
	})
}

// A condition is asked about what the push changed.
func TestRefinementKnowsThePush(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", `,"labels":{"tier":"front"}`))
		w.receive(push("1", "shop", "dev", "1", "docs/a.md"))
		answer, err := w.claim().refine(`
steps:
  - {name: web, run: x, when: {paths: ["web/**"]}}
  - {name: docs, run: x, when: {paths: ["docs/**"], branch: [dev], environment: [dev], labels: {tier: front}}}
`)
		w.must(err)
		skipped := ""
		for _, s := range answer.Plan.Steps {
			if s.Skip != "" {
				skipped += s.Name + " " + s.Skip
			}
		}
		if skipped != "web shiplock.yaml:3: nothing changed in web/**" {
			t.Errorf("skipped: %q", skipped)
		}
	})
}

func TestPlanOfALocalFile(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		ask := engine.AskPlan{App: "shop", Env: "dev", Files: repositoryFile(addsLint).Files}
		p, err := w.Plan(t.Context(), admin(), ask)
		w.must(err)
		if got := stepNames(p); got != "checkout build test lint image" {
			t.Errorf("plan is %q", got)
		}
		ask.Files = repositoryFile("a: b").Files
		_, err = w.Plan(t.Context(), admin(), ask)
		w.refused(err, delivery.Invalid, "shiplock.yaml:1:1")
	})
}
