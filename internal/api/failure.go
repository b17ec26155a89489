package api

import "github.com/shiplock/shiplock/internal/catalog"

// Failure is a Problem with the faults of the documents that were sent, if it is
// about those.
type Failure struct {
	Problem
	Problems []catalog.Problem `json:"problems,omitempty"`
}
