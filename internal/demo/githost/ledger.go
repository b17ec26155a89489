package githost

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Status is a commit status that the API accepted.
type Status struct {
	ID          int64  `json:"id"`
	Project     string `json:"-"` // the id, in digits
	SHA         string `json:"sha"`
	State       string `json:"status"`
	Name        string `json:"name"`
	Ref         string `json:"ref"`
	TargetURL   string `json:"target_url"`
	Description string `json:"description"`
	// At is when the request arrived.
	At time.Time `json:"created_at"`
}

// maxCommitsKept bounds the ledger of a long benchmark; the oldest go first.
const maxCommitsKept = 20_000

type commitKey struct{ project, sha string }

// ledger holds every accepted status, and lets others wait for one.
type ledger struct {
	mu       sync.Mutex
	lastID   int64
	commits  map[commitKey][]Status
	order    []commitKey
	requests int64
	changed  chan struct{} // closed and replaced by each new status
}

func newLedger() *ledger {
	return &ledger{commits: map[commitKey][]Status{}, changed: make(chan struct{})}
}

// add records s, unless GitLab's state machine has no such step.
func (l *ledger) add(s Status) (Status, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	key := commitKey{s.Project, s.SHA}
	known := l.commits[key]
	for _, old := range slices.Backward(known) {
		if old.Name == s.Name && old.Ref == s.Ref {
			if err := step(old.State, s.State); err != nil {
				return Status{}, err
			}
			break
		}
	}
	if known == nil {
		l.order = append(l.order, key)
	}
	if len(l.order) > maxCommitsKept {
		delete(l.commits, l.order[0])
		l.order = l.order[1:]
	}
	l.lastID++
	s.ID = l.lastID
	l.commits[key] = append(known, s)
	close(l.changed)
	l.changed = make(chan struct{})
	return s, nil
}

// events are GitLab's names of the steps into each state.
func events() map[string]string {
	return map[string]string{
		"pending": "enqueue", "running": "run", "success": "success",
		"failed": "drop", "canceled": "cancel", "skipped": "skip",
	}
}

// step refuses a repetition, and going back from running to pending. After a
// final state GitLab begins a new job, so any other state is taken.
func step(from, to string) error {
	if from == to || from == "running" && to == "pending" {
		event := events()[to]
		return fmt.Errorf("Cannot transition status via :%s from :%s (Reason(s): Status cannot transition via %q)", event, from, event) //nolint:staticcheck // GitLab's own words
	}
	return nil
}

// Statuses are the accepted statuses of a commit in the order of their arrival.
// project is the id in digits, or the path.
func (h *Host) Statuses(project, sha string) []Status {
	l := h.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.commits[commitKey{projectID(project), sha}])
}

// StatusRequests counts the calls that set a status, the refused ones too.
func (h *Host) StatusRequests() int64 {
	h.ledger.mu.Lock()
	defer h.ledger.mu.Unlock()
	return h.ledger.requests
}

// Wait returns the first status of the commit with this state, as soon as there
// is one.
func (h *Host) Wait(ctx context.Context, project, sha, state string) (Status, error) {
	l, key := h.ledger, commitKey{projectID(project), sha}
	for {
		l.mu.Lock()
		known, changed := l.commits[key], l.changed
		l.mu.Unlock()
		if i := slices.IndexFunc(known, func(s Status) bool { return s.State == state }); i >= 0 {
			return known[i], nil
		}
		select {
		case <-ctx.Done():
			return Status{}, fmt.Errorf("wait for status %s of %s: %w", state, sha, context.Cause(ctx))
		case <-changed:
		}
	}
}
