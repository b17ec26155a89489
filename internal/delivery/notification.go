package delivery

import (
	"cmp"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// Notification is one message owed to one channel. What it should say is derived
// from its subject each time, so a late one says the newest thing, in order, once.
type Notification struct {
	// ID is channel and subject: "status/<run id>".
	ID string `json:"id"`
	// Sent is the state last delivered; empty when nothing was.
	Sent   CommitState `json:"sent,omitempty"`
	SentAt time.Time   `json:"sentAt,omitzero"`
	// Refused says why the channel will never take it.
	Refused string `json:"refused,omitempty"`
	Version int64  `json:"version"`
}

// CommitState is a forge's word for a run's state.
type CommitState string

const (
	CommitPending  CommitState = "pending"
	CommitRunning  CommitState = "running"
	CommitSuccess  CommitState = "success"
	CommitFailed   CommitState = "failed"
	CommitCanceled CommitState = "canceled"
)

// Final tells whether no other state follows.
func (s CommitState) Final() bool {
	return s == CommitSuccess || s == CommitFailed || s == CommitCanceled
}

// CommitStatus is what a forge is told about one run.
type CommitStatus struct {
	// Forge, ProjectID and Path are the repository's.
	Forge       string      `json:"forge"`
	Path        string      `json:"path"`
	ProjectID   string      `json:"projectId"`
	SHA         string      `json:"sha"`
	Ref         string      `json:"ref"`
	State       CommitState `json:"state"`
	Context     string      `json:"context"`
	Description string      `json:"description"`
	// URL is the run's page.
	URL string `json:"url"`
}

// Facts about a Notification.
type (
	// NotificationSent says that the channel took the message.
	NotificationSent struct {
		State CommitState
		At    time.Time
	}
	// NotificationRefused says that the channel will never take it.
	NotificationRefused struct{ Why string }
)

func (NotificationSent) Name() string    { return "notification.sent" }
func (NotificationRefused) Name() string { return "notification.refused" }

// StatusID is the id of the notification that carries a run's commit status.
func StatusID(r RunID) string { return "status/" + string(r) }

// StatusOf returns the commit status that a run deserves now, without its URL.
func StatusOf(r Run) CommitStatus {
	s := CommitStatus{
		Forge: r.Repo.Forge, Path: r.Repo.Path, ProjectID: r.Repo.ProjectID, SHA: r.Commit.SHA, Ref: r.Commit.Branch,
		Context: "shiplock/" + r.App + "/" + r.Env,
	}
	switch r.State() {
	case RunQueued:
		s.State = CommitPending
	case RunRunning:
		s.State = CommitRunning
	case RunSucceeded:
		s.State = CommitSuccess
	case RunCanceled:
		s.State = CommitCanceled
	default:
		s.State = CommitFailed
	}
	s.Description = r.Headline(phrase.English)
	return s
}

// Headline says in one line of a language how the run is, and why.
func (r Run) Headline(l phrase.Lang) string {
	state := r.State()
	if state == RunErrored {
		state = RunFailed
	}
	line, _, _ := phrase.Say(l, "headline."+string(state), Args{"run": r.Name()})
	if c := r.Cause(); c != nil {
		line += phrase.Colon(l) + c.In(l).Text
	}
	return line
}

// Next says what is due, given the run that the notification is about.
func (n Notification) Next(_ time.Time, run Run) []Action {
	if n.Refused != "" || run.Repo.ProjectID == "" {
		return nil
	}
	if want := StatusOf(run); want.State != n.Sent {
		return []Action{SendStatus{Status: want}}
	}
	return nil
}

// Apply folds a fact into the notification.
func (n Notification) Apply(e Event) (Notification, error) {
	switch e := e.(type) {
	case NotificationSent:
		switch {
		case n.Refused == "" && n.Sent == e.State:
			return n, nil
		case n.Refused != "" || n.Sent.Final():
			return n, E(Conflict, "the channel is owed nothing more")
		}
		n.Sent, n.SentAt = e.State, e.At
	case NotificationRefused:
		switch {
		case n.Refused != "":
			return n, nil
		case n.Sent.Final():
			return n, E(Conflict, "the channel is owed nothing more")
		}
		n.Refused = cmp.Or(e.Why, "refused")
	default:
		return n, E(Internal, fmt.Sprintf("a notification does not know the fact %T", e))
	}
	return n, nil
}
