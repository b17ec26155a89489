package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/seal"
)

// unlock opens the vault, and reads from it what the environment does not give.
func (in *instance) unlock(ctx context.Context) error {
	keys, err := in.masterKeys()
	if err != nil {
		return err
	}
	in.vault = seal.NewVault(in.store, keys)
	newest, err := keys.Newest(ctx)
	if err != nil {
		return err
	}
	if _, err := in.store.SetMasterKeyOnce(ctx, newest); err != nil {
		return err
	}
	for name, setting := range map[string]*string{
		"gitlab-token": &in.opts.gitlabToken, "gitea-token": &in.opts.giteaToken, "github-token": &in.opts.githubToken,
		"clone-password": &in.opts.clonePassword, "registry-password": &in.opts.registry.password, "hook-secret": &in.opts.hookSecret,
	} {
		if err := in.fill(ctx, name, setting); err != nil {
			return err
		}
	}
	in.opts.defaults()
	return in.opts.registry.checkLogin()
}

// masterKeys are those that the operator gives, or those of a file.
func (in *instance) masterKeys() (seal.Keys, error) {
	if in.opts.masterKey == "" {
		return seal.OpenFile(in.path("master.key"))
	}
	keys, err := seal.ParseGiven(in.opts.masterKey)
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "SHIPLOCK_MASTER_KEY cannot be used", err)
	}
	return keys, nil
}

// fill reads a setting from the vault if the operator gave none.
func (in *instance) fill(ctx context.Context, name string, setting *string) error {
	if *setting != "" {
		return nil
	}
	value, err := in.vault.Open(ctx, name)
	if err != nil && delivery.KindOf(err) == delivery.NotFound {
		return nil
	}
	*setting = string(value)
	return err
}

// secret returns a secret of the installation, making it at the first start. What an
// older version kept in the clear is sealed.
func (in *instance) secret(ctx context.Context, name string) (string, error) {
	own := delivery.OwnSecret(name)
	for range 3 {
		value, err := in.vault.Open(ctx, own)
		if err == nil || delivery.KindOf(err) != delivery.NotFound {
			return string(value), err
		}
		if err := in.makeSecret(ctx, name, own); err != nil && delivery.KindOf(err) != delivery.Conflict {
			return "", err
		}
	}
	return "", delivery.E(delivery.Unavailable, "the secret "+own+" could not be kept, since the master key changes: start again")
}

func (in *instance) makeSecret(ctx context.Context, name, own string) error {
	value, err := in.store.Meta(ctx, name)
	if err != nil && delivery.KindOf(err) == delivery.NotFound {
		fresh := make([]byte, 32)
		rand.Read(fresh)
		value, err = hex.EncodeToString(fresh), nil
	}
	if err != nil {
		return err
	}
	key, err := in.store.MasterKey(ctx)
	if err != nil {
		return err
	}
	s := delivery.Secret{Name: own, Revision: 1, SetBy: delivery.System(), SetAt: time.Now().UTC()}
	if s.Sealed, err = in.vault.Seal(ctx, key, s, []byte(value)); err != nil {
		return err
	}
	return in.store.SetSecretOnce(ctx, s, name)
}

// rewrapSecrets ends what a change of the master key left undone.
func (in *instance) rewrapSecrets(ctx context.Context) error {
	n, err := in.engine.RewrapSecrets(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		in.log.Warn("secrets are sealed with an older master key: run `shiplock secret rotate-key` once that key is there", "err", err)
	case n > 0:
		in.log.Info("secrets were sealed with the new master key", "secrets", n)
	}
	return nil
}

// kubeconfig returns the content of a Cluster's kubeconfig where it is a secret, and
// nil where it is not.
func kubeconfig(ctx context.Context, vault *seal.Vault, c delivery.Cluster) ([]byte, error) {
	if c.KubeconfigSecret == "" {
		return nil, nil
	}
	content, err := vault.Open(ctx, c.KubeconfigSecret)
	if err != nil && delivery.KindOf(err) == delivery.NotFound {
		return nil, delivery.E(delivery.Unavailable, fmt.Sprintf("there is no secret %s, which holds the kubeconfig of Cluster %s: run `shiplock secret set %[1]s --from-file FILE`", c.KubeconfigSecret, c.Name))
	}
	if err == nil && len(content) == 0 {
		err = errors.New("it is empty")
	}
	return content, err
}

// sealAudit has the audit's head sealed with a key that is no part of the database. The
// head of an installation that had none is taken as it is.
func (in *instance) sealAudit(ctx context.Context) error {
	_, err := in.store.Secret(ctx, delivery.OwnSecret("audit.key"))
	anew := delivery.KindOf(err) == delivery.NotFound
	if err != nil && !anew {
		return err
	}
	key, err := in.secret(ctx, "audit.key")
	if err != nil {
		return err
	}
	return in.store.SealAudit(ctx, []byte(key), anew)
}
