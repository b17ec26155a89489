package api

import "github.com/shiplock/shiplock/internal/delivery"

// Names of the events on the streams.
const (
	// EventHistory carries a delivery.HistoryEntry.
	EventHistory = "history"
	// EventChanged carries []Changed.
	EventChanged = "changed"
	// EventLines carries []LogLine.
	EventLines = "lines"
	// EventEnd says that nothing follows.
	EventEnd = "end"
)

// Changed says that an aggregate has a new version; all/all, that any may have.
type Changed struct {
	Ref     string `json:"ref" doc:"kind/id"`
	Version int64  `json:"version"`
}

// LogPage is a piece of a log. The end is reached when Next > Last; more may
// come while the log is not Closed.
type LogPage struct {
	Attempt string    `json:"attempt"`
	Lines   []LogLine `json:"lines"`
	// Next is where the following page begins, Last the highest line that is kept.
	Next   int64 `json:"next"`
	Last   int64 `json:"last"`
	Closed bool  `json:"closed"`
}

// LogEnd is the data of a log stream's end.
type LogEnd struct {
	State   delivery.RunState `json:"state"`
	Attempt int               `json:"attempt"`
	// Retried says that a later attempt of the job follows.
	Retried bool `json:"retried,omitempty"`
}
