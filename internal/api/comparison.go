package api

import "github.com/shiplock/shiplock/internal/delivery"

// Comparison is what differs between two versions, or would once one is released.
type Comparison struct {
	App string `json:"app"`
	Env string `json:"env"`
	// From is nil when nothing runs yet.
	From    *RevisionSummary      `json:"from,omitempty"`
	To      RevisionSummary       `json:"to"`
	Commits *delivery.CommitRange `json:"commits,omitempty"`
	// Changes are those of the artifact and of what it runs with; where the app runs in a
	// cluster and nothing was changed yet, also those of its objects.
	Changes []delivery.Difference `json:"changes"`
	// Refused says what the cluster would not take.
	Refused []delivery.Cause `json:"refused,omitempty"`
}
