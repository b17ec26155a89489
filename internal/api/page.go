package api

import "github.com/shiplock/shiplock/internal/delivery"

// Prefix is where the public API lives.
const Prefix = "/api/v1"

// Page is one page of a list, the newest first where it has an order in time.
// Next continues it, as the parameter "before"; it is empty at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Version says what answers.
type Version struct {
	Version string `json:"version"`
	// RunnerProtocol is the newest runner protocol that the server speaks.
	RunnerProtocol int `json:"runnerProtocol"`
}

// Who is the holder of the credentials of a request.
type Who struct {
	Name   string             `json:"name"`
	Kind   delivery.ActorKind `json:"kind,omitempty"`
	Admin  bool               `json:"admin"`
	Groups []string           `json:"groups,omitempty"`
	// Only is the scope of the token, when it has one.
	Only *delivery.TokenScope `json:"only,omitempty"`
}
