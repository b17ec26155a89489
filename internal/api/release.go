package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// ReleaseSummary is a release in a list.
type ReleaseSummary struct {
	ID       delivery.ReleaseID    `json:"id"`
	App      string                `json:"app"`
	Env      string                `json:"env"`
	Kind     delivery.ReleaseKind  `json:"kind" enum:"deploy,rollback,restart,scale"`
	State    delivery.ReleaseState `json:"state" enum:"proposed,rolling,paused,deployed,aborted,failed,canceled,superseded,rejected,expired"`
	Strategy string                `json:"strategy" enum:"canary,full"`
	Describe string                `json:"describe" doc:"the batch under way, for people" text:"ours"`
	Revision RevisionSummary       `json:"revision"`
	// Batch counts from 0; Batches are all that the release goes through.
	Batch   int            `json:"batch"`
	Batches []ReleaseBatch `json:"batches"`
	// Manual says that the batch under way is ready and waits for a person.
	Manual bool `json:"manual,omitempty"`
	// Ending is the state that a release on its way back will have.
	Ending    delivery.ReleaseState `json:"ending,omitempty"`
	Automatic bool                  `json:"automatic,omitempty"`
	By        delivery.Actor        `json:"by"`
	Reason    string                `json:"reason,omitempty"`
	From      string                `json:"from,omitempty" doc:"the environment that it was promoted from"`
	Replicas  int                   `json:"replicas,omitempty" doc:"what a scale asks for; 0 is what the catalog says"`
	// Emergency is set on the emergency lane; its review is open until somebody closes it.
	Emergency *delivery.Emergency `json:"emergency,omitempty"`
	// UnderReview says that somebody has to look at an emergency.
	UnderReview bool `json:"underReview,omitempty"`
	// May is in answers about what is under way only.
	May        []delivery.Command `json:"may,omitempty" doc:"the commands on it that you may do; left out in lists of the past"`
	Cause      *delivery.Cause    `json:"cause,omitempty"`
	CreatedAt  time.Time          `json:"createdAt"`
	StartedAt  time.Time          `json:"startedAt,omitzero"`
	FinishedAt time.Time          `json:"finishedAt,omitzero"`
	Version    int64              `json:"version"`
}

// ReleaseBatch is one batch of a release, as planned and as it went.
type ReleaseBatch struct {
	// Asked and Effective are shares of the traffic in percent; Effective is what
	// the deployer reported when the batch was ready.
	Asked     int       `json:"asked"`
	Effective int       `json:"effective,omitempty"`
	Hold      string    `json:"hold" doc:"none, manual, or a time"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	ReadyAt   time.Time `json:"readyAt,omitzero"`
	PassedAt  time.Time `json:"passedAt,omitzero"`
	// Window is what Windows said when it began.
	Window *delivery.WindowDecision `json:"window,omitempty"`
}

// RevisionSummary is how people know a revision.
type RevisionSummary struct {
	ID        delivery.RevisionID `json:"id"`
	Run       delivery.RunID      `json:"run,omitempty"`
	RunNumber int                 `json:"runNumber"`
	Commit    delivery.Commit     `json:"commit,omitzero"`
	Artifact  delivery.Digest     `json:"artifact"`
}

// Release is a release whole.
type Release struct {
	ReleaseSummary
	Base  *RevisionSummary       `json:"base,omitempty"`
	Pause *delivery.Cancellation `json:"pause,omitempty"`
	// Observed is what the Target shows now, while the release is under way.
	Observed *delivery.Observed `json:"observed,omitempty"`
	// Moved says how far the environment's branch is beyond the release, which does
	// not follow it; nil when it is not.
	Moved *delivery.Moved `json:"moved,omitempty"`
	// Window is what Windows say of it, as it was decided last; each batch has its own.
	Window *delivery.WindowDecision `json:"window,omitempty"`
	// StartsAt is when it starts by itself, if it waits for an opening that is known and
	// for nothing else; Place is where it stands among those that wait for the same one.
	StartsAt time.Time       `json:"startsAt,omitzero"`
	Place    *delivery.Place `json:"place,omitempty"`
	// Approval is nil when nobody's consent was asked for.
	Approval *Approval `json:"approval,omitempty"`
	// Blockers say why a proposed release may not start yet.
	Blockers []delivery.Cause `json:"blockers,omitempty"`
}

// CreateRelease asks for a release. Of Run, Artifact and From at most one is set;
// none means what runs in the environment that this one promotes from, or else the
// newest good run for it.
type CreateRelease struct {
	App      string          `json:"app" minLength:"1"`
	Env      string          `json:"env" minLength:"1"`
	Run      int             `json:"run,omitempty" minimum:"0" doc:"a run's number"`
	Artifact delivery.Digest `json:"artifact,omitempty"`
	From     string          `json:"from,omitempty" doc:"take what runs in this other environment, where it must be healthy"`
	Reason   string          `json:"reason,omitempty" maxLength:"1000"`
	// Emergency takes the emergency lane, and needs a reason.
	Emergency *AskEmergency `json:"emergency,omitempty"`
}

// Scale asks for a number of instances. It is kept over later releases until the catalog
// has another number than the one before.
type Scale struct {
	Replicas int    `json:"replicas" minimum:"0" maximum:"1000" doc:"0 is what the catalog says"`
	Reason   string `json:"reason,omitempty" maxLength:"1000"`
}

// RollBack asks for a rollback; without To, to the last good revision.
type RollBack struct {
	To     delivery.RevisionID `json:"to,omitempty" doc:"a revision of the target's history, or its first 12 digits"`
	Reason string              `json:"reason,omitempty" maxLength:"1000"`
}

// ReleaseSummaryOf returns the release as a list shows it.
func ReleaseSummaryOf(r delivery.Release) ReleaseSummary {
	s := ReleaseSummary{
		ID: r.ID, App: r.App, Env: r.Env, Kind: r.Kind, State: r.State, Strategy: "full", Describe: r.Describe(),
		Revision: RevisionSummaryOf(r.Revision), Batch: r.Batch, Automatic: r.Automatic, By: r.By, Reason: r.Reason, From: r.From, Replicas: r.Replicas,
		Emergency: r.Emergency, UnderReview: r.UnderReview(),
		Cause: r.Cause, CreatedAt: r.CreatedAt, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, Version: r.Version,
	}
	for i, step := range r.Steps() {
		b := ReleaseBatch{Asked: step.Percent, Hold: step.Hold.String()}
		if i < len(r.Batches) {
			p := r.Batches[i]
			b.Effective, b.StartedAt, b.ReadyAt, b.PassedAt, b.Window = p.Effective, p.StartedAt, p.ReadyAt, p.PassedAt, p.Window
		}
		if step.Percent < 100 {
			s.Strategy = "canary"
		}
		if i == r.Batch && r.State == delivery.ReleasePaused && r.Pause == nil {
			s.Manual = step.Hold.Manual && !b.ReadyAt.IsZero()
		}
		s.Batches = append(s.Batches, b)
	}
	if r.Ending != nil {
		s.Ending = r.Ending.State
	}
	if w := r.Window; r.State == delivery.ReleaseIsProposed && s.Cause == nil && w != nil {
		s.Cause = w.Cause // what else holds it up, its blockers say
	}
	return s
}

// ReleaseOf returns the release whole; the caller adds what is around it.
func ReleaseOf(r delivery.Release) Release {
	whole := Release{ReleaseSummary: ReleaseSummaryOf(r), Pause: r.Pause, Window: r.Window, Approval: ApprovalOf(r)}
	whole.Cause = r.Cause
	if r.Base != nil {
		base := RevisionSummaryOf(*r.Base)
		whole.Base = &base
	}
	return whole
}

// RevisionSummaryOf returns the revision without its configuration.
func RevisionSummaryOf(r delivery.Revision) RevisionSummary {
	return RevisionSummary{ID: r.ID, Run: r.Run, RunNumber: r.RunNumber, Commit: r.Commit, Artifact: r.Artifact}
}
