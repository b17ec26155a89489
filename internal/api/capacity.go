package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Capacity is what builds may use, use, and wait for.
type Capacity struct {
	// Places is how many jobs may run at once.
	Places int `json:"places"`
	// Lanes have jobs, the one that goes first at the beginning.
	Lanes []Lane        `json:"lanes"`
	Room  delivery.Room `json:"room"`
	// Waiting are builds that have a place and do not run yet, at most 200.
	Waiting []WaitingBuild `json:"waiting"`
}

// Lane is the jobs of the environments of one rank.
type Lane struct {
	delivery.LaneUse
	Environments []string `json:"environments"`
}

// WaitingBuild is a build that has a place and does not run yet.
type WaitingBuild struct {
	Run  delivery.RunID `json:"run"`
	Name string         `json:"name" doc:"app#number"`
	Env  string         `json:"env"`
	// Since is when it got its place.
	Since time.Time `json:"since"`
	// Cause is why it waits; nil when it is about to start.
	Cause *delivery.Cause `json:"cause,omitempty"`
}
