package runner

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// siblingError ends steps because another one did not succeed.
type siblingError struct{ step string }

func (e *siblingError) Error() string { return "step " + e.step + " did not succeed" }

// walk goes through the plan: every step begins when those that it needs are over,
// as long as all go well. Its own goroutine decides; the steps run in others.
type walk struct {
	*job
	begun, over map[string]bool
	running     int
	ends        chan stepEnd
	stop        context.CancelCauseFunc

	// last is the report on the step that ended last, which is yet to be sent.
	last   *delivery.Step
	finish api.Finish
	// manifests travel with the artifact, whichever of both is there first.
	manifests map[string]string
}

type stepEnd struct {
	step   delivery.PlanStep
	report *delivery.Step
	result result
}

// atOnce is how many steps run at the same time at most.
func atOnce() int { return min(max(runtime.NumCPU(), 2), 4) }

func (j *job) walk(ctx context.Context) (*delivery.Step, api.Finish) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w := &walk{
		job: j, begun: map[string]bool{}, over: map[string]bool{}, ends: make(chan stepEnd), stop: stop,
		finish: api.Finish{Outcome: api.OutcomeSucceeded},
	}
	for {
		w.begin(ctx)
		if w.running == 0 {
			if w.finish.Artifact != nil {
				w.finish.Artifact.Manifests = w.manifests
			}
			w.keepCaches(ctx)
			return w.last, w.finish
		}
		w.tell()
		w.take(<-w.ends)
	}
}

// keepCaches publishes what later builds may start from, once all steps have
// succeeded, and reports what the job had of caches.
func (w *walk) keepCaches(ctx context.Context) {
	defer w.caches.close()
	good := w.finish.Outcome == api.OutcomeSucceeded
	if good && w.caches.inUse() {
		w.tell() // publishing takes its time
		w.caches.publish(ctx)
	}
	w.finish.Caches = w.caches.report()
	if good {
		w.caches.compare(w.finish.Caches)
	}
}

// begin starts the steps that are due.
func (w *walk) begin(ctx context.Context) {
	for w.finish.Outcome == api.OutcomeSucceeded && w.running < atOnce() {
		s, due := w.due()
		if !due {
			return
		}
		w.begun[s.Name] = true
		if s.Skip != "" {
			w.over[s.Name] = true
			continue
		}
		if s.Kind != delivery.StepCheckout {
			w.caches.restore(ctx)
		}
		w.tell()
		w.running++
		go func() { w.ends <- w.carryOut(ctx, s) }() // the walk waits for it
		if s.Kind == delivery.StepCheckout {
			return // the plan is not even read
		}
	}
}

// due is the first step that waits for nothing. The plan is only read here, where no
// checkout runs that could refine it.
func (w *walk) due() (delivery.PlanStep, bool) {
	for i, s := range w.Plan.Steps {
		switch {
		case s.Kind == delivery.StepCheckout && w.begun[s.Name] && !w.over[s.Name]:
			return s, false
		case w.begun[s.Name] || slices.ContainsFunc(w.Plan.NeedsOf(i), func(n string) bool { return !w.over[n] }):
			continue
		}
		return s, true
	}
	return delivery.PlanStep{}, false
}

// carryOut does one step, and turns a panic into the job's end.
func (w *walk) carryOut(ctx context.Context, s delivery.PlanStep) (e stepEnd) {
	defer func() {
		if p := recover(); p != nil {
			w.Logger.Error("panic", "step", s.Name, "err", p, "stack", string(debug.Stack()))
			r := w.lost(s.Name, diagnose.RunnerFailed, fmt.Errorf("panic: %v", p))
			r.cause = w.hide(r.cause)
			e = stepEnd{step: s, result: r}
		}
	}()
	report, r := w.step(ctx, s)
	return stepEnd{s, report, r}
}

// take notes the end of a step. The first one that did not succeed is the job's end;
// those that still run are stopped.
func (w *walk) take(e stepEnd) {
	w.tell()
	w.running--
	w.over[e.step.Name], w.last = true, e.report
	if e.result.outcome == api.OutcomeSucceeded {
		w.caches.note(e.step, e.report.FinishedAt.Sub(e.report.StartedAt))
	}
	if e.result.manifests != nil {
		w.manifests = e.result.manifests
	}
	if e.result.artifact != nil {
		w.finish.Artifact = e.result.artifact
	}
	if e.result.outcome != api.OutcomeSucceeded && w.finish.Outcome == api.OutcomeSucceeded {
		w.finish = api.Finish{Outcome: e.result.outcome, Cause: e.result.cause}
		w.stop(&siblingError{e.step.Name})
	}
}

// tell sends the report that was held back, to travel with others.
func (w *walk) tell() {
	if w.last != nil {
		w.reporter.add(api.Report{Step: w.last})
		w.last = nil
	}
}
