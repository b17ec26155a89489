package delivery

import (
	"slices"
	"time"
)

// RunLimits are the promises about attempts that a Run's policy keeps.
type RunLimits struct {
	// Start limits the time from admission to the runner's claim.
	Start time.Duration
	// Silence is the promised cut-off: an attempt that gave no sign of life for
	// longer is lost.
	Silence time.Duration
	// Grace is how long a canceled or timed-out attempt may take to end.
	Grace time.Duration
	// Attempts is how many attempts a job gets before it is errored.
	Attempts int
	// Backoff is the pause before the second attempt; it doubles.
	Backoff time.Duration
}

// DefaultRunLimits suit one machine and a cluster alike.
func DefaultRunLimits() RunLimits {
	return RunLimits{Start: time.Minute, Silence: 3 * time.Minute, Grace: 30 * time.Second, Attempts: 3, Backoff: 2 * time.Second}
}

// RunFacts is what a Run's Next looks at beside the run.
type RunFacts struct {
	Limits RunLimits
	// Images says that attempts are started in their Plan's image, so that its Stack
	// must be known before.
	Images bool
	// Automatic says that the environment releases good runs at once.
	Automatic bool
	// OlderQueued are the older queued runs of the same app and environment
	// that a push asked for.
	OlderQueued []RunID
}

// Next says what is due for the run, and when to look again (zero: when something
// happens).
func (r Run) Next(now time.Time, f RunFacts) (actions []Action, again time.Time) {
	if r.Hook != "" && !r.State().Terminal() { // an ended run replaces nothing
		for _, older := range f.OlderQueued {
			actions = append(actions, Record{Ref{KindRun, string(older)}, RunSuperseded{By: r.ID, At: now}})
		}
	}
	for _, j := range r.Jobs {
		var due []Action
		var at time.Time
		switch j.State {
		case JobQueued:
			due, at = j.nextQueued(now)
		case JobStarting:
			due, at = r.nextStarting(j, now, f)
		case JobRunning:
			due, at = r.nextRunning(j, now, f.Limits)
		}
		actions, again = append(actions, due...), earliest(again, at)
	}
	if r.State() == RunSucceeded && f.Automatic && r.Artifact != nil && r.Release == "" {
		actions = append(actions, ProposeRelease{Artifact: *r.Artifact})
	}
	return actions, again
}

// nextQueued asks for admission once a retry's pause is over. A new run's first
// wake of the admission is committed with the run.
func (j Job) nextQueued(now time.Time) ([]Action, time.Time) {
	switch {
	case j.RetryAt.IsZero():
		return nil, time.Time{}
	case now.Before(j.RetryAt):
		return nil, j.RetryAt
	}
	return []Action{Wake{Ref: AdmissionRef}}, time.Time{}
}

func (r Run) nextStarting(j Job, now time.Time, f RunFacts) ([]Action, time.Time) {
	l := f.Limits
	if r.Cancel != nil {
		return r.nextStopping(j, now, l)
	}
	if late := j.AdmittedAt.Add(l.Start); now.Before(late) {
		if f.Images && r.Plan.Open {
			return []Action{ChooseStack{Job: j.Name}}, late
		}
		return []Action{StartAttempt{Job: j.Name}}, late
	}
	return r.lose(j, now, l, j.neverStarted(l.Start)), time.Time{}
}

// neverStarted is why an attempt did not start within the limit: what it waited for,
// as far as that is known.
func (j Job) neverStarted(limit time.Duration) Cause {
	late := Because("attempt.not_started", Args{"limit": limit.String()})
	if j.Cause == nil {
		return late
	}
	c := *j.Cause
	c.Evidence = append(slices.Clip(c.Evidence), late.Text)
	return c
}

func (r Run) nextRunning(j Job, now time.Time, l RunLimits) ([]Action, time.Time) {
	if r.Cancel != nil {
		return r.nextStopping(j, now, l)
	}
	silent, late := j.SeenAt.Add(l.Silence), j.StartedAt.Add(r.Plan.Timeout.Std()+l.Grace)
	switch {
	case !now.Before(silent):
		return r.lose(j, now, l, Because("attempt.silent", Args{"limit": l.Silence.String()})), time.Time{}
	case r.Plan.Timeout > 0 && !now.Before(late):
		cause := Because("job.timeout", Args{"limit": r.Plan.Timeout.String()})
		return []Action{
			StopAttempt{Job: j.Name},
			Record{r.Ref(), JobFinished{Job: j.Name, Attempt: j.Attempt, Outcome: JobFailed, Cause: &cause, At: now}},
			Wake{Ref: AdmissionRef},
		}, time.Time{}
	}
	if r.Plan.Timeout == 0 {
		late = time.Time{}
	}
	return []Action{ObserveAttempt{Job: j.Name}}, earliest(silent, late)
}

// nextStopping ends an attempt of a canceled run: ask, then stop waiting for it.
func (r Run) nextStopping(j Job, now time.Time, l RunLimits) ([]Action, time.Time) {
	end := r.Cancel.At.Add(l.Grace)
	if now.Before(end) {
		return []Action{StopAttempt{Job: j.Name}, ObserveAttempt{Job: j.Name}}, end
	}
	return []Action{
		StopAttempt{Job: j.Name},
		Record{r.Ref(), JobFinished{Job: j.Name, Attempt: j.Attempt, Outcome: JobCanceled, Cause: r.Cancel.cause("run.canceled"), At: now}},
		Wake{Ref: AdmissionRef},
	}, time.Time{}
}

func (r Run) lose(j Job, now time.Time, l RunLimits, cause Cause) []Action {
	return []Action{
		StopAttempt{Job: j.Name},
		Record{r.Ref(), r.Lost(j, now, l, cause)},
		Wake{Ref: AdmissionRef},
	}
}

// Lost returns the fact that the job's current attempt is dead, with the retry
// that the limits allow.
func (r Run) Lost(j Job, now time.Time, l RunLimits, cause Cause) AttemptLost {
	return AttemptLost{
		Job: j.Name, Attempt: j.Attempt, Cause: cause, At: now,
		Final: j.exhausted(cause, l), RetryAfter: j.backoff(l),
	}
}
