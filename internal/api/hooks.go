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
	// Reconciler looks for pushes whose hook never came; nil when it is switched off.
	Reconciler *Reconciler `json:"reconciler,omitempty"`
}

// Reconciler is how the search for pushes without a hook gets on.
type Reconciler struct {
	Every        string `json:"every" doc:"how often each repository is looked at"`
	Repositories int    `json:"repositories"`
	// LookedAt is when every repository had been looked at; zero when one never was.
	LookedAt  time.Time     `json:"lookedAt,omitzero"`
	Recovered int           `json:"recovered" doc:"pushes recovered since the server started"`
	Failing   []FailingRepo `json:"failing" doc:"repositories that cannot be looked at"`
}

// FailingRepo is a repository that cannot be looked at.
type FailingRepo struct {
	Repo  string    `json:"repo"`
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
}

// HookSource is a repository and the last delivery that came from it.
type HookSource struct {
	Forge string    `json:"forge"`
	Repo  string    `json:"repo"`
	Last  time.Time `json:"last"`
	// Outcome says in one line what became of the last delivery.
	Outcome string   `json:"outcome" text:"ours"`
	Apps    []string `json:"apps" doc:"the apps that are built from it"`
}

// HookRefusal counts what a forge sent, or somebody in its name, and was not taken.
type HookRefusal struct {
	Forge string    `json:"forge"`
	Count int64     `json:"count" doc:"since the server started"`
	Last  time.Time `json:"last"`
	Why   string    `json:"why" doc:"of the last one" text:"ours"`
}
