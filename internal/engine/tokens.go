package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// tokenLife is how long a token lasts when nobody says.
const tokenLife = 30 * 24 * time.Hour

// CreateToken makes an API token of who asks, or of another user. Its secret is shown
// now and never again.
func (e *Engine) CreateToken(ctx context.Context, p Principal, ask api.CreateToken) (t delivery.Token, secret string, err error) {
	owner := ask.For
	if owner == "" {
		owner = p.Actor.Name
	}
	if err := e.Own(ctx, p, owner, delivery.CmdTokenIssue); err != nil {
		return t, "", err
	}
	if err := ask.Scope.Check(); err != nil {
		return t, "", err
	}
	secret, hash := e.cfg.Credentials.NewToken()
	t = delivery.Token{
		ID: e.cfg.NewID(), Kind: delivery.TokenAPI, Name: ask.Name, Owner: owner, Hash: hash, Scope: ask.Scope,
		From: p.Address, CreatedAt: e.now(), ExpiresAt: e.now().Add(tokenLife),
	}
	if ask.Expires != nil {
		if t.ExpiresAt = e.now().Add(ask.Expires.Std()); *ask.Expires == 0 {
			t.ExpiresAt = time.Time{}
		}
	}
	err = e.ownCommand(ctx, p, owner, delivery.CmdTokenIssue, onUser(owner), "token "+describe(t), func(d *draft) error {
		u, err := e.store.User(ctx, owner)
		switch {
		case delivery.KindOf(err) == delivery.NotFound:
			return delivery.E(delivery.NotFound, fmt.Sprintf("there is no user %s: name whose token it is with --for, and see `shiplock user list`", owner))
		case err != nil:
			return err
		case u.Disabled:
			return delivery.E(delivery.Conflict, fmt.Sprintf("%s is disabled: enable that user first", owner))
		case u.Admin && !p.Grants.Admin:
			return delivery.E(delivery.Denied, fmt.Sprintf("%s is an administrator: only an administrator may make a token for that user", owner))
		}
		t.Epoch = u.Epoch
		d.extra.Tokens = append(d.extra.Tokens, t)
		return nil
	})
	return t, secret, err
}

// describe says which token it is, without its secret.
func describe(t delivery.Token) string {
	parts := []string{t.ID}
	if t.Name != "" {
		parts = append(parts, t.Name)
	}
	if s := t.Scope; s != nil {
		parts = append(parts, fmt.Sprintf("for commands %v, apps %v, environments %v", s.Commands, s.Apps, s.Environments))
	}
	return strings.Join(parts, ", ")
}

// RevokeToken ends a token or a session at once, with the sessions that it opened.
func (e *Engine) RevokeToken(ctx context.Context, p Principal, id string) error {
	t, err := e.store.Token(ctx, id)
	if delivery.KindOf(err) == delivery.NotFound {
		// Nobody learns here which tokens others have.
		if err := e.Allow(ctx, p, delivery.CmdTokenRevoke, delivery.Everything("token "+id)); err != nil {
			return err
		}
		return delivery.E(delivery.NotFound, fmt.Sprintf("there is no token %s: see `shiplock token list`", id))
	}
	if err != nil {
		return err
	}
	return e.revoke(ctx, p, t.Owner, "token "+describe(t), delivery.TokenMatch{ID: id})
}

// RevokeSessions ends the sessions and log-ins of a user; the tokens stay.
func (e *Engine) RevokeSessions(ctx context.Context, p Principal, owner string) error {
	return e.revoke(ctx, p, owner, "all sessions",
		delivery.TokenMatch{Owner: owner, Kind: delivery.TokenSession}, delivery.TokenMatch{Owner: owner, Kind: delivery.TokenLogin})
}

func (e *Engine) revoke(ctx context.Context, p Principal, owner, detail string, which ...delivery.TokenMatch) error {
	return e.ownCommand(ctx, p, owner, delivery.CmdTokenRevoke, onUser(owner), detail, func(d *draft) error {
		d.extra.Revoke = append(d.extra.Revoke, which...)
		return nil
	})
}
