package engine

import (
	"context"
	"fmt"
	"reflect"

	"github.com/shiplock/shiplock/internal/delivery"
)

// ruleProvider allows what an identity provider vouches for.
const ruleProvider = "identity provider"

// SignIn finds the user of who signed in at an identity provider, and makes it at the
// first log-in. What the provider claims is taken over. Denied when the user is
// disabled, Conflict when somebody else has the name.
func (e *Engine) SignIn(ctx context.Context, c delivery.Claims, from string) (delivery.User, error) {
	before, err := e.store.UserByIdentity(ctx, c.Identity)
	detail := "groups claimed: " + fmt.Sprint(c.Groups)
	if delivery.KindOf(err) == delivery.NotFound {
		before, err = e.newcomer(ctx, c)
		detail = "added at the first log-in; " + detail
	}
	if err != nil {
		return before, err
	}
	if before.Disabled {
		return before, delivery.E(delivery.Denied, "this user is disabled: ask an administrator")
	}
	after := before.Claim(c)
	if err := after.Check(); err != nil {
		return before, err
	}
	if before.Version > 0 && reflect.DeepEqual(before, after) {
		return after, nil
	}
	p := Principal{Actor: after.Actor(), Address: from}
	err = e.carryOut(ctx, p, ruleProvider, delivery.CmdUserEdit, onUser(after.Name), detail, func(d *draft) error {
		if before.Version > 0 { // what else was changed meanwhile stays
			now, err := e.store.User(ctx, after.Name)
			if err != nil {
				return err
			}
			after = now.Claim(c)
		}
		d.putUser(after)
		return nil
	})
	return after, err
}

// newcomer is who signs in at an identity provider for the first time.
func (e *Engine) newcomer(ctx context.Context, c delivery.Claims) (delivery.User, error) {
	switch u, err := e.store.User(ctx, c.Name); {
	case err == nil && u.Identity == nil:
		return u, delivery.E(delivery.Conflict, fmt.Sprintf("there is a user %s here who does not sign in at %s: ask an administrator, who may choose another claim for names with --oidc-username-claim", c.Name, c.Identity.Issuer))
	case err == nil:
		return u, delivery.E(delivery.Conflict, fmt.Sprintf("somebody else at %s signs in here as %s: ask an administrator, who may choose another claim for names with --oidc-username-claim", u.Identity.Issuer, c.Name))
	case delivery.KindOf(err) != delivery.NotFound:
		return u, err
	}
	return delivery.User{Name: c.Name, Kind: delivery.ActorUser, Identity: &c.Identity, CreatedAt: e.now()}, nil
}
