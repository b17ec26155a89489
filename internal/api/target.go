package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Target is one app in one environment: what runs there and what is asked for.
type Target struct {
	App string `json:"app"`
	Env string `json:"env"`
	// State is one word for people, derived from the rest.
	State TargetState `json:"state" enum:"empty,healthy,progressing,degraded,paused"`
	// Running is what was last deployed and healthy.
	Running  *RevisionSummary       `json:"running,omitempty"`
	Versions []TargetVersion        `json:"versions,omitempty"`
	Active   delivery.ReleaseID     `json:"active,omitempty"`
	Paused   *delivery.Cancellation `json:"paused,omitempty"`
	URL      string                 `json:"url,omitempty"`
	// Scaled is how many instances a person has asked for; 0 when the catalog decides.
	Scaled int `json:"scaled,omitempty"`
	// Behind says that the place where it runs is not yet, or no more, as is wished for.
	Behind bool `json:"behind,omitempty"`
	// Drift is what somebody else has changed there, field by field; secrets are hidden.
	Drift []delivery.Drift `json:"drift,omitempty"`
	// BakeUntil is when the old version, kept warm, is let go.
	BakeUntil time.Time `json:"bakeUntil,omitzero"`
	Version   int64     `json:"version"`
}

// TargetState sums a Target up.
type TargetState string

const (
	// TargetEmpty never had a release.
	TargetEmpty   TargetState = "empty"
	TargetHealthy TargetState = "healthy"
	// TargetProgressing has a release under way.
	TargetProgressing TargetState = "progressing"
	// TargetDegraded runs with instances that are not ready.
	TargetDegraded TargetState = "degraded"
	// TargetPaused starts no release until somebody resumes it.
	TargetPaused TargetState = "paused"
)

// TargetVersion is one revision as it runs.
type TargetVersion struct {
	RevisionSummary
	// Asked and Effective are shares of the traffic in percent.
	Asked     int             `json:"asked"`
	Effective int             `json:"effective"`
	Ready     int             `json:"ready"`
	Total     int             `json:"total"`
	Cause     *delivery.Cause `json:"cause,omitempty"`
}

// Deployed is one entry of a Target's history.
type Deployed struct {
	RevisionSummary
	Release    delivery.ReleaseID `json:"release"`
	At         time.Time          `json:"at"`
	RolledBack bool               `json:"rolledBack,omitempty"`
	// Current marks what runs; Previous what a rollback goes to.
	Current  bool `json:"current,omitempty"`
	Previous bool `json:"previous,omitempty"`
}

// TargetOf returns the Target as the API shows it.
func TargetOf(t delivery.Target) Target {
	out := Target{
		App: t.App, Env: t.Env, Active: t.Active, Paused: t.Paused, URL: t.Observed.URL,
		Behind: t.Observed.Behind, Scaled: t.Desired.Replicas, Drift: t.Observed.Drift, BakeUntil: t.BakeUntil, Version: t.Version,
	}
	if d := t.Running(); d != nil {
		running := RevisionSummaryOf(d.Revision)
		out.Running = &running
	}
	healthy := true
	for _, v := range t.Observed.Versions {
		out.Versions = append(out.Versions, TargetVersion{
			RevisionSummary: revisionIn(t, v.Revision), Asked: v.Asked, Effective: v.Effective,
			Ready: v.Ready, Total: v.Total, Cause: v.Cause,
		})
		healthy = healthy && (v.Healthy() || v.Effective == 0 && v.Asked == 0)
	}
	out.State = targetState(t, healthy)
	return out
}

func targetState(t delivery.Target, healthy bool) TargetState {
	switch {
	case t.Active != "":
		return TargetProgressing
	case t.Paused != nil:
		return TargetPaused
	case t.Running() == nil:
		return TargetEmpty
	case !healthy:
		return TargetDegraded
	}
	return TargetHealthy
}

// revisionIn finds a revision that the Target knows by its id.
func revisionIn(t delivery.Target, id delivery.RevisionID) RevisionSummary {
	for _, r := range []*delivery.Revision{t.Desired.Canary, t.Desired.Stable} {
		if r != nil && r.ID == id {
			return RevisionSummaryOf(*r)
		}
	}
	for _, d := range t.History {
		if d.Revision.ID == id {
			return RevisionSummaryOf(d.Revision)
		}
	}
	return RevisionSummary{ID: id}
}

// HistoryOf returns what was deployed, the newest first.
func HistoryOf(t delivery.Target) []Deployed {
	previous := t.Previous()
	history := make([]Deployed, 0, len(t.History))
	for i := len(t.History) - 1; i >= 0; i-- {
		d := &t.History[i]
		history = append(history, Deployed{
			RevisionSummary: RevisionSummaryOf(d.Revision), Release: d.Release, At: d.At, RolledBack: d.RolledBack,
			Current: i == len(t.History)-1, Previous: d == previous,
		})
	}
	return history
}

// TargetDetail is a Target with what waits for it.
type TargetDetail struct {
	Target
	// Waiting are the proposed releases, oldest first.
	Waiting []delivery.ReleaseID `json:"waiting,omitempty"`
}
