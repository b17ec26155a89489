package delivery

import (
	"fmt"
	"time"
)

// Release is a Revision offered to a Target, with its batches inside it.
type Release struct {
	ID       ReleaseID   `json:"id"`
	App      string      `json:"app"`
	Env      string      `json:"env"`
	Kind     ReleaseKind `json:"kind"`
	Revision Revision    `json:"revision"`
	Strategy Strategy    `json:"strategy"`
	// Bake is how long the old version stays warm afterwards.
	Bake  Duration     `json:"bake,omitempty"`
	State ReleaseState `json:"state"`
	// Automatic releases are made by an environment, not by a person.
	Automatic bool   `json:"automatic,omitempty"`
	By        Actor  `json:"by"`
	Reason    string `json:"reason,omitempty"`
	// Replicas is how many instances a scale asks for; 0 is what the Revision says.
	Replicas int `json:"replicas,omitempty"`
	// BaseReplicas is what was asked for before a scale.
	BaseReplicas int `json:"baseReplicas,omitempty"`
	// From is the environment that it was promoted from.
	From string `json:"from,omitempty"`
	// BuiltBy started the run by hand that made the artifact; nil when a push did.
	BuiltBy *Actor `json:"builtBy,omitempty"`
	// Approval is nil until somebody's consent is asked for.
	Approval *Approval `json:"approval,omitempty"`
	// Emergency is set for a release that takes the emergency lane.
	Emergency *Emergency `json:"emergency,omitempty"`
	// Window is what Windows said of it: when it was created, and whenever that changed
	// while it, or its next batch, waited. Its batches keep their own.
	Window    *WindowDecision `json:"window,omitempty"`
	CreatedAt time.Time       `json:"createdAt"`

	// Base is what ran before, and what an abort goes back to.
	Base *Revision `json:"base,omitempty"`
	// Batch is the index in Strategy.Steps() of the batch that is under way.
	Batch int `json:"batch"`
	// Batches are the batches that began, in order.
	Batches []BatchProgress `json:"batches,omitempty"`
	Pause   *Cancellation   `json:"pause,omitempty"`
	Ending  *Ending         `json:"ending,omitempty"`

	SupersededBy ReleaseID `json:"supersededBy,omitempty"`
	Cause        *Cause    `json:"cause,omitempty"`
	StartedAt    time.Time `json:"startedAt,omitzero"`
	FinishedAt   time.Time `json:"finishedAt,omitzero"`
	Version      int64     `json:"version"`
}

// ReleaseKind says what a Release is for.
type ReleaseKind string

// Replaces tells whether a newer release of this kind takes the place of a waiting one.
// What brings no version replaces only its like, and a scale is replaced only by it.
func (k ReleaseKind) Replaces(waiting ReleaseKind) bool {
	if k == ReleaseRestart || k == ReleaseScale {
		return k == waiting
	}
	return waiting != ReleaseScale
}

const (
	ReleaseDeploy   ReleaseKind = "deploy"
	ReleaseRollback ReleaseKind = "rollback"
	ReleaseRestart  ReleaseKind = "restart"
	// ReleaseScale changes how many instances there are, and leaves those that stay.
	ReleaseScale ReleaseKind = "scale"
)

// ReleaseState is where a Release is.
type ReleaseState string

const (
	ReleaseIsProposed ReleaseState = "proposed"
	ReleaseRolling    ReleaseState = "rolling"
	// ReleasePaused waits for a person: a manual hold, or somebody's pause.
	ReleasePaused     ReleaseState = "paused"
	ReleaseDeployed   ReleaseState = "deployed"
	ReleaseAborted    ReleaseState = "aborted"
	ReleaseFailed     ReleaseState = "failed"
	ReleaseCanceled   ReleaseState = "canceled"
	ReleaseSuperseded ReleaseState = "superseded"
	// ReleaseIsRejected did not find somebody's consent, and ReleaseIsExpired did not in
	// time.
	ReleaseIsRejected ReleaseState = "rejected"
	ReleaseIsExpired  ReleaseState = "expired"
)

// Terminal tells whether the state is final.
func (s ReleaseState) Terminal() bool {
	return s != ReleaseIsProposed && s != ReleaseRolling && s != ReleasePaused
}

// BatchProgress is one batch as it went.
type BatchProgress struct {
	Asked int `json:"asked"`
	// Effective is the share that the deployer reported when the batch was ready.
	Effective int       `json:"effective"`
	StartedAt time.Time `json:"startedAt"`
	ReadyAt   time.Time `json:"readyAt,omitzero"`
	PassedAt  time.Time `json:"passedAt,omitzero"`
	// TroubledAt is when a rollback last had to wish again.
	TroubledAt time.Time `json:"troubledAt,omitzero"`
	// Window is what Windows said when it began.
	Window *WindowDecision `json:"window,omitempty"`
}

// Ending says that a release is on its way back, and what it will then be.
type Ending struct {
	State ReleaseState  `json:"state"`
	By    *Cancellation `json:"by,omitempty"`
	Cause *Cause        `json:"cause,omitempty"`
	At    time.Time     `json:"at"`
}

// Ref returns the release's reference.
func (r Release) Ref() Ref { return Ref{KindRelease, string(r.ID)} }

// Steps returns the batches that this release goes through. It is one step without
// another version to share with, as for the first release of a Target and for what
// runs already, and for a rollback, a restart or a scale.
func (r Release) Steps() []Batch {
	alone := r.State != ReleaseIsProposed && (r.Base == nil || r.Base.ID == r.Revision.ID)
	if r.Kind != ReleaseDeploy || alone {
		return []Batch{{Percent: 100}}
	}
	return r.Strategy.Steps()
}

// progress returns the batch under way, or nil before it began.
func (r *Release) progress() *BatchProgress {
	if r.Batch < len(r.Batches) {
		return &r.Batches[r.Batch]
	}
	return nil
}

// Describe returns the batch under way in a short line for people: "25 % (batch 1
// of 2)".
func (r Release) Describe() string {
	steps := r.Steps()
	i := min(r.Batch, len(steps)-1)
	return fmt.Sprintf("%d %% (batch %d of %d)", steps[i].Percent, i+1, len(steps))
}
