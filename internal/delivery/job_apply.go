package delivery

import (
	"fmt"
	"slices"
	"time"
)

func (j *Job) admit(e JobAdmitted, plan Plan) error {
	if j.State != JobQueued {
		return E(Conflict, fmt.Sprintf("job %s is %s, not queued", j.Name, j.State))
	}
	j.State, j.Attempt, j.Seq, j.TokenHash = JobStarting, j.Attempt+1, 0, ""
	j.AdmittedAt, j.SeenAt, j.StartedAt, j.RetryAt = e.At, e.At, time.Time{}, time.Time{}
	j.Steps, j.Cause = plan.fresh(), nil // a new attempt starts from a fresh workspace
	return nil
}

func (j *Job) wait(e AttemptWaits) error {
	if !j.current(e.Attempt) || j.State != JobStarting {
		return ErrGone
	}
	j.Cause = e.Cause
	return nil
}

func (j *Job) claim(e AttemptClaimed) error {
	switch {
	case !j.current(e.Attempt):
		return ErrGone
	case j.State == JobStarting:
		j.State, j.TokenHash, j.StartedAt, j.SeenAt, j.Cause = JobRunning, e.TokenHash, e.At, e.At, nil
		return nil
	case j.TokenHash == e.TokenHash:
		j.SeenAt = e.At
		return nil
	}
	return ErrGone // another runner holds the claim
}

func (j *Job) seen(e AttemptSeen) error {
	if !j.current(e.Attempt) {
		return ErrGone
	}
	j.SeenAt = later(j.SeenAt, e.At)
	return nil
}

func (j *Job) report(e StepReported) error {
	ended := j.State.Terminal() && e.Seq <= j.Seq // it was accepted, and only its answer was lost
	switch {
	case j.Attempt != e.Attempt || j.State != JobRunning && !ended:
		return ErrGone
	case e.Seq <= j.Seq:
		return nil
	case e.Seq != j.Seq+1:
		return E(Conflict, fmt.Sprintf("report %d came after %d; send from %d", e.Seq, j.Seq, j.Seq+1))
	}
	i := slices.IndexFunc(j.Steps, func(s Step) bool { return s.Name == e.Step.Name })
	if i < 0 {
		return E(Invalid, fmt.Sprintf("the plan has no step %q", e.Step.Name))
	}
	j.Steps = slices.Clone(j.Steps)
	j.Steps[i] = e.Step
	j.Seq, j.SeenAt = e.Seq, later(j.SeenAt, e.At)
	return nil
}

// refine gives the steps of a refined plan to a job under way, or about to start.
func (j *Job) refine(e PlanRefined) error {
	if !j.current(e.Attempt) {
		return ErrGone
	}
	had := j.Steps
	j.Steps = e.Plan.fresh()
	for i, s := range j.Steps {
		if k := slices.IndexFunc(had, func(h Step) bool { return h.Name == s.Name && h.State != StepPending }); k >= 0 {
			j.Steps[i] = had[k]
		}
	}
	j.SeenAt = later(j.SeenAt, e.At)
	return nil
}

// finish returns true when the very same end was already accepted.
func (j *Job) finish(e JobFinished) (already bool, err error) {
	switch {
	case j.Attempt != e.Attempt:
		return false, ErrGone
	case j.State.Terminal():
		if j.State == e.Outcome && (e.Seq == 0 || e.Seq <= j.Seq) {
			return true, nil
		}
		return false, ErrGone
	case !j.State.Active():
		return false, ErrGone
	case !e.Outcome.Terminal() || e.Outcome == JobErrored:
		return false, E(Invalid, fmt.Sprintf("a job cannot finish as %q", e.Outcome))
	case e.Seq != 0 && j.State != JobRunning:
		return false, ErrGone // nobody claimed it, so nobody may report for it
	case e.Seq != 0 && e.Seq != j.Seq+1:
		return false, E(Conflict, fmt.Sprintf("report %d came after %d; send from %d", e.Seq, j.Seq, j.Seq+1))
	}
	j.Seq, j.Caches = max(j.Seq, e.Seq), e.Caches
	j.end(e.Outcome, e.Cause, e.At)
	return false, nil
}

func (j *Job) lose(e AttemptLost, canceled *Cancellation) error {
	switch {
	case j.Attempt != e.Attempt || !j.State.Active():
		return ErrGone
	case canceled != nil:
		j.end(JobCanceled, canceled.cause("run.canceled"), e.At)
		return nil
	}
	cause := e.Cause
	j.Lost = append(slices.Clip(j.Lost), LostAttempt{Attempt: e.Attempt, Cause: cause, At: e.At})
	if e.Final {
		j.end(JobErrored, &cause, e.At)
		return nil
	}
	j.State, j.Cause, j.RetryAt, j.TokenHash = JobQueued, &cause, e.At.Add(e.RetryAfter), ""
	return nil
}

// end makes the job terminal and settles the steps that did not finish.
func (j *Job) end(state JobState, cause *Cause, at time.Time) {
	j.State, j.Cause, j.FinishedAt = state, cause, at
	j.Steps = slices.Clone(j.Steps)
	for i := range j.Steps {
		switch s := &j.Steps[i]; s.State {
		case StepPending:
			s.State = StepSkipped
		case StepRunning:
			s.State, s.FinishedAt = StepCanceled, at
		}
	}
}

func (j *Job) current(attempt int) bool { return j.Attempt == attempt && j.State.Active() }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
