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
	// IdleLife ends a session that nobody uses.
	IdleLife = 12 * time.Hour
	// LoginLife is that of the command line's token after a log-in.
	LoginLife = 7 * 24 * time.Hour
	codeLife  = 15 * time.Minute
	maxCodes  = 64
	// sessionID begins the ids of sessions.
	sessionID = "session-"
)

// Tokens keeps tokens durably.
type Tokens interface {
	AddToken(ctx context.Context, t delivery.Token) error
	// TokenByHash finds a token and its owner; NotFound when there is none.
	TokenByHash(ctx context.Context, hash string) (delivery.Token, *delivery.User, error)
	TokenCount(ctx context.Context) (int, error)
	CloseToken(ctx context.Context, id string) error
	// UseTokens remembers when tokens were used.
	UseTokens(ctx context.Context, used map[string]time.Time) error
}

// Users reads users, with their passwords' hashes.
type Users interface {
	// User is NotFound when there is none.
	User(ctx context.Context, name string) (delivery.User, error)
	// Rehash keeps another hash of the same password, unless it is another one by now.
	Rehash(ctx context.Context, name, old, fresh string) error
}

// Config is what a Keeper needs.
type Config struct {
	Tokens Tokens
	Users  Users
	Now    func() time.Time
	NewID  func() string
	// Params are of new passwords; zero is the default.
	Params Params
}

// Keeper hands secrets out and recognises them.
type Keeper struct {
	cfg    Config
	hasher *hasher

	mu    sync.Mutex
	codes map[string]code      // by hash
	used  map[string]time.Time // tokens by id, since they were last written
}

type code struct {
	actor   delivery.Actor
	grants  delivery.Grants
	expires time.Time
}

// New returns a Keeper.
func New(cfg Config) *Keeper {
	return &Keeper{cfg: cfg, hasher: newHasher(cfg.Params), codes: map[string]code{}, used: map[string]time.Time{}}
}

// Bootstrap returns the token of the first administrator, once: it is empty when
// there are tokens already.
func (k *Keeper) Bootstrap(ctx context.Context) (string, error) {
	n, err := k.cfg.Tokens.TokenCount(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	return k.Issue(ctx, "admin", delivery.Grants{Admin: true})
}

// Issue makes a token with grants of its own. It cannot be read again later.
func (k *Keeper) Issue(ctx context.Context, name string, g delivery.Grants) (string, error) {
	return k.add(ctx, tokenPrefix, delivery.Token{ID: k.cfg.NewID(), Kind: delivery.TokenAPI, Name: name, Grants: g})
}

// LogIn makes the command line's token of a user who has shown a password.
func (k *Keeper) LogIn(ctx context.Context, u delivery.User, name, from string) (delivery.Opened, error) {
	return k.open(ctx, tokenPrefix, delivery.Token{
		ID: k.cfg.NewID(), Kind: delivery.TokenLogin, Name: name, Owner: u.Name, Epoch: u.Epoch, From: from, ExpiresAt: k.cfg.Now().Add(LoginLife),
	})
}

// SessionOf makes a session of a user who has just been recognised.
func (k *Keeper) SessionOf(ctx context.Context, u delivery.User, from string) (delivery.Opened, error) {
	return k.session(ctx, delivery.Token{Owner: u.Name, Epoch: u.Epoch, From: from})
}

// SessionBy makes a session of who shows a token: it may what the token may, and ends
// with it.
func (k *Keeper) SessionBy(ctx context.Context, secret, from string) (delivery.Opened, delivery.Actor, error) {
	t, owner, err := k.find(ctx, tokenPrefix, secret)
	if err != nil {
		return delivery.Opened{}, delivery.Actor{}, err
	}
	who, _, ok := t.Bearer(owner, k.cfg.Now())
	if !ok {
		return delivery.Opened{}, delivery.Actor{}, errUnknown
	}
	opened, err := k.session(ctx, delivery.Token{
		Name: t.Name, Owner: t.Owner, Epoch: t.Epoch, Grants: t.Grants, Scope: t.Scope, By: t.ID, From: from, ExpiresAt: t.ExpiresAt,
	})
	return opened, who, err
}

// SessionFor makes a session of who has shown a code.
func (k *Keeper) SessionFor(ctx context.Context, a delivery.Actor, g delivery.Grants, from string) (delivery.Opened, error) {
	return k.session(ctx, delivery.Token{Name: a.Name, Grants: g, From: from})
}

func (k *Keeper) session(ctx context.Context, t delivery.Token) (delivery.Opened, error) {
	t.ID, t.Kind = sessionID+k.cfg.NewID(), delivery.TokenSession
	if end := k.cfg.Now().Add(SessionLife); t.ExpiresAt.IsZero() || t.ExpiresAt.After(end) {
		t.ExpiresAt = end
	}
	return k.open(ctx, sessionPrefix, t)
}

func (k *Keeper) open(ctx context.Context, prefix string, t delivery.Token) (delivery.Opened, error) {
	secret, err := k.add(ctx, prefix, t)
	return delivery.Opened{ID: t.ID, Secret: secret, ExpiresAt: t.ExpiresAt.UTC()}, err
}

func (k *Keeper) add(ctx context.Context, prefix string, t delivery.Token) (string, error) {
	secret := newSecret(prefix)
	t.Hash, t.CreatedAt = Hash(secret), k.cfg.Now().UTC()
	return secret, k.cfg.Tokens.AddToken(ctx, t)
}

// Token recognises an API token. Denied when it is none.
func (k *Keeper) Token(ctx context.Context, secret string) (delivery.Actor, delivery.Grants, error) {
	return k.recognise(ctx, tokenPrefix, secret)
}

// Session recognises an open session. Denied when it is none, or over.
func (k *Keeper) Session(ctx context.Context, secret string) (delivery.Actor, delivery.Grants, error) {
	return k.recognise(ctx, sessionPrefix, secret)
}

// Close ends a session, or a token; one that is none has ended.
func (k *Keeper) Close(ctx context.Context, secret string) error {
	for _, prefix := range []string{sessionPrefix, tokenPrefix} {
		t, _, err := k.find(ctx, prefix, secret)
		if err == nil {
			return k.cfg.Tokens.CloseToken(ctx, t.ID)
		}
		if delivery.KindOf(err) != delivery.Denied {
			return err
		}
	}
	return nil
}

func (k *Keeper) recognise(ctx context.Context, prefix, secret string) (delivery.Actor, delivery.Grants, error) {
	t, owner, err := k.find(ctx, prefix, secret)
	if err != nil {
		return delivery.Actor{}, delivery.Grants{}, err
	}
	a, g, ok := t.Bearer(owner, k.cfg.Now())
	if !ok || !k.use(t) {
		return delivery.Actor{}, delivery.Grants{}, errUnknown
	}
	return a, g, nil
}

// The lookup is by hash, so its timing says nothing about secrets that exist.
func (k *Keeper) find(ctx context.Context, prefix, secret string) (delivery.Token, *delivery.User, error) {
	if !formed(prefix, secret) {
		return delivery.Token{}, nil, errUnknown
	}
	t, owner, err := k.cfg.Tokens.TokenByHash(ctx, Hash(secret))
	if delivery.KindOf(err) == delivery.NotFound {
		return delivery.Token{}, nil, errUnknown
	}
	return t, owner, err
}

var (
	errUnknown = delivery.E(delivery.Denied, "the token is not known or no longer valid: log in again")
	errCode    = delivery.E(delivery.Denied, "the link was used already or is too old: log in with a token")
)
