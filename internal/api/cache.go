package api

import (
	"slices"
	"time"
)

// CacheSnapshot is a snapshot of a folder that builds start from.
type CacheSnapshot struct {
	ID string `json:"id"`
	// Domain is whose builds read it: "protected", or "app-" and an App's name.
	Domain string `json:"domain"`
	Stack  string `json:"stack"`
	Name   string `json:"name"`
	// App and Run made it.
	App       string    `json:"app"`
	Run       string    `json:"run"`
	Bytes     int64     `json:"bytes"`
	Files     int       `json:"files"`
	CreatedAt time.Time `json:"createdAt"`
	// UsedAt is when it was last restored, Hits how often.
	UsedAt time.Time `json:"usedAt"`
	Hits   int64     `json:"hits"`
}

// DropCaches has snapshots removed: those that have all of what is named.
type DropCaches struct {
	IDs    []string `json:"ids,omitempty"`
	Domain string   `json:"domain,omitempty"`
	Stack  string   `json:"stack,omitempty"`
	Name   string   `json:"name,omitempty"`
	// App is of the run that made it.
	App string `json:"app,omitempty"`
	// All must be true when nothing is named.
	All    bool   `json:"all,omitempty"`
	Reason string `json:"reason,omitempty" maxLength:"1000" doc:"shown to others and kept in the audit log"`
}

// Names tells whether anything is named.
func (d DropCaches) Names() bool {
	return len(d.IDs) > 0 || d.Domain != "" || d.Stack != "" || d.Name != "" || d.App != ""
}

// Matches tells whether a snapshot is meant.
func (d DropCaches) Matches(c CacheSnapshot) bool {
	return (len(d.IDs) == 0 || slices.Contains(d.IDs, c.ID)) &&
		(d.Domain == "" || d.Domain == c.Domain) && (d.Stack == "" || d.Stack == c.Stack) &&
		(d.Name == "" || d.Name == c.Name) && (d.App == "" || d.App == c.App)
}
