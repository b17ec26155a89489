package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// errCanceled ends the steps because the server asks for it.
var errCanceled = errors.New("the job was canceled")

// limitError ends a step at a time limit.
type limitError struct {
	limit    time.Duration
	wholeJob bool
}

func (e *limitError) Error() string { return "time limit of " + e.limit.String() }

// brokenError ends the job because the runner itself cannot go on.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// job is one claimed attempt.
type job struct {
	Config
	api.Assignment
	*journal
	reporter *reporter
	shipper  *shipper
	caches   *caches
	tools    toolbox
	client   *client
	house    household

	// stop ends the steps, gracefully; hard is over when they must be gone at
	// once, and when nothing may be sent any more.
	stop    context.CancelCauseFunc
	hard    context.Context
	abandon context.CancelCauseFunc
	// clock ends the job at its limit, which a refined plan moves.
	clock *jobClock
}

// run does everything and reports the end. The error says why the end could not
// be reported.
func (j *job) run(ctx context.Context) error {
	ctx, j.stop = context.WithCancelCause(ctx)
	defer j.stop(nil)
	j.hard, j.abandon = context.WithCancelCause(context.WithoutCancel(ctx))
	var talk sync.WaitGroup
	talk.Go(j.guarded(func() { j.leaveOn(j.reporter.run(j.hard)) }))
	talk.Go(j.guarded(func() { j.leaveOn(j.shipper.run(j.hard)) }))
	defer talk.Wait()
	defer j.abandon(nil)

	last, finish := j.work(ctx)
	if err := context.Cause(j.hard); err != nil {
		return err
	}
	err := j.deliver(last, finish)
	j.caches.sweep(context.WithoutCancel(ctx)) // when nobody waits for it
	return err
}

// leaveOn ends everything when the server has no more use for this attempt. An
// error of the spool ends the steps, and can still be reported.
func (j *job) leaveOn(err error) {
	switch {
	case err == nil:
	case final(err):
		j.abandon(err)
		j.stop(err)
	default:
		j.stop(&brokenError{err})
	}
}

// guarded turns a panic into the end of the job.
func (j *job) guarded(f func()) func() {
	return func() {
		defer func() {
			if p := recover(); p != nil {
				j.Logger.Error("panic", "err", p, "stack", string(debug.Stack()))
				j.stop(&brokenError{fmt.Errorf("panic: %v", p)})
			}
		}()
		f()
	}
}

// work carries out the steps. The report on the last of them is returned, to
// travel with the job's end.
func (j *job) work(ctx context.Context) (last *delivery.Step, finish api.Finish) {
	defer func() {
		if p := recover(); p != nil {
			j.Logger.Error("panic", "err", p, "stack", string(debug.Stack()))
			r := j.lost("", diagnose.RunnerFailed, fmt.Errorf("panic: %v", p))
			last, finish = nil, api.Finish{Outcome: r.outcome, Cause: j.hide(r.cause)}
		}
	}()
	ctx, j.clock = startClock(ctx, j.Plan.Timeout.Std())
	defer j.clock.stop()
	return j.walk(ctx)
}

// step reports the beginning of a step, carries it out, and returns the report on
// its end.
func (j *job) step(ctx context.Context, s delivery.PlanStep) (*delivery.Step, result) {
	if ctx.Err() != nil {
		return nil, j.interrupted(ctx, diagnose.Failure{Step: s.Name})
	}
	report := delivery.Step{Name: s.Name, State: delivery.StepRunning, StartedAt: j.Now().UTC()}
	started := report
	j.reporter.add(api.Report{Step: &started})
	r := j.perform(ctx, s)
	r.cause = j.hide(r.cause)
	report.FinishedAt, report.Usage, report.Cause = j.Now().UTC(), r.usage, r.cause
	report.Tests, report.Coverage, report.Warnings = r.tests, r.coverage, r.warnings
	switch r.outcome {
	case api.OutcomeSucceeded:
		report.State = delivery.StepSucceeded
	case api.OutcomeFailed:
		report.State = delivery.StepFailed
	default:
		report.State = delivery.StepCanceled
	}
	return &report, r
}

// hide masks the secrets in a Cause: every one leaves the runner through here.
func (j *job) hide(c *delivery.Cause) *delivery.Cause {
	if c == nil {
		return nil
	}
	hidden := c.Hidden(j.text)
	return &hidden
}

// together is how long a step's end waits for the job's, to be one report.
const together = 5 * time.Millisecond

// deliver reports the job's end once the server has the whole log.
func (j *job) deliver(last *delivery.Step, finish api.Finish) error {
	var tidying sync.WaitGroup
	defer tidying.Wait()
	delivered := make(chan struct{})
	defer close(delivered)
	tidying.Go(func() { j.tidyUnless(delivered) })
	close(j.shipper.hurry)
	if !j.drained(together) {
		if last != nil {
			j.reporter.add(api.Report{Step: last})
			last = nil
		}
		if !j.drained(j.LogPatience) {
			j.Logger.Warn("log incomplete at the job's end", "attempt", j.Attempt)
		}
	}
	end := []api.Report{{Finish: &finish}}
	if last != nil {
		end = append([]api.Report{{Step: last}}, end...)
	}
	j.reporter.add(end...)
	patience := time.NewTimer(j.FinishPatience)
	defer patience.Stop()
	for len(j.reporter.pending()) > 0 {
		select {
		case <-j.reporter.settled:
		case <-j.hard.Done():
			return context.Cause(j.hard)
		case <-patience.C:
			return errAway
		}
	}
	return nil
}

// stalled is how long a server may take before we suspect that it is our files that
// leave it no room on the disk.
const stalled = 2 * time.Second

// tidyUnless removes what the steps made, unless the job's end is delivered soon:
// nothing of it is needed any more.
func (j *job) tidyUnless(delivered <-chan struct{}) {
	t := time.NewTimer(stalled)
	defer t.Stop()
	select {
	case <-delivered:
		return
	case <-t.C:
	}
	for _, name := range []string{sourceDir, tempDir, homeDir} {
		if err := os.RemoveAll(j.path(name)); err != nil {
			j.Logger.Warn("workspace not tidied", "err", err) // the executor tries again
		}
	}
}

// drained waits until the server has every line, for a limited time.
func (j *job) drained(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !j.spool.drained() {
		select {
		case <-j.shipper.drained:
		case <-timer.C:
			return false
		case <-j.hard.Done():
			return false
		}
	}
	return true
}
