// Package api holds the wire types of Shiplock's HTTP interfaces.
package api

import "github.com/shiplock/shiplock/internal/delivery"

// The runner protocol. A runner claims its attempt once, then sends numbered
// reports and log lines until each is acknowledged. Everything may be repeated.
//
//	POST /runner/v1/claim                      Claim     → Assignment
//	POST /runner/v1/attempts/{key}/plan        Source    → Refined
//	POST /runner/v1/attempts/{key}/push        PushAsk   → PushLogin
//	POST /runner/v1/attempts/{key}/reports     Reports   → ReportsAck
//	POST /runner/v1/attempts/{key}/log         LogBatch  → LogAck
//
// All but the first carry "Authorization: Bearer <token>". 410 Gone means that the
// attempt is fenced: the runner ends itself. 4xx is final, 5xx and broken
// connections are tried again.
const (
	// RunnerProtocol is the newest version of the protocol; the server also
	// speaks the one before it. Version 2 added the plan's refinement, version 3 the
	// login for a push, which before was in the assignment.
	RunnerProtocol = 3

	RunnerClaimPath   = "/runner/v1/claim"
	RunnerPlanPath    = "/runner/v1/attempts/{key}/plan"
	RunnerPushPath    = "/runner/v1/attempts/{key}/push"
	RunnerReportsPath = "/runner/v1/attempts/{key}/reports"
	RunnerLogPath     = "/runner/v1/attempts/{key}/log"
)

// Claim asks for the job of an attempt. The runner chooses its own token and may
// repeat the claim with it; another token is refused once the claim is taken.
type Claim struct {
	Protocols []int  `json:"protocols"`
	Attempt   string `json:"attempt"`
	Code      string `json:"code"`
	Token     string `json:"token"`
	// Version is the runner's build, for people.
	Version string `json:"version"`
}

// Assignment is the job.
type Assignment struct {
	Protocol int           `json:"protocol"`
	App      string        `json:"app"`
	Env      string        `json:"env"`
	Run      string        `json:"run"` // app#number
	Plan     delivery.Plan `json:"plan"`
	Clone    Clone         `json:"clone"`
	Push     Push          `json:"push"`
	Caches   Caches        `json:"caches"`
	// Variables are in every step's environment.
	Variables map[string]string `json:"variables,omitempty"`
	// Masks are replaced by *** in every log line and report.
	Masks []string `json:"masks,omitempty"`
	// Heartbeat is how often an idle runner reports, in milliseconds.
	Heartbeat int64 `json:"heartbeat"`
	// Seq and Line are the last report and log line that the server holds.
	Seq  int64 `json:"seq"`
	Line int64 `json:"line"`
	// Full tells that the log has reached its limit: no line need be sent any more.
	Full bool `json:"full,omitempty"`
}

// Source are the files of the commit that the plan reads; none for those that the
// commit does not have.
type Source struct {
	Files []delivery.SourceFile `json:"files"`
}

// Refined is the plan that the run has from now on, or why there is none: then the
// runner ends the job as failed.
type Refined struct {
	Plan  *delivery.Plan  `json:"plan,omitempty"`
	Push  Push            `json:"push"`
	Cause *delivery.Cause `json:"cause,omitempty"`
}

// Clone says what to check out.
type Clone struct {
	URL      string `json:"url"`
	SHA      string `json:"sha"`
	Branch   string `json:"branch"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// Withheld says why there is no password; it is shown when the host wants one.
	Withheld string `json:"withheld,omitempty"`
}

// Caches says whose caches the job uses. What a job publishes is read by the jobs of
// the same trust domain; so is what its executor remembers of images.
type Caches struct {
	// Read are the domains in which to look for caches, the preferred one first.
	Read    []string `json:"read"`
	Publish string   `json:"publish"`
	// Limit bounds the bytes of one snapshot; 0 is no limit.
	Limit int64 `json:"limit,omitempty"`
}

// Push says where the image goes, by its digest: the server gives it its tag.
// Registry is "host:port", or that with the path above all repositories.
type Push struct {
	Registry   string `json:"registry"`
	Repository string `json:"repository"`
	// Username and Password are for runners of protocol 2; others ask for a PushLogin.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// PlainHTTP is true for the embedded registry.
	PlainHTTP bool `json:"plainHTTP,omitempty"`
	// CA are certificates (PEM) to trust beside the system's.
	CA string `json:"ca,omitempty"`
	// Labels become the image's labels.
	Labels map[string]string `json:"labels,omitempty"`
}

// PushAsk asks for the login of the attempt's push, at the time of the push and again
// whenever the registry takes the last one no more.
type PushAsk struct{}

// PushLogin opens the attempt's own repository, and the one of its base image for
// reading: a name and a password, or a token that is good for a while.
type PushLogin struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Token    string `json:"token,omitempty"`
}

// Reports are numbered facts in order; an empty list is a sign of life.
type Reports struct {
	Reports []Report `json:"reports"`
}

// Report is one fact: a step's new state, or the job's end.
type Report struct {
	Seq    int64          `json:"seq"`
	Step   *delivery.Step `json:"step,omitempty"`
	Finish *Finish        `json:"finish,omitempty"`
}

// Finish is the end of a job as the runner saw it.
type Finish struct {
	// Outcome is succeeded, failed or canceled; "lost" means that the runner
	// itself could not go on, which costs the user nothing.
	Outcome  string             `json:"outcome"`
	Cause    *delivery.Cause    `json:"cause,omitempty"`
	Artifact *delivery.Artifact `json:"artifact,omitempty"`
	Caches   *delivery.Caches   `json:"caches,omitempty"`
}

// Outcomes of a Finish.
const (
	OutcomeSucceeded = "succeeded"
	OutcomeFailed    = "failed"
	OutcomeCanceled  = "canceled"
	OutcomeLost      = "lost"
)

// ReportsAck says up to which report the server holds them durably.
type ReportsAck struct {
	Seq int64 `json:"seq"`
	// Cancel asks the runner to end the job as canceled.
	Cancel bool `json:"cancel,omitempty"`
}

// LogBatch is consecutive lines from number First (from 1).
type LogBatch struct {
	First int64     `json:"first"`
	Lines []LogLine `json:"lines,omitempty"`
	// Gap says that the lines before First, from Gap.From on, are lost.
	Gap *LogGap `json:"gap,omitempty"`
}

// LogLine is one line of a job's output.
type LogLine struct {
	// N is the line's number from 1; in a batch it is implied.
	N int64 `json:"n,omitempty"`
	// At is UTC milliseconds.
	At int64 `json:"at"`
	// Step is the plan step's name.
	Step string `json:"step"`
	// Stream is "out", "err" or "sys" (Shiplock's own words).
	Stream string `json:"stream"`
	Text   string `json:"text"`
}

// LogGap marks lines that the runner had to drop.
type LogGap struct {
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Reason string `json:"reason"`
}

// LogAck says up to which line the server holds them durably. The runner sends
// on from Line+1.
type LogAck struct {
	Line int64 `json:"line"`
	// Full tells that the log has reached its limit: no line need be sent any more.
	Full bool `json:"full,omitempty"`
}

// Problem is the body of every error answer.
type Problem struct {
	Kind    string `json:"kind"`
	Message string `json:"message" text:"ours"`
}
