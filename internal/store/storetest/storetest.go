// Package storetest is the conformance suite of stores: what the engine relies on,
// whatever the database.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Store is what the engine asks of a store, and Close.
type Store interface {
	Commit(ctx context.Context, c *delivery.Change) ([]delivery.Claim, error)

	Claim(ctx context.Context, limit int) (claims []delivery.Claim, next time.Time, err error)
	PutOff(ctx context.Context, c delivery.Claim, at time.Time, why string) error
	Signal() <-chan struct{}
	Renew(ctx context.Context) error

	Hook(ctx context.Context, id string) (delivery.Hook, error)
	Run(ctx context.Context, id delivery.RunID) (delivery.Run, error)
	RunByNumber(ctx context.Context, app string, number int) (delivery.Run, error)
	Target(ctx context.Context, app, env string) (delivery.Target, error)
	Release(ctx context.Context, id delivery.ReleaseID) (delivery.Release, error)
	Notification(ctx context.Context, id string) (delivery.Notification, error)
	Admission(ctx context.Context) (delivery.Admission, error)
	Outbox(ctx context.Context, channel string) (delivery.Outbox, error)

	Owed(ctx context.Context, channel string, limit int) ([]delivery.Message, error)
	MessageKnown(ctx context.Context, id string) (bool, error)
	Messages(ctx context.Context, subject string) ([]delivery.Message, error)
	Outboxes(ctx context.Context) ([]delivery.Outbox, error)
	CountOwed(ctx context.Context) (map[string]int, error)

	EarlierHook(ctx context.Context, h delivery.Hook) (bool, error)
	LaterHook(ctx context.Context, h delivery.Hook) (string, error)
	PushedTo(ctx context.Context, h delivery.Hook, limit int) ([]delivery.Hook, error)
	NewestHooks(ctx context.Context) ([]delivery.Hook, error)
	Heads(ctx context.Context, repo string) ([]delivery.Head, error)
	OlderQueued(ctx context.Context, r delivery.Run) ([]delivery.RunID, error)
	NewestPushed(ctx context.Context, app, env string) (delivery.Run, error)
	Slots(ctx context.Context, now time.Time, limit int) (active, waiting []delivery.Slot, err error)
	WaitingReleases(ctx context.Context, app, env string) ([]delivery.ReleaseID, error)
	OpenReleases(ctx context.Context) ([]delivery.Release, error)
	Artifact(ctx context.Context, app string, digest delivery.Digest) (delivery.Artifact, error)
	LatestArtifact(ctx context.Context, app, env string) (delivery.Artifact, error)

	Secret(ctx context.Context, name string) (delivery.Secret, error)
	Secrets(ctx context.Context) ([]delivery.Secret, error)
	SecretsNotUnder(ctx context.Context, key string, limit int) ([]delivery.Secret, error)
	MasterKey(ctx context.Context) (string, error)
	SetMasterKeyOnce(ctx context.Context, key string) (string, error)
	User(ctx context.Context, name string) (delivery.User, error)
	UserByIdentity(ctx context.Context, id delivery.Identity) (delivery.User, error)
	Users(ctx context.Context) ([]delivery.User, error)
	Rehash(ctx context.Context, name, old, fresh string) error
	AddToken(ctx context.Context, t delivery.Token) error
	Token(ctx context.Context, id string) (delivery.Token, error)
	TokenByHash(ctx context.Context, hash string) (delivery.Token, *delivery.User, error)
	Tokens(ctx context.Context, owner string) ([]delivery.Token, error)
	CloseToken(ctx context.Context, id string) error
	UseTokens(ctx context.Context, used map[string]time.Time) error

	CatalogVersion(ctx context.Context) (int64, error)
	Documents(ctx context.Context) ([]delivery.Document, error)

	PastApps(ctx context.Context) ([]string, error)
	Past(ctx context.Context, app string) (delivery.Past, error)
	Forget(ctx context.Context, app string, verdicts []delivery.Verdict) (gone int, err error)
	NamesDigest(ctx context.Context, app string, d delivery.Digest) (bool, error)
	ForgetHooks(ctx context.Context, after int64, before time.Time, limit int) (gone int, next int64, err error)
	ForgetAudit(ctx context.Context, before time.Time, limit int) (gone int, err error)
	ForgetTokens(ctx context.Context, before time.Time) error
	ForgetFacts(ctx context.Context, target string, below int64, limit int) (gone int, err error)

	Close() error
}

// Options are those of one replica.
type Options struct {
	Now   func() time.Time
	Lease time.Duration
}

// Database opens one more replica of one database, which it closes with the test.
// Closing it earlier is allowed.
type Database func(t *testing.T, o Options) Store

// Run runs the suite; fresh makes an empty database.
func Run(t *testing.T, fresh func(t *testing.T) Database) {
	for name, test := range map[string]func(*testing.T, Database){
		"Aggregates":            testAggregates,
		"CompareAndSwap":        testCompareAndSwap,
		"ConcurrentSwaps":       testConcurrentSwaps,
		"Numbers":               testNumbers,
		"AllOrNothing":          testAllOrNothing,
		"GivenUp":               testGivenUp,
		"Reopen":                testReopen,
		"Hooks":                 testHooks,
		"Heads":                 testHeads,
		"OlderQueued":           testOlderQueued,
		"Slots":                 testSlots,
		"WaitingReleases":       testWaitingReleases,
		"OpenReleases":          testOpenReleases,
		"Artifacts":             testArtifacts,
		"Documents":             testDocuments,
		"Secrets":               testSecrets,
		"Secrets/Rotation":      testSecretsDuringRotation,
		"People/Users":          testUsers,
		"People/Tokens":         testTokens,
		"People/Revocation":     testRevocation,
		"Messages":              testMessages,
		"Messages/Forget":       testForgetMessages,
		"Retention/Past":        testPast,
		"Retention/Forget":      testForget,
		"Retention/Oldest":      testForgetOldest,
		"Wakes/CommitterKeeps":  testCommitterKeeps,
		"Wakes/Later":           testWakeLater,
		"Wakes/Earliest":        testWakeEarliest,
		"Wakes/Done":            testDone,
		"Wakes/WokenMeanwhile":  testWokenMeanwhile,
		"Wakes/DoneAndAgain":    testDoneAndAgain,
		"Wakes/PutOff":          testPutOff,
		"Wakes/PutOffMeanwhile": testPutOffMeanwhile,
		"Wakes/ClaimOrder":      testClaimOrder,
		"Wakes/NoneTwice":       testNoneTwice,
		"Wakes/Exclusive":       testExclusive,
		"Lease/EndedMeanwhile":  testEndedMeanwhile,
		"Lease/AwayForAll":      testAwayForAll,
		"Lease/TakenOver":       testTakenOver,
		"Lease/Renewed":         testRenewed,
		"Lease/ClosedGivesBack": testClosedGivesBack,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}
