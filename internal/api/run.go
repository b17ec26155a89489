package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// RunSummary is a run in a list.
type RunSummary struct {
	ID     delivery.RunID    `json:"id"`
	App    string            `json:"app"`
	Number int               `json:"number"`
	Name   string            `json:"name" doc:"app#number"`
	Env    string            `json:"env"`
	State  delivery.RunState `json:"state" enum:"queued,running,succeeded,failed,errored,canceled"`
	Commit delivery.Commit   `json:"commit"`
	By     delivery.Actor    `json:"by"`
	// Note says in one line what is unusual about how the run came about.
	Note string `json:"note,omitempty"`
	// Step is the step under way; of several, all with commas between.
	Step       string             `json:"step,omitempty"`
	Cause      *delivery.Cause    `json:"cause,omitempty"`
	Artifact   delivery.Digest    `json:"artifact,omitempty"`
	Release    delivery.ReleaseID `json:"release,omitempty"`
	CreatedAt  time.Time          `json:"createdAt"`
	StartedAt  time.Time          `json:"startedAt,omitzero"`
	FinishedAt time.Time          `json:"finishedAt,omitzero"`
	Version    int64              `json:"version"`
	// Tests and Coverage are the sums of its steps; failing tests are named there.
	Tests    *delivery.Tests    `json:"tests,omitempty"`
	Coverage *delivery.Coverage `json:"coverage,omitempty"`
	// Queue is the place in line of a queued run.
	Queue *QueuePlace `json:"queue,omitempty"`
}

// QueuePlace is a place in the line of jobs, from 1. Teams share fairly, so a run
// may start sooner or later than its place says.
type QueuePlace struct {
	Position int `json:"position"`
	Total    int `json:"total"`
}

// Run is a run whole.
type Run struct {
	RunSummary
	Repo         delivery.Repo          `json:"repo"`
	Team         string                 `json:"team,omitempty"`
	Hook         string                 `json:"hook,omitempty"`
	Plan         delivery.Plan          `json:"plan"`
	Jobs         []delivery.Job         `json:"jobs"`
	Cancel       *delivery.Cancellation `json:"cancel,omitempty"`
	SupersededBy delivery.RunID         `json:"supersededBy,omitempty"`
	Image        *delivery.Artifact     `json:"image,omitempty"`
}

// Explanation says why a run is where it is, and what can be done.
type Explanation struct {
	Run RunSummary `json:"run"`
	// Cause is why it waits, failed or ended; nil when all is well.
	Cause *delivery.Cause `json:"cause,omitempty"`
	// Lost are attempts that the infrastructure lost; they cost the user nothing.
	Lost []delivery.LostAttempt `json:"lost,omitempty"`
	// Release is what came of the run, with what holds it up.
	Release  *ReleaseSummary  `json:"release,omitempty"`
	Blockers []delivery.Cause `json:"blockers,omitempty"`
}

// StartRun asks for a run of a commit; without one, of the head of the
// environment's branch.
type StartRun struct {
	App    string `json:"app" minLength:"1"`
	Env    string `json:"env" minLength:"1"`
	Commit string `json:"commit,omitempty" pattern:"^([0-9a-f]{40}|[0-9a-f]{64})$" patternDescription:"the whole SHA of a commit"`
}

// AskPlan asks what a run would do with a commit of a branch that has these files:
// shiplock.yaml, and those from which the stack's version is read.
type AskPlan struct {
	Env    string                `json:"env" minLength:"1"`
	Branch string                `json:"branch,omitempty" doc:"the environment's, when it is left out"`
	Files  []delivery.SourceFile `json:"files,omitempty" maxItems:"50"`
}

// Reason is the body of commands that need no more than a why.
type Reason struct {
	Reason string `json:"reason,omitempty" maxLength:"1000" doc:"shown to others and kept in the audit log"`
}

// SummaryOf returns the run as a list shows it.
func SummaryOf(r delivery.Run) RunSummary {
	s := RunSummary{
		ID: r.ID, App: r.App, Number: r.Number, Name: r.Name(), Env: r.Env, State: r.State(), Commit: r.Commit,
		By: r.By, Note: r.Note, Cause: r.Cause(), Release: r.Release, CreatedAt: r.CreatedAt, FinishedAt: r.FinishedAt, Version: r.Version,
		Tests: r.Tests(), Coverage: r.Coverage(),
	}
	if r.Artifact != nil {
		s.Artifact = r.Artifact.Digest
	}
	for _, j := range r.Jobs {
		if s.StartedAt.IsZero() || !j.StartedAt.IsZero() && j.StartedAt.Before(s.StartedAt) {
			s.StartedAt = j.StartedAt
		}
		for _, step := range j.Steps {
			if step.State == delivery.StepRunning {
				s.Step += map[bool]string{true: "", false: ", "}[s.Step == ""] + step.Name
			}
		}
	}
	return s
}

// RunOf returns the run whole, without what only the server may know.
func RunOf(r delivery.Run) Run {
	jobs := make([]delivery.Job, len(r.Jobs))
	for i, j := range r.Jobs {
		j.TokenHash = ""
		jobs[i] = j
	}
	return Run{
		RunSummary: SummaryOf(r), Repo: r.Repo, Team: r.Team, Hook: r.Hook, Plan: r.Plan, Jobs: jobs,
		Cancel: r.Cancel, SupersededBy: r.SupersededBy, Image: r.Artifact,
	}
}
