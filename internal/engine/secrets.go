package engine

import (
	"cmp"
	"context"
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Secrets opens what the installation keeps sealed. NotFound when nobody has set it.
type Secrets interface {
	Open(ctx context.Context, name string) ([]byte, error)
}

// Vault seals and opens secrets, with master keys that have names.
type Vault interface {
	Secrets
	// Seal seals a value for a secret's name and revision, with the named key.
	Seal(ctx context.Context, key string, s delivery.Secret, value []byte) (delivery.Sealed, error)
	// Rewrap seals a secret with the named key, without opening its value.
	Rewrap(ctx context.Context, key string, s delivery.Secret) (delivery.Sealed, error)
	MasterKeys
}

// MasterKeys are what secrets are sealed with.
type MasterKeys interface {
	// MakeKey readies another master key, and names it.
	MakeKey(ctx context.Context) (string, error)
	// RetireKeys lets go of those that are older than the named one.
	RetireKeys(ctx context.Context, key string) error
}

// SealedSecrets reads secrets as they are kept.
type SealedSecrets interface {
	// Secret is NotFound when nobody has set it.
	Secret(ctx context.Context, name string) (delivery.Secret, error)
	Secrets(ctx context.Context) ([]delivery.Secret, error)
	// SecretsNotUnder lists those that another master key wraps.
	SecretsNotUnder(ctx context.Context, key string, limit int) ([]delivery.Secret, error)
	// MasterKey names the master key that secrets are sealed with.
	MasterKey(ctx context.Context) (string, error)
}

// rewrapAtOnce bounds the secrets that are listed together to be wrapped again.
const rewrapAtOnce = 100

// Secrets lists the secrets that people set.
func (e *Engine) Secrets(ctx context.Context, p Principal) ([]delivery.Secret, error) {
	if err := e.Allow(ctx, p, delivery.CmdSecretSet, delivery.Everything("secrets")); err != nil {
		return nil, err
	}
	all, err := e.store.Secrets(ctx)
	var named []delivery.Secret
	for _, s := range all {
		if !s.Own() {
			named = append(named, s)
		}
	}
	return named, err
}

// SetSecret seals a value below a name, in place of what was there.
func (e *Engine) SetSecret(ctx context.Context, p Principal, name string, value []byte) (delivery.Secret, error) {
	var s delivery.Secret
	if err := e.checkSecret(name, value); err != nil {
		return s, err
	}
	err := e.command(ctx, p, delivery.CmdSecretSet, delivery.Everything(name), "", func(d *draft) error {
		old, err := e.secret(ctx, name)
		if err != nil {
			return err
		}
		key, err := e.store.MasterKey(ctx)
		if err != nil {
			return err
		}
		s = delivery.Secret{Name: name, Revision: old.Revision + 1, SetBy: p.Actor, SetAt: d.now, Version: old.Version}
		if s.Sealed, err = e.cfg.Vault.Seal(ctx, key, s, value); err != nil {
			return err
		}
		d.extra.Secrets = []delivery.SecretChange{{Secret: s}}
		return nil
	})
	return s, err
}

func (e *Engine) checkSecret(name string, value []byte) error {
	switch {
	case len(value) == 0:
		return delivery.E(delivery.Invalid, "the secret is empty: give its value on the standard input, or with --from-file; remove it with `shiplock secret delete`")
	case len(value) > delivery.MaxSecret:
		return delivery.E(delivery.Invalid, fmt.Sprintf("the secret has %d bytes, and may have %d: keep what is that large in a file", len(value), delivery.MaxSecret))
	}
	return delivery.CheckSecretName(name)
}

// secret is one of revision 0 when nobody has set it.
func (e *Engine) secret(ctx context.Context, name string) (delivery.Secret, error) {
	s, err := e.store.Secret(ctx, name)
	if err != nil && delivery.KindOf(err) == delivery.NotFound {
		return delivery.Secret{Name: name}, nil
	}
	return s, err
}

// DeleteSecret removes a secret. Conflict while a document names it.
func (e *Engine) DeleteSecret(ctx context.Context, p Principal, name string) error {
	if err := delivery.CheckSecretName(name); err != nil {
		return err
	}
	return e.command(ctx, p, delivery.CmdSecretSet, delivery.Everything(name), "deleted", func(d *draft) error {
		s, err := e.store.Secret(ctx, name)
		if err != nil {
			return cmp.Or(missingSecret(name, err), err)
		}
		set, err := e.catalogue.current(ctx)
		if err != nil {
			return err
		}
		if by := set.SecretUsers(name); len(by) > 0 {
			return delivery.E(delivery.Invalid, fmt.Sprintf("the secret %s is used by %s: change that first, or set the secret to another value", name, by[0]))
		}
		d.extra.Secrets = []delivery.SecretChange{{Secret: s, Delete: true}}
		return nil
	})
}

func missingSecret(name string, err error) error {
	if delivery.KindOf(err) != delivery.NotFound {
		return nil
	}
	return delivery.E(delivery.NotFound, fmt.Sprintf("there is no secret %s: see `shiplock secret list`", name))
}

// RotateMasterKey makes another master key and seals all secrets with it. It returns
// the key's name and how many were sealed again. When it ends half-way, both keys stay
// and the next start, or the next call, goes on.
func (e *Engine) RotateMasterKey(ctx context.Context, p Principal) (key string, n int, err error) {
	about := delivery.Everything("secrets")
	if err := e.Allow(ctx, p, delivery.CmdSecretRotate, about); err != nil {
		return "", 0, err
	}
	from, err := e.store.MasterKey(ctx)
	if err != nil {
		return "", 0, err
	}
	if key, err = e.cfg.Vault.MakeKey(ctx); err != nil {
		return "", 0, err
	}
	if key == from {
		return "", 0, delivery.E(delivery.Invalid, "there is no newer master key: put one before the others in SHIPLOCK_MASTER_KEY, with a space between, and start the server again")
	}
	err = e.command(ctx, p, delivery.CmdSecretRotate, about, from+" → "+key, func(d *draft) error {
		now, err := e.store.MasterKey(ctx)
		if err == nil && now != from {
			err = delivery.E(delivery.Invalid, "somebody else is changing the master key: look at the audit, and try again if it is still needed")
		}
		d.extra.MasterKey = &delivery.MasterKeyChange{From: from, To: key}
		return err
	})
	if err != nil {
		return "", 0, err
	}
	n, err = e.RewrapSecrets(ctx)
	return key, n, err
}

// RewrapSecrets seals again what is not sealed with the present master key, each secret
// in a transaction of its own, and lets go of older keys once nothing needs them.
func (e *Engine) RewrapSecrets(ctx context.Context) (n int, err error) {
	key, err := e.store.MasterKey(ctx)
	for err == nil {
		var old []delivery.Secret
		if old, err = e.store.SecretsNotUnder(ctx, key, rewrapAtOnce); err != nil || len(old) == 0 {
			break
		}
		for i := 0; i < len(old) && err == nil; i++ {
			var done bool
			if done, err = e.rewrap(ctx, key, old[i]); done {
				n++
			}
		}
	}
	if err != nil {
		return n, err
	}
	return n, e.cfg.Vault.RetireKeys(ctx, key)
}

// rewrap tells whether it did it: somebody may have set or wrapped the secret meanwhile.
func (e *Engine) rewrap(ctx context.Context, key string, s delivery.Secret) (done bool, err error) {
	if s.Sealed, err = e.cfg.Vault.Rewrap(ctx, key, s); err != nil {
		return false, err
	}
	_, err = e.commit(ctx, &delivery.Change{Secrets: []delivery.SecretChange{{Secret: s}}})
	if err != nil && delivery.KindOf(err) == delivery.Conflict {
		now, gone := e.store.MasterKey(ctx)
		if gone == nil && now != key {
			return false, delivery.E(delivery.Invalid, "somebody else is changing the master key: that one goes on with it")
		}
		return false, gone
	}
	return err == nil, err
}
