package delivery

import "time"

// Job is one pod or process with one workspace. Attempts and tokens belong to it.
type Job struct {
	Name  string   `json:"name"`
	State JobState `json:"state"`
	// Attempt counts from 1; 0 means that none was admitted yet. Reports of an
	// earlier attempt than this one are answered with ErrGone.
	Attempt   int    `json:"attempt"`
	TokenHash string `json:"tokenHash,omitempty"`
	// Seq is the number of the last report accepted from this attempt.
	Seq int64 `json:"seq"`

	AdmittedAt time.Time `json:"admittedAt,omitzero"`
	StartedAt  time.Time `json:"startedAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	// SeenAt is when the attempt last gave a sign of life.
	SeenAt time.Time `json:"seenAt,omitzero"`
	// RetryAt is when a job that lost its attempt may be admitted again.
	RetryAt time.Time `json:"retryAt,omitzero"`

	Steps []Step `json:"steps"`
	Cause *Cause `json:"cause,omitempty"`
	// Caches is what the last attempt had of the Plan's caches, known at its end.
	Caches *Caches `json:"caches,omitempty"`
	// Lost are the attempts that the infrastructure lost, oldest first.
	Lost []LostAttempt `json:"lost,omitempty"`
}

// LostAttempt is an attempt that ended through no fault of the user's.
type LostAttempt struct {
	Attempt int       `json:"attempt"`
	Cause   Cause     `json:"cause"`
	At      time.Time `json:"at"`
}

// JobState is where a Job is.
type JobState string

const (
	JobQueued    JobState = "queued"
	JobStarting  JobState = "starting"
	JobRunning   JobState = "running"
	JobSucceeded JobState = "succeeded"
	JobFailed    JobState = "failed"
	JobErrored   JobState = "errored"
	JobCanceled  JobState = "canceled"
)

// Terminal tells whether the state is final.
func (s JobState) Terminal() bool {
	return s == JobSucceeded || s == JobFailed || s == JobErrored || s == JobCanceled
}

// Active tells whether an attempt may be alive.
func (s JobState) Active() bool { return s == JobStarting || s == JobRunning }

// Step is the progress of one PlanStep.
type Step struct {
	Name       string    `json:"name"`
	State      StepState `json:"state"`
	StartedAt  time.Time `json:"startedAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	Usage      Usage     `json:"usage,omitzero"`
	Tests      *Tests    `json:"tests,omitempty"`
	Coverage   *Coverage `json:"coverage,omitempty"`
	// Warnings are what is amiss and fails nothing, such as a broken report.
	Warnings []string `json:"warnings,omitempty" text:"ours"`
	Cause    *Cause   `json:"cause,omitempty"`
}

// StepState is where a Step is.
type StepState string

const (
	StepPending   StepState = "pending"
	StepRunning   StepState = "running"
	StepSucceeded StepState = "succeeded"
	StepFailed    StepState = "failed"
	StepSkipped   StepState = "skipped"
	StepCanceled  StepState = "canceled"
)

// Usage is what a step's processes used.
type Usage struct {
	// PeakMemory is the largest resident set, in bytes.
	PeakMemory int64 `json:"peakMemory,omitempty"`
	// CPU is user and system time together.
	CPU Duration `json:"cpu,omitempty"`
}
