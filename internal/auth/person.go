package auth

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Password recognises a person by name and password. It takes the same time whether
// there is such a person or not. Denied when they do not fit, Unavailable when too many
// log in at this moment.
func (k *Keeper) Password(ctx context.Context, name, password string) (delivery.User, error) {
	u, err := k.cfg.Users.User(ctx, name)
	if err != nil && delivery.KindOf(err) != delivery.NotFound {
		return delivery.User{}, err
	}
	kept := u.Password
	if u.Kind != delivery.ActorUser || u.Identity != nil {
		kept = ""
	}
	ok, stale, err := k.hasher.verify(ctx, kept, clip(password))
	switch {
	case err != nil:
		return delivery.User{}, err
	case !ok:
		return delivery.User{}, errPassword
	case u.Disabled:
		return delivery.User{}, errDisabled
	}
	if stale {
		err = k.rehash(ctx, u, password)
	}
	return u, err
}

func (k *Keeper) rehash(ctx context.Context, u delivery.User, password string) error {
	fresh, err := k.hasher.hash(ctx, password)
	if err == nil {
		err = k.cfg.Users.Rehash(ctx, u.Name, u.Password, fresh)
	}
	if delivery.KindOf(err) == delivery.Conflict {
		return nil // somebody else did, or it is another password by now
	}
	return err
}

// longest bounds what is hashed; nobody has a longer password.
const longest = 1 << 10

func clip(password string) string { return password[:min(len(password), longest)] }

// HashPassword is what is kept of a password.
func (k *Keeper) HashPassword(ctx context.Context, password string) (string, error) {
	return k.hasher.hash(ctx, password)
}

// NewPassword makes a password for one log-in, and its hash.
func (k *Keeper) NewPassword(ctx context.Context) (password, hash string, err error) {
	password = newPassword()
	hash, err = k.hasher.hash(ctx, password)
	return password, hash, err
}

// NewToken makes an API token, which is worth nothing before its hash is kept.
func (k *Keeper) NewToken() (secret, hash string) {
	secret = newSecret(tokenPrefix)
	return secret, Hash(secret)
}

var (
	errPassword = delivery.E(delivery.Denied, "the user or the password is wrong")
	errDisabled = delivery.E(delivery.Denied, "this user is disabled: ask an administrator")
)
