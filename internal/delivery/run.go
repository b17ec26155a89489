package delivery

import (
	"fmt"
	"time"
)

// Run takes one commit of one App to an artifact for one Environment. Its state
// is derived from its jobs.
type Run struct {
	ID  RunID  `json:"id"`
	App string `json:"app"`
	// Number counts the App's runs from 1; the store assigns it.
	Number int    `json:"number"`
	Env    string `json:"env"`
	Team   string `json:"team,omitempty"`
	// Lane is the queue's lane; a higher one is admitted first.
	Lane   int    `json:"lane"`
	Commit Commit `json:"commit"`
	Repo   Repo   `json:"repo"`
	Plan   Plan   `json:"plan"`
	// Changed is what the push changed; nil when that is not known.
	Changed *Changes `json:"changed,omitempty"`
	// Hook is the delivery that asked for the run; empty when a person did.
	Hook      string    `json:"hook,omitempty"`
	By        Actor     `json:"by"`
	CreatedAt time.Time `json:"createdAt"`
	// Note says in one line what is unusual about how the run came about.
	Note string `json:"note,omitempty"`
	Jobs []Job  `json:"jobs"`

	Cancel       *Cancellation `json:"cancel,omitempty"`
	SupersededBy RunID         `json:"supersededBy,omitempty"`
	Artifact     *Artifact     `json:"artifact,omitempty"`
	// Release is the one that an automatic environment made of this run.
	Release    ReleaseID `json:"release,omitempty"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	Version    int64     `json:"version"`
}

// Cancellation says who ended something, and why.
type Cancellation struct {
	By     Actor     `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// RunState is the user's view of a Run.
type RunState string

const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunSucceeded RunState = "succeeded"
	// RunFailed is the user's result: a command said no.
	RunFailed RunState = "failed"
	// RunErrored is ours: the infrastructure failed and retries are used up.
	RunErrored RunState = "errored"
	// RunCanceled has an actor: a person, or a newer push.
	RunCanceled RunState = "canceled"
)

// Terminal tells whether the state is final.
func (s RunState) Terminal() bool { return s != RunQueued && s != RunRunning }

// Name returns "app#number", the run's name for people.
func (r Run) Name() string { return fmt.Sprintf("%s#%d", r.App, r.Number) }

// Ref returns the run's reference.
func (r Run) Ref() Ref { return Ref{KindRun, string(r.ID)} }

// State derives the run's state from its jobs.
func (r Run) State() RunState {
	seen := make(map[JobState]bool, len(r.Jobs))
	for _, j := range r.Jobs {
		seen[j.State] = true
	}
	switch {
	case seen[JobStarting] || seen[JobRunning]:
		return RunRunning
	case seen[JobFailed]:
		return RunFailed
	case seen[JobErrored]:
		return RunErrored
	case seen[JobCanceled]:
		return RunCanceled
	case seen[JobQueued]:
		if r.attempts() > 0 {
			return RunRunning
		}
		return RunQueued
	}
	return RunSucceeded
}

// Cause returns why the run ended as it did, or waits; nil when all is well.
func (r Run) Cause() *Cause {
	for _, j := range r.Jobs {
		if j.Cause != nil {
			return j.Cause
		}
	}
	return nil
}

func (r Run) attempts() int {
	n := 0
	for _, j := range r.Jobs {
		n += j.Attempt
	}
	return n
}

// Job returns the named job, or nil.
func (r *Run) Job(name string) *Job {
	for i := range r.Jobs {
		if r.Jobs[i].Name == name {
			return &r.Jobs[i]
		}
	}
	return nil
}

// AttemptKey names one attempt of one job; it is the pod's name.
func (r Run) AttemptKey(j Job) string {
	return fmt.Sprintf("%s-%d-%s-%d", r.App, r.Number, j.Name, j.Attempt)
}

// NewRun returns a queued run with one job per the Plan. The store assigns Number.
func NewRun(id RunID, app App, env Environment, commit Commit, repo Repo, plan Plan, by Actor, now time.Time) Run {
	return Run{
		ID: id, App: app.Name, Env: env.Name, Team: app.Team, Lane: env.Rank,
		Commit: commit, Repo: repo, Plan: plan, By: by, CreatedAt: now,
		Jobs: []Job{{Name: "build", State: JobQueued, Steps: plan.fresh()}},
	}
}
