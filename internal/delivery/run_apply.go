package delivery

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrGone answers every report of an attempt that is not the job's current one,
// or of a job that has ended. A runner that reads it ends itself.
var ErrGone = errors.New("this attempt is no longer the job's current one")

// Facts about a Run. At is when the fact was learned.
type (
	// JobAdmitted gives a queued job its next attempt.
	JobAdmitted struct {
		Job string
		At  time.Time
	}
	// AttemptWaits says why the attempt does not run yet; nil that it is about to.
	AttemptWaits struct {
		Job     string
		Attempt int
		Cause   *Cause
		At      time.Time
	}
	// AttemptClaimed says that the attempt's runner took its job. The same token
	// may claim again; another one is refused.
	AttemptClaimed struct {
		Job       string
		Attempt   int
		TokenHash string
		At        time.Time
	}
	// PlanRefined gives the run the Plan that the commit's own files make of its
	// first one, by a runner's checkout or, where the image must be known, before. The first that is accepted stays, also for later attempts.
	PlanRefined struct {
		Job     string
		Attempt int
		Plan    Plan
		At      time.Time
	}
	// StepReported is a runner's report on one step.
	StepReported struct {
		Job     string
		Attempt int
		Seq     int64
		Step    Step
		At      time.Time
	}
	// JobFinished is a runner's last report, or the server's verdict when Seq is 0.
	JobFinished struct {
		Job      string
		Attempt  int
		Seq      int64
		Outcome  JobState
		Cause    *Cause
		Artifact *Artifact
		Caches   *Caches
		At       time.Time
	}
	// AttemptSeen is a sign of life.
	AttemptSeen struct {
		Job     string
		Attempt int
		At      time.Time
	}
	// AttemptLost says that the attempt is dead through no fault of the user's.
	AttemptLost struct {
		Job     string
		Attempt int
		Cause   Cause
		// Final errors the job instead of trying again.
		Final bool
		// RetryAfter is the pause before the next attempt.
		RetryAfter time.Duration
		At         time.Time
	}
	// CancelRequested asks to end the run.
	CancelRequested struct {
		By     Actor
		Reason string
		At     time.Time
	}
	// RunSuperseded ends a queued run because a newer push made it pointless.
	RunSuperseded struct {
		By RunID
		At time.Time
	}
	// ReleaseProposed links the release that an automatic environment made.
	ReleaseProposed struct{ Release ReleaseID }
)

func (JobAdmitted) Name() string     { return "job.admitted" }
func (AttemptWaits) Name() string    { return "attempt.waits" }
func (AttemptClaimed) Name() string  { return "attempt.claimed" }
func (PlanRefined) Name() string     { return "plan.refined" }
func (StepReported) Name() string    { return "step.reported" }
func (JobFinished) Name() string     { return "job.finished" }
func (AttemptSeen) Name() string     { return "attempt.seen" }
func (AttemptLost) Name() string     { return "attempt.lost" }
func (CancelRequested) Name() string { return "cancel.requested" }
func (RunSuperseded) Name() string   { return "run.superseded" }
func (ReleaseProposed) Name() string { return "release.proposed" }

// Apply folds a fact into the run. It never changes r's own slices. An illegal
// fact is a Conflict, a report of a fenced attempt is ErrGone, and the same
// terminal fact again changes nothing.
func (r Run) Apply(e Event) (Run, error) {
	r.Jobs = slices.Clone(r.Jobs)
	var err error
	var at time.Time
	switch e := e.(type) {
	case JobAdmitted:
		at, err = e.At, r.onJob(e.Job, func(j *Job) error { return j.admit(e, r.Plan) })
	case AttemptWaits:
		at, err = e.At, r.onJob(e.Job, func(j *Job) error { return j.wait(e) })
	case AttemptClaimed:
		at, err = e.At, r.onJob(e.Job, func(j *Job) error { return j.claim(e) })
	case PlanRefined:
		at, err = e.At, r.refine(e)
	case StepReported:
		at, err = e.At, r.onJob(e.Job, func(j *Job) error { return j.report(e) })
	case JobFinished:
		at, err = e.At, r.finish(e)
	case AttemptSeen:
		at, err = e.At, r.onJob(e.Job, func(j *Job) error { return j.seen(e) })
	case AttemptLost:
		at, err = e.At, r.onJob(e.Job, func(j *Job) error { return j.lose(e, r.Cancel) })
	case CancelRequested:
		at, err = e.At, r.cancel(e)
	case RunSuperseded:
		at, err = e.At, r.supersede(e)
	case ReleaseProposed:
		if r.State() != RunSucceeded {
			return r, E(Conflict, r.Name()+" has not succeeded, so it cannot be released")
		}
		if r.Release != "" && r.Release != e.Release {
			return r, E(Conflict, r.Name()+" already has a release")
		}
		r.Release = e.Release
		return r, nil
	default:
		return r, E(Internal, fmt.Sprintf("a run does not know the fact %T", e))
	}
	if err == nil && r.FinishedAt.IsZero() && r.State().Terminal() {
		r.FinishedAt = at
	}
	return r, err
}

func (r *Run) onJob(name string, change func(*Job) error) error {
	j := r.Job(name)
	if j == nil {
		return E(Conflict, fmt.Sprintf("%s has no job %q", r.Name(), name))
	}
	return change(j)
}

func (r *Run) refine(e PlanRefined) error {
	refined := r.Plan.Reads == nil
	err := r.onJob(e.Job, func(j *Job) error {
		if refined && j.current(e.Attempt) {
			return nil
		}
		return j.refine(e)
	})
	if err == nil && !refined {
		r.Plan = e.Plan
	}
	return err
}

func (r *Run) finish(e JobFinished) error {
	switch {
	case r.Cancel != nil: // whatever the runner managed to do meanwhile
		e.Outcome, e.Cause, e.Artifact = JobCanceled, r.Cancel.cause("run.canceled"), nil
	case e.Outcome == JobCanceled:
		return E(Invalid, "nobody canceled "+r.Name())
	}
	already := false
	err := r.onJob(e.Job, func(j *Job) (err error) {
		already, err = j.finish(e)
		return err
	})
	if err != nil || already {
		return err
	}
	if e.Outcome == JobSucceeded && e.Artifact != nil {
		a := *e.Artifact
		a.App, a.Run, a.RunNumber, a.Commit, a.Env = r.App, r.ID, r.Number, r.Commit, r.Env
		a.CreatedAt = e.At
		r.Artifact = &a
	}
	return nil
}

func (r *Run) cancel(e CancelRequested) error {
	switch state := r.State(); {
	case state == RunCanceled:
		return nil
	case state.Terminal():
		return E(Conflict, fmt.Sprintf("%s has already %s; there is nothing to cancel", r.Name(), state))
	case r.Cancel != nil:
		return nil
	}
	r.Cancel = &Cancellation{By: e.By, Reason: e.Reason, At: e.At}
	for i := range r.Jobs {
		if j := &r.Jobs[i]; j.State == JobQueued {
			j.end(JobCanceled, r.Cancel.cause("run.canceled"), e.At)
		}
	}
	return nil
}

func (r *Run) supersede(e RunSuperseded) error {
	if r.SupersededBy == e.By {
		return nil
	}
	if r.State() != RunQueued {
		return E(Conflict, r.Name()+" is no longer queued")
	}
	r.SupersededBy = e.By
	cause := Because("run.superseded", Args{"by": string(e.By)})
	for i := range r.Jobs {
		r.Jobs[i].end(JobCanceled, &cause, e.At)
	}
	return nil
}

// cause names who ended something, and why.
func (c Cancellation) cause(code string) *Cause {
	cause := Because(code, Args{"by": c.By.String(), "reason": c.Reason})
	return &cause
}
