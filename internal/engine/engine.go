// Package engine is the only writer of delivery state. It claims a wake, loads
// the aggregate and its facts, asks the pure machine what is due, does it
// through a port, folds what happened and commits everything in one transaction.
package engine

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// ErrLeaseLost ends an engine whose replica was declared dead: another one works
// on its wakes now.
var ErrLeaseLost = errors.New("the lease on the database is lost: another server took over")

// Config is what an Engine needs.
type Config struct {
	Store    Store
	Executor Executor
	Deployer Deployer
	Forge    Forge
	Chat     Chat
	History  History
	Images   Images
	Caches   Caches
	Logs     Logs
	Vault    Vault
	// Credentials makes passwords and tokens.
	Credentials Credentials

	// PublicURL is what people and forges reach the server by, RunnerURL what
	// runners do; without a trailing slash.
	PublicURL, RunnerURL string
	// Lang is spoken to forges; empty is English.
	Lang phrase.Lang
	// BuildsInImages says that the Executor starts attempts in their Plan's image.
	BuildsInImages bool
	// Registry is what runners push to: host:port, and the path above all
	// repositories if there is one.
	Registry string
	// PlainHTTP says that it speaks no TLS; RegistryCA are certificates (PEM) that its
	// own may be signed by.
	PlainHTTP  bool
	RegistryCA string
	// Pushes opens it for runners; nil is the embedded registry, which a runner's own
	// token opens.
	Pushes Pushes
	// Credential opens a repository for checkouts; nil is none. withheld says, when no
	// password is given, for whose sake.
	Credential func(delivery.Repo) (user, password, withheld string)
	// Capacity is how many jobs may run at once.
	Capacity int
	// LeaseEvery is how often the replica's lease is renewed; the lease itself is
	// the store's.
	LeaseEvery time.Duration
	Limits     delivery.RunLimits
	// SnapshotLimit bounds the bytes of one cache's snapshot; 0 is no limit.
	SnapshotLimit int64
	// Heartbeat is how often an idle runner reports.
	Heartbeat time.Duration
	// Secret keys claim codes.
	Secret []byte

	Now   func() time.Time
	NewID func() string
	Log   *slog.Logger
}

// Engine runs the loop and carries out commands.
type Engine struct {
	cfg       Config
	store     Store
	catalogue *catalogue
	live      *Live
	loop      *loop
	shunned   shunned
	nudges    *nudges
	lookups   lookups
	beside    beside
	ahead     flights[ahead]
	where     flights[whereabouts]
	drift     flights[map[place]distance]
	choices   flights[choice]
	notes     notes
}

// New returns an Engine; Run makes it work.
func New(cfg Config) *Engine {
	e := &Engine{cfg: cfg, store: cfg.Store, live: newLive()}
	e.ahead.keep, e.where.keep, e.drift.keep, e.choices.keep = movedKept, whereKept, whereKept, choiceKept
	e.catalogue = &catalogue{docs: cfg.Store}
	e.loop, e.nudges = newLoop(e), newNudges()
	return e
}

// Catalog returns the catalog as it is now.
func (e *Engine) Catalog(ctx context.Context) (*catalog.Set, error) { return e.catalogue.current(ctx) }

// Live returns the feed of what changed.
func (e *Engine) Live() *Live { return e.live }

// now is the time to the millisecond, as it is kept.
func (e *Engine) now() time.Time { return e.cfg.Now().UTC().Truncate(time.Millisecond) }

// keep commits a draft with the news of it; done is the wake that led to it, if any.
func (e *Engine) keep(ctx context.Context, d *draft, done *delivery.Claim) error {
	if err := e.announce(ctx, d); err != nil {
		return err
	}
	change := d.change()
	change.Done = done
	_, err := e.commit(ctx, change)
	return err
}

// commit writes a change, tells live views, and takes on the wakes it got.
func (e *Engine) commit(ctx context.Context, c *delivery.Change) ([]delivery.Claim, error) {
	claims, err := e.store.Commit(ctx, c)
	if err != nil {
		return nil, err
	}
	if changed := changedBy(c); len(changed) > 0 {
		e.live.publish(changed)
		e.store.Tell(changed)
	}
	e.loop.take(claims)
	return claims, nil
}

// claimCode is the single-use code of an attempt: a function of its key, so that
// starting twice gives the same one and nothing need be stored.
func (e *Engine) claimCode(key string) string {
	mac := hmac.New(sha256.New, e.cfg.Secret)
	mac.Write([]byte("claim\x00" + key))
	return hex.EncodeToString(mac.Sum(nil))
}
