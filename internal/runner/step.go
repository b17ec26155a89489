package runner

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/quality"
)

const shell = "/bin/sh"

// result is how a step ended, and so the job if outcome is not "succeeded".
type result struct {
	outcome  string
	cause    *delivery.Cause
	usage    delivery.Usage
	tests    *delivery.Tests
	coverage *delivery.Coverage
	warnings []string
	artifact *delivery.Artifact
	// manifests are the App's own, by Environment.
	manifests map[string]string
}

var succeeded = result{outcome: api.OutcomeSucceeded}

// perform carries out one step.
func (j *job) perform(ctx context.Context, s delivery.PlanStep) result {
	if limit := s.Timeout.Std(); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, &limitError{limit: limit})
		defer cancel()
	}
	switch s.Kind {
	case delivery.StepRun:
		return j.script(ctx, s)
	case delivery.StepCheckout:
		return j.checkout(ctx, s)
	case delivery.StepImage, delivery.StepPublish:
		return j.artifact(ctx, s)
	case delivery.StepManifests:
		return j.manifests(ctx, s)
	}
	return j.lost(s.Name, diagnose.RunnerFailed, fmt.Errorf("this runner does not know steps of kind %q; install a newer one", s.Kind))
}

// script runs a shell script and judges its end.
func (j *job) script(ctx context.Context, s delivery.PlanStep) result {
	dir, err := j.appDir()
	if err != nil {
		return j.lost(s.Name, diagnose.RunnerFailed, err)
	}
	env := j.stepEnv(s, dir)
	if c := j.unfit(ctx, s.Name, env); c != nil {
		return failed(*c)
	}
	if c := missing(s.Name, dir, "input", s.Inputs); c != nil {
		return failed(*c)
	}
	j.say(s.Name, "$ "+strings.ReplaceAll(strings.TrimSpace(s.Run), "\n", "\n$ "))
	files := j.expect(s, dir)
	roots := j.roots(dir)
	out := &output{journal: j.journal, step: s.Name, tests: quality.NewReader(s.Tests, roots), sample: diagnose.Sample{Roots: roots}}
	before := readMemory()
	p, err := j.house.run(command{
		step: s.Name, path: shell, args: []string{"sh", "-e", "-c", s.Run}, dir: dir, env: env, grace: j.Grace,
	})
	if err != nil {
		return j.lost(s.Name, diagnose.RunnerFailed, err)
	}
	e, err := j.follow(ctx, p, out)
	if err != nil {
		return j.lost(s.Name, diagnose.RunnerFailed, err)
	}
	if !errors.Is(context.Cause(ctx), errCanceled) {
		files.collect()
	}
	tests := quality.Fuller(files.merged.Tests(), j.maskTests(out))
	r := j.judge(ctx, e, diagnose.Failure{Step: s.Name, Exit: e.exit, Signal: e.signal, Tests: tests, Output: &out.sample})
	if c := missing(s.Name, dir, "output", s.Outputs); c != nil && r.outcome == api.OutcomeSucceeded {
		r = failed(*c)
	}
	r.usage, r.tests, r.coverage, r.warnings = e.usage, tests, files.merged.Coverage(), files.warnings
	return starved(s.Name, r, before, readMemory())
}

// roots are where a step's tools find the sources: paths in Causes are relative.
func (j *job) roots(app string) diagnose.Roots {
	return diagnose.Roots{{Dir: app}, {Dir: j.path(sourceDir)}}
}

// escaped bounds the wait for output that a process beyond our reach holds open,
// such as one that was handed the pipe.
const escaped = 2 * time.Second

func (j *job) follow(ctx context.Context, p *process, out *output) (ending, error) {
	var pumps sync.WaitGroup
	pumps.Go(j.guarded(func() { out.pump(p.stdout, streamOut) }))
	pumps.Go(j.guarded(func() { out.pump(p.stderr, streamErr) }))
	e, err := p.wait(ctx, j.hard)
	deadline := time.Now().Add(escaped)
	_ = p.stdout.SetReadDeadline(deadline) // closed when it was read to its end
	_ = p.stderr.SetReadDeadline(deadline)
	pumps.Wait()
	out.end()
	return e, err
}

func (j *job) judge(ctx context.Context, e ending, f diagnose.Failure) result {
	switch {
	case e.stopped:
		return j.interrupted(ctx, f)
	case e.exit == 0 && e.signal == "":
		return succeeded
	}
	return failed(f.Cause())
}

// interrupted explains a step that we ended.
func (j *job) interrupted(ctx context.Context, f diagnose.Failure) result {
	var limit *limitError
	var broken *brokenError
	var sibling *siblingError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &limit):
		f.Limit, f.WholeJob = limit.limit, limit.wholeJob
		return failed(f.Cause())
	case errors.As(cause, &sibling):
		c := delivery.Because(diagnose.StepStopped, delivery.Args{"step": f.Step, "other": sibling.step})
		c.Step = f.Step
		return result{outcome: api.OutcomeCanceled, cause: &c}
	case errors.As(cause, &broken):
		return j.lost(f.Step, diagnose.RunnerFailed, broken)
	}
	return result{outcome: api.OutcomeCanceled}
}

func (j *job) maskTests(out *output) *delivery.Tests {
	if out.tests == nil {
		return nil
	}
	t := out.tests.Summary()
	if t == nil {
		return nil
	}
	masked := *t
	masked.Failures = nil
	for _, f := range t.Failures {
		masked.Failures = append(masked.Failures, delivery.TestFailure{Name: j.text(f.Name), Message: j.text(f.Message)})
	}
	return &masked
}

func (j *job) checkout(ctx context.Context, s delivery.PlanStep) result {
	dir := j.path(sourceDir)
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return j.lost(s.Name, diagnose.CheckoutFailed, err)
	}
	j.say(s.Name, "Checking out "+j.Clone.SHA+" of "+withoutUser(j.Clone.URL))
	if err := j.Checkout(ctx, dir, j.Clone); err != nil {
		return j.portFailed(ctx, s.Name, diagnose.CheckoutFailed, err)
	}
	if _, err := j.appDir(); err != nil {
		c := delivery.Because(diagnose.CheckoutFailed, delivery.Args{"path": j.Plan.Path})
		c.Step, c.Evidence = s.Name, []string{err.Error()}
		return failed(c)
	}
	return j.refine(ctx, s.Name)
}

// withoutUser takes a credential out of a clone URL.
func withoutUser(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		return raw // such as git@host:group/name.git
	}
	u.User = nil
	return u.String()
}

// portFailed tells the user's failures from ours: what is unavailable or broken
// costs the user nothing and is tried again.
func (j *job) portFailed(ctx context.Context, step, code string, err error) result {
	if ctx.Err() != nil {
		return j.interrupted(ctx, diagnose.Failure{Step: step})
	}
	said, evidence := j.text(err.Error()), []string(nil)
	var known *delivery.Error
	if errors.As(err, &known) && known.Msg != "" {
		said = j.text(known.Msg)
		if known.Err != nil {
			evidence = diagnose.FirstErrors([]string{j.text(known.Err.Error())})
		}
	}
	c := delivery.Because(code, delivery.Args{"error": diagnose.Line(said)})
	c.Step, c.Evidence = step, evidence
	j.say(step, err.Error())
	switch delivery.KindOf(err) {
	case delivery.Unavailable, delivery.Internal, delivery.Conflict:
		return result{outcome: api.OutcomeLost, cause: &c}
	}
	return failed(c)
}

func failed(c delivery.Cause) result { return result{outcome: api.OutcomeFailed, cause: &c} }

// lost is a failure of ours.
func (j *job) lost(step, code string, err error) result {
	c := delivery.Because(code, delivery.Args{"error": diagnose.Line(j.text(err.Error()))})
	c.Step = step
	return result{outcome: api.OutcomeLost, cause: &c}
}
