package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Hooks are the newest deliveries from forges, and how well they come in.
type Hooks struct {
	Items []delivery.Hook `json:"items"`
	// Sources are the repositories that ever sent one.
	Sources []HookSource  `json:"sources"`
	Refused []HookRefusal `json:"refused"`
}

// HookSource is a repository and the last delivery that came from it.
type HookSource struct {
	Forge string    `json:"forge"`
	Repo  string    `json:"repo"`
	Last  time.Time `json:"last"`
	// Outcome says in one line what became of the last delivery.
	Outcome string   `json:"outcome"`
	Apps    []string `json:"apps" doc:"the apps that are built from it"`
}

// HookRefusal counts what a forge sent, or somebody in its name, and was not taken.
type HookRefusal struct {
	Forge string    `json:"forge"`
	Count int64     `json:"count" doc:"since the server started"`
	Last  time.Time `json:"last"`
	Why   string    `json:"why" doc:"of the last one"`
}
