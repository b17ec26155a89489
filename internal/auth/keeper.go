package auth

import (
	"context"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Lives of what is handed out.
const (
	SessionLife = 7 * 24 * time.Hour
	codeLife    = 15 * time.Minute
	maxCodes    = 64
	// sessionID begins the ids of sessions, which are removed when they are over.
	sessionID = "session-"
)

// Token is what is kept of a token or a session.
type Token struct {
	ID        string
	Name      string
	Hash      string
	Grants    delivery.Grants
	CreatedAt time.Time
}

// Tokens keeps tokens durably.
type Tokens interface {
	AddToken(ctx context.Context, t Token) error
	// TokenByHash is NotFound when there is none.
	TokenByHash(ctx context.Context, hash string) (Token, error)
	TokenCount(ctx context.Context) (int, error)
}

// Config is what a Keeper needs.
type Config struct {
	Tokens Tokens
	Now    func() time.Time
	NewID  func() string
}

// Keeper hands secrets out and recognises them.
type Keeper struct {
	cfg Config

	mu    sync.Mutex
	codes map[string]code // by hash
}

type code struct {
	actor   delivery.Actor
	grants  delivery.Grants
	expires time.Time
}

// New returns a Keeper.
func New(cfg Config) *Keeper { return &Keeper{cfg: cfg, codes: map[string]code{}} }

// Bootstrap returns the token of the first administrator, once: it is empty when
// there are tokens already.
func (k *Keeper) Bootstrap(ctx context.Context) (string, error) {
	n, err := k.cfg.Tokens.TokenCount(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	return k.Issue(ctx, "admin", delivery.Grants{Admin: true})
}

// Issue makes a token. It cannot be read again later.
func (k *Keeper) Issue(ctx context.Context, name string, g delivery.Grants) (string, error) {
	return k.add(ctx, tokenPrefix, k.cfg.NewID(), name, g)
}

// OpenSession makes a session of somebody who has shown a token or a code.
func (k *Keeper) OpenSession(ctx context.Context, a delivery.Actor, g delivery.Grants) (secret string, expires time.Time, err error) {
	secret, err = k.add(ctx, sessionPrefix, sessionID+k.cfg.NewID(), a.Name, g)
	return secret, k.cfg.Now().Add(SessionLife), err
}

func (k *Keeper) add(ctx context.Context, prefix, id, name string, g delivery.Grants) (string, error) {
	secret := newSecret(prefix)
	t := Token{ID: id, Name: name, Hash: Hash(secret), Grants: g, CreatedAt: k.cfg.Now().UTC()}
	return secret, k.cfg.Tokens.AddToken(ctx, t)
}

// Token recognises an API token. Denied when it is none.
func (k *Keeper) Token(ctx context.Context, secret string) (delivery.Actor, delivery.Grants, error) {
	t, err := k.find(ctx, tokenPrefix, secret)
	return actor(t), t.Grants, err
}

// Session recognises an open session. Denied when it is none, or over.
func (k *Keeper) Session(ctx context.Context, secret string) (delivery.Actor, delivery.Grants, error) {
	t, err := k.find(ctx, sessionPrefix, secret)
	if err == nil && k.cfg.Now().After(t.CreatedAt.Add(SessionLife)) {
		return delivery.Actor{}, delivery.Grants{}, errUnknown
	}
	return actor(t), t.Grants, err
}

// The lookup is by hash, so its timing says nothing about secrets that exist.
func (k *Keeper) find(ctx context.Context, prefix, secret string) (Token, error) {
	if !formed(prefix, secret) {
		return Token{}, errUnknown
	}
	t, err := k.cfg.Tokens.TokenByHash(ctx, Hash(secret))
	if delivery.KindOf(err) == delivery.NotFound {
		return Token{}, errUnknown
	}
	return t, err
}

// Link makes a code that Redeem accepts once, within 15 minutes and only from this
// process.
func (k *Keeper) Link(a delivery.Actor, g delivery.Grants) string {
	secret := newSecret(codePrefix)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweep()
	k.codes[Hash(secret)] = code{actor: a, grants: g, expires: k.cfg.Now().Add(codeLife)}
	return secret
}

// Redeem uses a code up. Denied when it is none, was used, or is too old.
func (k *Keeper) Redeem(secret string) (delivery.Actor, delivery.Grants, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := Hash(secret)
	c, ok := k.codes[h]
	delete(k.codes, h)
	if !ok || k.cfg.Now().After(c.expires) {
		return delivery.Actor{}, delivery.Grants{}, errCode
	}
	return c.actor, c.grants, nil
}

// sweep bounds the codes that nobody came for.
func (k *Keeper) sweep() {
	now := k.cfg.Now()
	for h, c := range k.codes {
		if len(k.codes) >= maxCodes || now.After(c.expires) {
			delete(k.codes, h)
		}
	}
}

func actor(t Token) delivery.Actor {
	if t.Name == "" {
		return delivery.Actor{}
	}
	return delivery.Actor{Kind: delivery.ActorUser, Name: t.Name}
}

var (
	errUnknown = delivery.E(delivery.Denied, "the token is not known or no longer valid: log in again")
	errCode    = delivery.E(delivery.Denied, "the link was used already or is too old: log in with a token")
)
