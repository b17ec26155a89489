package engine

import (
	"context"
	"errors"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Ledger is the only way in which delivery state changes.
type Ledger interface {
	// Commit writes the whole Change or nothing. It compares every aggregate's
	// Version and counts it up in place; it assigns numbers to new runs. It returns
	// the wakes that are due now and that this replica holds from here on.
	// Errors: Conflict when a version moved or the claim is lost, Unavailable when the
	// database is away or the replica's lease is lost.
	Commit(ctx context.Context, c *delivery.Change) ([]delivery.Claim, error)
}

// Wakes is the durable queue of aggregates to look at.
type Wakes interface {
	// Claim takes up to limit due wakes that no live replica holds. next is when
	// the earliest of the rest is due; zero when none waits.
	Claim(ctx context.Context, limit int) (claims []delivery.Claim, next time.Time, err error)
	// PutOff gives a claimed wake back, due at the given time, with the reason for
	// people. A wake that came meanwhile is kept: it is due at once.
	PutOff(ctx context.Context, c delivery.Claim, at time.Time, why string) error
	// WakeWhy tells why an aggregate's wake was last put off, when it is due and how
	// often in a row it was put off; ok is false when none waits.
	WakeWhy(ctx context.Context, ref delivery.Ref) (why string, due time.Time, tries int, ok bool, err error)
	// Signal is sent to when wakes may have become due that Commit did not hand
	// out; it has a buffer of one.
	Signal() <-chan struct{}
}

// Lease says whether this replica may still write.
type Lease interface {
	// Renew extends the replica's lease. Conflict means that it is lost for good
	// and the process must end.
	Renew(ctx context.Context) error
}

// Aggregates loads aggregates. NotFound when there is none.
type Aggregates interface {
	Hook(ctx context.Context, id string) (delivery.Hook, error)
	Run(ctx context.Context, id delivery.RunID) (delivery.Run, error)
	RunByNumber(ctx context.Context, app string, number int) (delivery.Run, error)
	// Target returns an empty Target of version 0, with its App and Env, when there
	// is none yet.
	Target(ctx context.Context, app, env string) (delivery.Target, error)
	Release(ctx context.Context, id delivery.ReleaseID) (delivery.Release, error)
	// Notification returns an empty one of version 0, with its ID, when there is
	// none yet.
	Notification(ctx context.Context, id string) (delivery.Notification, error)
	// Outbox returns an empty one of version 0, with its Channel, when there is none
	// yet.
	Outbox(ctx context.Context, channel string) (delivery.Outbox, error)
	// Admission returns an empty one of version 0 when there is none yet.
	Admission(ctx context.Context) (delivery.Admission, error)
}

// Facts answers what machines ask about neighbours, by index, without a scan.
type Facts interface {
	// EarlierHook tells whether an earlier push to the same branch is unexpanded.
	EarlierHook(ctx context.Context, h delivery.Hook) (bool, error)
	// LaterHook returns the next unexpanded push to the same branch, or "".
	LaterHook(ctx context.Context, h delivery.Hook) (string, error)
	// PushedTo lists the hooks of one branch or tag, that of h, which came before h if h
	// is kept; the newest first.
	PushedTo(ctx context.Context, h delivery.Hook, limit int) ([]delivery.Hook, error)
	// NewestHooks lists the newest hook that each repository sent.
	NewestHooks(ctx context.Context) ([]delivery.Hook, error)
	// Heads lists where a repository's branches were when they were last accounted for.
	Heads(ctx context.Context, repo string) ([]delivery.Head, error)
	// OlderQueued lists the queued runs of the same app and environment with a
	// lower number that a push asked for.
	OlderQueued(ctx context.Context, r delivery.Run) ([]delivery.RunID, error)
	// NewestPushed returns the newest run of an app for an environment that a push
	// asked for, or NotFound.
	NewestPushed(ctx context.Context, app, env string) (delivery.Run, error)
	// Slots lists active jobs, and per lane and team at least the limit oldest
	// queued jobs that may start at now.
	Slots(ctx context.Context, now time.Time, limit int) (active, waiting []delivery.Slot, err error)
	// WaitingReleases lists the proposed releases of a Target, oldest first.
	WaitingReleases(ctx context.Context, app, env string) ([]delivery.ReleaseID, error)
	// OpenReleases lists the releases that are not over, oldest first.
	OpenReleases(ctx context.Context) ([]delivery.Release, error)
	// Artifact finds an artifact of an app by digest.
	Artifact(ctx context.Context, app string, digest delivery.Digest) (delivery.Artifact, error)
	// LatestArtifact finds the artifact of the app's newest successful run for an
	// environment.
	LatestArtifact(ctx context.Context, app, env string) (delivery.Artifact, error)
}

// Messages reads what channels are owed.
type Messages interface {
	// Owed lists the oldest messages that a channel is owed, in order.
	Owed(ctx context.Context, channel string, limit int) ([]delivery.Message, error)
	// MessageKnown tells whether a message is, or was, owed.
	MessageKnown(ctx context.Context, id string) (bool, error)
}

// Documents reads the catalog.
type Documents interface {
	// CatalogVersion changes whenever a document does.
	CatalogVersion(ctx context.Context) (int64, error)
	Documents(ctx context.Context) ([]delivery.Document, error)
}

// Past is what retention asks of a store. Each call that removes is one short
// transaction.
type Past interface {
	// PastApps names the apps that something is kept of.
	PastApps(ctx context.Context) ([]string, error)
	Past(ctx context.Context, app string) (delivery.Past, error)
	// Forget removes what verdicts let go, but for what is needed again meanwhile.
	Forget(ctx context.Context, app string, verdicts []delivery.Verdict) (gone int, err error)
	Oldest
}

// Oldest is the rest of the past, which goes by age alone.
type Oldest interface {
	// ForgetHooks looks at the limit oldest hooks after one; next is where to go on,
	// 0 at the end.
	ForgetHooks(ctx context.Context, after int64, before time.Time, limit int) (gone int, next int64, err error)
	ForgetAudit(ctx context.Context, before time.Time, limit int) (gone int, err error)
	ForgetTokens(ctx context.Context, before time.Time) error
	// ForgetFacts removes the limit oldest facts of a target below a version.
	ForgetFacts(ctx context.Context, target string, below int64, limit int) (gone int, err error)
}

// Store is all that the engine asks of a store.
type Store interface {
	Past
	Ledger
	Wakes
	Lease
	Aggregates
	Facts
	Messages
	Documents
	SealedSecrets
	AuditTrail
	Peers
	People
}

// Executor runs attempts somewhere.
type Executor interface {
	// Start starts the attempt unless its key was started before, and returns
	// what is seen of it. Unavailable is tried again.
	Start(ctx context.Context, a delivery.AttemptSpec) (delivery.AttemptStatus, error)
	Observe(ctx context.Context, key string) (delivery.AttemptStatus, error)
	// Stop asks the attempt to end and makes sure that it does; idempotent.
	Stop(ctx context.Context, key string) error
}

// Deployer makes wishes real.
type Deployer interface {
	// Apply makes d the Target's wish, or takes the next step towards it. It may be
	// repeated, and is a Conflict when a higher generation was seen.
	Apply(ctx context.Context, app, env string, d delivery.Desired) error
	// Observe tells what is there of the Target, held against its wish d.
	Observe(ctx context.Context, app, env string, d delivery.Desired) (delivery.Observed, error)
}

// History answers questions about the commits of repositories. What it does not have it
// fetches. NotFound when the repository has a commit no more.
type History interface {
	Lineage
	Heads
	Sources
}

// Sources reads what commits hold.
type Sources interface {
	// Files reads, for each name, the nearest file of a commit from a folder up to the
	// repository's root, as a checkout would have it; what is nowhere is left out.
	Files(ctx context.Context, repo delivery.Repo, commit, folder string, names []string) ([]delivery.SourceFile, error)
}

// Lineage compares commits.
type Lineage interface {
	// Fork finds where a commit left the nearest of the other heads, which are by name.
	Fork(ctx context.Context, repo delivery.Repo, commit string, others map[string]string) (base, from string, err error)
	// Contains tells whether ancestor is the commit itself or an ancestor of it.
	Contains(ctx context.Context, repo delivery.Repo, commit, ancestor string) (bool, error)
	// Ahead counts the commits of head that are not in base's history.
	Ahead(ctx context.Context, repo delivery.Repo, base, head string) (int, error)
	// Where tells which of the commits contain one that is named by its SHA or the
	// beginning of it. sha is it in full, or empty when none of the histories has it;
	// unknown are the commits whose history is not to be had, and why.
	Where(ctx context.Context, repo delivery.Repo, short string, commits []string) (sha string, in map[string]bool, unknown map[string]error, err error)
}

// Heads reads what branches point to.
type Heads interface {
	// Heads returns the newest commits of those branches that exist, by branch.
	Heads(ctx context.Context, repo delivery.Repo, branches ...string) (map[string]string, error)
	// Describe returns a commit with its title and author.
	Describe(ctx context.Context, repo delivery.Repo, sha string) (delivery.Commit, error)
}

// ErrNoForge says that nobody is to be told a run's status.
var ErrNoForge = errors.New("no forge is configured for commit statuses")

// Forge is where commits come from and statuses go.
type Forge interface {
	// SetStatus may be repeated. ErrNoForge when there is nobody to tell.
	SetStatus(ctx context.Context, s delivery.CommitStatus) error
	// Repo resolves what an App's document says of its repository, a clone URL or
	// namespace/name. Invalid when it cannot be cloned from.
	Repo(setting string) (delivery.Repo, error)
	// Head resolves a branch to its newest commit.
	Head(ctx context.Context, repo delivery.Repo, branch string) (delivery.Commit, error)
	// Changed lists the files that differ between two commits.
	Changed(ctx context.Context, repo delivery.Repo, before, after string) ([]string, error)
}

// Chat is where people talk. Each call is one message, and none is repeated here.
//
// Errors: Unavailable may be tried again, and not before RetryAfter() when an error in
// the chain has that method; Denied, NotFound and Invalid never succeed as it is. None
// holds the bot's address or key.
type Chat interface {
	// Send tells a channel of messages, in one when there are several.
	Send(ctx context.Context, c delivery.Channel, ms []delivery.Message) error
	// Test says that somebody tries the channel, and returns what the vendor answered.
	Test(ctx context.Context, c delivery.Channel, by delivery.Actor) (answer string, err error)
}
