package api

import "github.com/shiplock/shiplock/internal/delivery"

// Whereabouts says which environments run a commit, or a later one that contains it.
type Whereabouts struct {
	// Commit is the SHA in full; empty when no history that runs somewhere has it.
	Commit string              `json:"commit"`
	Items  []delivery.Presence `json:"items"`
}
