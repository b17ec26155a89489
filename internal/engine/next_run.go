package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func (e *Engine) nextRun(ctx context.Context, d *draft, id delivery.RunID) (time.Time, error) {
	l, err := d.run(ctx, id)
	if gone(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	run := l.after
	facts, err := e.runFacts(ctx, run)
	if err != nil {
		return time.Time{}, err
	}
	actions, again := run.Next(d.now, facts)
	for _, a := range actions {
		soon, err := e.actOnRun(ctx, d, run, a)
		if err != nil {
			return time.Time{}, err
		}
		if !soon.IsZero() && (again.IsZero() || soon.Before(again)) {
			again = soon
		}
	}
	return again, e.closeLogs(ctx, run)
}

// closeLogs ends the logs of attempts that are over; doing it again is free.
func (e *Engine) closeLogs(ctx context.Context, run delivery.Run) error {
	for _, j := range run.Jobs {
		over := j.Attempt
		if j.State.Active() {
			over--
		}
		for ; over > 0; over-- {
			attempt := j
			attempt.Attempt = over
			if err := e.closeLog(ctx, run.AttemptKey(attempt), lastLine(attempt)); err != nil {
				return fmt.Errorf("close the log of %s: %w", run.AttemptKey(attempt), err)
			}
		}
	}
	return nil
}

// lastLine marks the log of a lost attempt: its runner may have had lines that never
// came. It is empty for other attempts.
func lastLine(j delivery.Job) string {
	for _, lost := range j.Lost {
		if lost.Attempt == j.Attempt {
			return "… the attempt was lost: " + lost.Cause.Text + "; lines that had not come by then are lost too"
		}
	}
	return ""
}

func (e *Engine) runFacts(ctx context.Context, run delivery.Run) (delivery.RunFacts, error) {
	facts := delivery.RunFacts{Limits: e.cfg.Limits, Images: e.cfg.BuildsInImages}
	var err error
	switch run.State() {
	case delivery.RunQueued:
		if run.Hook != "" {
			facts.OlderQueued, err = e.store.OlderQueued(ctx, run)
		}
	case delivery.RunSucceeded:
		if run.Release == "" {
			set, setErr := e.catalogue.current(ctx)
			if setErr != nil {
				return facts, setErr
			}
			facts.Automatic = set.Environments[run.Env].Automatic
		}
	}
	return facts, err
}

// actOnRun does what is due; again is when to look once more for what is being found
// out.
func (e *Engine) actOnRun(ctx context.Context, d *draft, run delivery.Run, a delivery.Action) (again time.Time, err error) {
	switch a := a.(type) {
	case delivery.ChooseStack:
		return e.chooseStack(ctx, d, run, *run.Job(a.Job))
	case delivery.StartAttempt:
		return again, e.startAttempt(ctx, d, run, *run.Job(a.Job))
	case delivery.ObserveAttempt:
		return again, e.observeAttempt(ctx, d, run, *run.Job(a.Job))
	case delivery.StopAttempt:
		return again, e.stopAttempt(ctx, run, *run.Job(a.Job))
	case delivery.ProposeRelease:
		return again, e.proposeRelease(ctx, d, run, a.Artifact)
	}
	return again, e.pure(ctx, d, a)
}

func (e *Engine) stopAttempt(ctx context.Context, run delivery.Run, j delivery.Job) error {
	ctx, cancel := context.WithTimeout(ctx, executorTimeout)
	defer cancel()
	key := run.AttemptKey(j)
	if err := e.cfg.Executor.Stop(ctx, key); err != nil {
		return fmt.Errorf("stop %s: %w", key, err)
	}
	return nil
}

func (e *Engine) startAttempt(ctx context.Context, d *draft, run delivery.Run, j delivery.Job) error {
	ctx, cancel := context.WithTimeout(ctx, executorTimeout)
	defer cancel()
	key := run.AttemptKey(j)
	status, err := e.cfg.Executor.Start(ctx, delivery.AttemptSpec{
		Key: key, ClaimCode: e.claimCode(key), ServerURL: e.cfg.RunnerURL,
		Image: e.cfg.inRegistry(run.Plan.BuildImage), Pod: e.cfg.podHere(run.Plan.Pod), Caches: run.CachePlaces(),
		Timeout: run.Plan.Timeout, MoreMemory: j.MoreMemory(),
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", key, err)
	}
	return e.judgeAttempt(ctx, d, run, j, status)
}

func (e *Engine) observeAttempt(ctx context.Context, d *draft, run delivery.Run, j delivery.Job) error {
	ctx, cancel := context.WithTimeout(ctx, executorTimeout)
	defer cancel()
	key := run.AttemptKey(j)
	status, err := e.cfg.Executor.Observe(ctx, key)
	if err != nil {
		return fmt.Errorf("observe %s: %w", key, err)
	}
	return e.judgeAttempt(ctx, d, run, j, status)
}

// judgeAttempt turns an observation into a fact: an attempt that is over without
// its runner's last report is lost.
func (e *Engine) judgeAttempt(ctx context.Context, d *draft, run delivery.Run, j delivery.Job, s delivery.AttemptStatus) error {
	switch s.Phase {
	case delivery.AttemptAlive:
		return nil
	case delivery.AttemptPending:
		if j.State != delivery.JobStarting || j.Cause.Same(s.Cause) {
			return nil
		}
		return d.record(ctx, run.Ref(), delivery.AttemptWaits{Job: j.Name, Attempt: j.Attempt, Cause: s.Cause, At: d.now})
	}
	cause := delivery.Because("attempt.lost", nil)
	if s.Cause != nil {
		cause = *s.Cause
	}
	return d.record(ctx, run.Ref(), run.Lost(j, d.now, e.cfg.Limits, cause))
}

// proposeRelease makes the release of an automatic environment.
func (e *Engine) proposeRelease(ctx context.Context, d *draft, run delivery.Run, a delivery.Artifact) error {
	rel, err := e.newRelease(ctx, d, a, run.Env)
	if gone(err) {
		return nil // the app or the environment was deleted meanwhile
	}
	if err != nil {
		return err
	}
	rel.Automatic, rel.By, rel.Reason = true, delivery.System(), "every good run of "+run.Env+" is released"
	if rel, err = e.propose(ctx, d, rel); err != nil {
		return err
	}
	return d.record(ctx, run.Ref(), delivery.ReleaseProposed{Release: rel.ID})
}
