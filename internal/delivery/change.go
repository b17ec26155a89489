package delivery

import (
	"encoding/json"
	"time"
)

// Change is everything that one decision writes, in one transaction. Aggregates
// carry the version that they were loaded at (0: new); the store compares it,
// refuses the whole Change with Conflict when one differs, and counts it up in
// place when it commits.
type Change struct {
	Hooks         []*Hook
	Runs          []*Run
	Targets       []*Target
	Releases      []*Release
	Notifications []*Notification
	Outboxes      []*Outbox
	// Messages that are owed are added, unless they are known; others end theirs.
	Messages  []Message
	Admission *Admission
	Artifacts []Artifact
	Documents []DocumentChange
	Secrets   []SecretChange
	MasterKey *MasterKeyChange
	// Users are people and programs that may sign in.
	Users []*User
	// Tokens are new ones; Revoke ends others.
	Tokens []Token
	Revoke []TokenMatch
	// Heads are written over what was known.
	Heads   []Head
	History []HistoryEntry
	Audit   []AuditEntry
	Wakes   []Wake
	// Done completes the claimed wake that led to this Change, unless it was
	// woken again meanwhile.
	Done *Claim
}

// Claim is a wake that this replica works on.
type Claim struct {
	Ref Ref
	// Seq is the wake's count when it was claimed.
	Seq int64
	// Tries counts the times in a row that it had to be put off.
	Tries int
}

// HistoryEntry is one fact as it was folded, for people and for live views.
type HistoryEntry struct {
	Ref Ref `json:"ref"`
	// Version is the aggregate's version after the fact.
	Version int64           `json:"version"`
	Name    string          `json:"name"`
	Actor   Actor           `json:"actor"`
	At      time.Time       `json:"at"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Document is one catalog document as it is kept: an App, Stack or Environment.
type Document struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Manager is the one source that may change it.
	Manager string          `json:"manager"`
	Spec    json.RawMessage `json:"spec"`
	Version int64           `json:"version"`
}

// DocumentChange writes or deletes one document; Version as in Change.
type DocumentChange struct {
	Document Document
	Delete   bool
}
