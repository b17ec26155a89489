package server

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Reader is what the server reads of the store. Single reads are NotFound when
// there is no such thing; lists have the newest first.
type Reader interface {
	Run(ctx context.Context, id delivery.RunID) (delivery.Run, error)
	RunByNumber(ctx context.Context, app string, number int) (delivery.Run, error)
	Release(ctx context.Context, id delivery.ReleaseID) (delivery.Release, error)
	Hook(ctx context.Context, id string) (delivery.Hook, error)
	// Target returns an empty Target of version 0 when there is none yet.
	Target(ctx context.Context, app, env string) (delivery.Target, error)
	// WaitingReleases lists the proposed releases of a Target, oldest first.
	WaitingReleases(ctx context.Context, app, env string) ([]delivery.ReleaseID, error)
	Lists
	Catalog
	Outboxes
}

// Lists reads many at once.
type Lists interface {
	Runs(ctx context.Context, f RunFilter) ([]delivery.Run, error)
	Releases(ctx context.Context, f ReleaseFilter) ([]delivery.Release, error)
	Targets(ctx context.Context) ([]delivery.Target, error)
	Hooks(ctx context.Context, limit int) ([]delivery.Hook, error)
	// NewestHooks lists the newest hook of each repository.
	NewestHooks(ctx context.Context) ([]delivery.Hook, error)
	Artifacts(ctx context.Context, app string, limit int) ([]delivery.Artifact, error)
	// Audit lists entries with a lower Seq than beforeSeq; 0 is all.
	Audit(ctx context.Context, beforeSeq int64, limit int) ([]delivery.AuditEntry, error)
	// History lists the facts of an aggregate after a version, the oldest first,
	// and never splits a version.
	History(ctx context.Context, ref delivery.Ref, afterVersion int64, limit int) ([]delivery.HistoryEntry, error)
	// QueuePosition returns a run's place from 1 among all queued jobs; 0 when it
	// is not queued.
	QueuePosition(ctx context.Context, id delivery.RunID) (position, total int, err error)
	Counts(ctx context.Context) (Counts, error)
	// Lanes counts the open jobs of each lane that has any.
	Lanes(ctx context.Context) ([]delivery.LaneUse, error)
}

// Builds is where builds run.
type Builds interface {
	// Room tells what builds may use there and use, of what is known: it asks nobody.
	Room(ctx context.Context) (delivery.Room, error)
}

// Catalog reads the documents.
type Catalog interface {
	// CatalogVersion changes whenever a document does.
	CatalogVersion(ctx context.Context) (int64, error)
	Documents(ctx context.Context) ([]delivery.Document, error)
}

// RunFilter chooses runs; an empty field chooses all. Before continues a list
// after its last run.
type RunFilter struct {
	App, Env string
	// Apps are those to choose from; nil is all.
	Apps   []string
	State  delivery.RunState
	Hook   string
	Before delivery.RunID
	Limit  int
}

// ReleaseFilter chooses releases; an empty field chooses all. Before continues a
// list after its last release.
type ReleaseFilter struct {
	App, Env string
	// Apps are those to choose from; nil is all.
	Apps  []string
	State delivery.ReleaseState
	// UnderReview chooses those that an emergency left to be looked at.
	UnderReview bool
	Before      delivery.ReleaseID
	Limit       int
}

// Counts is what there is to do.
type Counts struct {
	HooksReceived    int
	JobsQueued       int
	JobsActive       int
	ReleasesProposed int
}

// Logs reads what jobs print.
type Logs interface {
	// Read returns a page from line from on; -n is the last n lines. A step that
	// is not empty chooses its lines only.
	Read(ctx context.Context, attempt string, from int64, limit int, step string) (api.LogPage, error)
	// WriteText writes all lines as plain text.
	WriteText(ctx context.Context, attempt string, w io.Writer) error
	// Follow delivers the log from a line on; -n begins with the last n lines.
	Follow(attempt string, from int64) LogTail
}

// LogTail delivers a growing log.
type LogTail interface {
	// Next waits for lines and returns at least one; io.EOF after the last one of
	// a closed log.
	Next(ctx context.Context) ([]api.LogLine, error)
}

// Apps is where Apps run.
type Apps interface {
	// Preview tells what a wish for one version would change there, and changes nothing.
	// Unavailable when that place is not seen.
	Preview(ctx context.Context, app, env string, wish delivery.Desired) (delivery.Preview, error)
	// ReadLog hands on one line after the other, and waits for hand each time; an error
	// of hand's ends it. With Follow it goes on until ctx ends. NotFound when nothing runs.
	ReadLog(ctx context.Context, app, env string, q delivery.AppLogQuery, hand func(delivery.AppLine) error) error
}

// Auth knows who holds a secret. Its errors are Denied, or Unavailable when too many
// passwords are checked at once.
type Auth interface {
	Token(ctx context.Context, secret string) (delivery.Actor, delivery.Grants, error)
	Session(ctx context.Context, secret string) (delivery.Actor, delivery.Grants, error)
	// Password recognises a person; it takes as long for one who is not there.
	Password(ctx context.Context, user, password string) (delivery.User, error)
	// Redeem uses up the code of a link that logs in once.
	Redeem(code string) (delivery.Actor, delivery.Grants, error)
	// Close ends the token or session of a secret.
	Close(ctx context.Context, secret string) error
	Sessions
}

// Sessions makes them, for who was recognised at an address.
type Sessions interface {
	SessionOf(ctx context.Context, u delivery.User, from string) (delivery.Opened, error)
	SessionBy(ctx context.Context, token, from string) (delivery.Opened, delivery.Actor, error)
	SessionFor(ctx context.Context, a delivery.Actor, g delivery.Grants, from string) (delivery.Opened, error)
	// LogIn makes a token instead, for the command line.
	LogIn(ctx context.Context, u delivery.User, name, from string) (delivery.Opened, error)
}

// SignOn signs people in at an identity provider.
type SignOn interface {
	// Begin returns where to send a browser, and what it keeps in a cookie meanwhile;
	// next is where a log-in leads.
	Begin(ctx context.Context, next string) (to, cookie string, err error)
	// Finish reads what the browser brings back. Denied when it does not fit.
	Finish(ctx context.Context, cookie string, answer url.Values) (c delivery.Claims, next string, err error)
}

// HookReader reads the deliveries of one forge.
type HookReader interface {
	// Screen is Denied when the header alone shows that the sender does not know the
	// secret, so that such a body is not even read.
	Screen(header http.Header) error
	// Verify is Denied when the sender does not know the secret. It compares in
	// constant time.
	Verify(header http.Header, body []byte) error
	// Parse returns a note that says why, for what is of no interest; the hook is
	// then good for its repository only. Invalid when the body is not the forge's.
	Parse(header http.Header, body []byte) (h delivery.Hook, note string, err error)
}
