package demo

import (
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Report is what the story came to. Its JSON form is a promise to scripts.
type Report struct {
	OK bool `json:"ok"`
	// Problems say what fell short, one line each.
	Problems []string  `json:"problems,omitempty"`
	Apps     []App     `json:"apps"`
	Skipped  []Skipped `json:"skipped,omitempty"`
	MS       int64     `json:"ms"`
}

// Skipped is an example whose tools this machine lacks.
type Skipped struct {
	App string `json:"app"`
	Why string `json:"why"`
}

// App is one example app's story.
type App struct {
	App      string `json:"app"`
	Language string `json:"language"`
	Run      Run    `json:"run"`
	// Digest is the image of the first run, Rebuilt that of a second build of the
	// same commit.
	Digest   delivery.Digest `json:"digest"`
	Rebuilt  *Rebuilt        `json:"rebuilt,omitempty"`
	Releases []Release       `json:"releases"`
	Rollback *Rollback       `json:"rollback,omitempty"`
	// Build is a commit that does not build, Crash one that crashes at start.
	Build *Failure `json:"failingBuild,omitempty"`
	Crash *Failure `json:"crashingVersion,omitempty"`
}

// Run is the first run of the app.
type Run struct {
	State delivery.RunState `json:"state"`
	Steps []Step            `json:"steps"`
	// PushToDev is the time from the end of `git push` to dev serving the commit.
	PushToDev int64 `json:"pushToDevMs"`
}

// Rebuilt is the proof that a build is reproducible.
type Rebuilt struct {
	Digest delivery.Digest `json:"digest"`
	Same   bool            `json:"same"`
	// Reason says why it is not the same.
	Reason string `json:"reason,omitempty"`
}

// Step is one step with its time in milliseconds.
type Step struct {
	Name  string             `json:"name"`
	State delivery.StepState `json:"state"`
	MS    int64              `json:"ms"`
}

// Release is one release as it went.
type Release struct {
	Env      string                `json:"env"`
	Strategy string                `json:"strategy"`
	State    delivery.ReleaseState `json:"state"`
	Batches  []Batch               `json:"batches"`
}

// Batch compares the share that was asked with the one that callers saw.
type Batch struct {
	Asked    int     `json:"asked"`
	Measured float64 `json:"measured"`
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
}

// Rollback is how long it took until the last request was answered by the version
// that was left, and what failed meanwhile.
type Rollback struct {
	MS       int64                 `json:"ms"`
	Requests int                   `json:"requests"`
	Failed   int                   `json:"failed"`
	State    delivery.ReleaseState `json:"state"`
}

// Failure is something that must go wrong, with the Cause that people are shown.
type Failure struct {
	State string          `json:"state"`
	Cause *delivery.Cause `json:"cause"`
	// Requests to the version that keeps serving meanwhile, and how many failed.
	Requests int `json:"requests,omitempty"`
	Failed   int `json:"failed,omitempty"`
}

// What the story promises.
const (
	minRequests   = 400
	maxDeviation  = 3.0 // percentage points
	rollbackLimit = 2 * time.Second
)

func (r *Report) problem(app, format string, args ...any) {
	r.Problems = append(r.Problems, app+": "+fmt.Sprintf(format, args...))
}

// judge finds what fell short.
func (r *Report) judge() {
	if len(r.Apps) == 0 {
		r.problem("demo", "no example app could be built here")
	}
	for _, a := range r.Apps {
		r.judgeApp(a)
	}
	r.OK = len(r.Problems) == 0
}

func (r *Report) judgeApp(a App) {
	if a.Run.State != delivery.RunSucceeded {
		r.problem(a.App, "the first run %s", a.Run.State)
	}
	for _, rel := range a.Releases {
		if rel.State != delivery.ReleaseDeployed {
			r.problem(a.App, "the %s release to %s is %s", rel.Strategy, rel.Env, rel.State)
		}
		for _, b := range rel.Batches {
			if b.Failed > 0 {
				r.problem(a.App, "%d of %d requests to %s failed at %d %%", b.Failed, b.Requests, rel.Env, b.Asked)
			}
			if d := b.Measured - float64(b.Asked); d > maxDeviation || d < -maxDeviation {
				r.problem(a.App, "%s gave %.1f %% of %d requests to the new version where %d %% was asked", rel.Env, b.Measured, b.Requests, b.Asked)
			}
		}
	}
	switch b := a.Rollback; {
	case b == nil:
		r.problem(a.App, "there was no rollback")
	case b.Failed > 0 || b.State != delivery.ReleaseDeployed || b.MS > rollbackLimit.Milliseconds():
		r.problem(a.App, "the rollback is %s, took %d ms, and %d requests failed", b.State, b.MS, b.Failed)
	}
	switch b := a.Rebuilt; {
	case b == nil:
		r.problem(a.App, "the first commit was not built a second time")
	case !b.Same:
		r.problem(a.App, "the same commit built twice is not the same: %s", b.Reason)
	}
	if a.Build == nil || a.Build.State != string(delivery.RunFailed) || a.Build.Cause == nil {
		r.problem(a.App, "the commit that does not build did not end as it must: %+v", a.Build)
	}
	if c := a.Crash; c == nil || c.State != string(delivery.ReleaseFailed) || c.Cause == nil || c.Failed > 0 {
		r.problem(a.App, "the version that crashes did not end as it must: %+v", c)
	}
}

func runOf(r api.Run) Run {
	run := Run{State: r.State}
	for _, j := range r.Jobs {
		for _, s := range j.Steps {
			run.Steps = append(run.Steps, Step{Name: s.Name, State: s.State, MS: s.FinishedAt.Sub(s.StartedAt).Milliseconds()})
		}
	}
	return run
}
