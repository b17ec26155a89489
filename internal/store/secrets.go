package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertSecret = `INSERT INTO secrets (version, doc, name, master) VALUES ($1 + 1, $2, $3, $4) ON CONFLICT (name) DO NOTHING`
	updateSecret = `UPDATE secrets SET version = version + 1, doc = $2, master = $4 WHERE name = $3 AND version = $1`
	deleteSecret = `DELETE FROM secrets WHERE name = $2 AND version = $1`
	selectSecret = `SELECT doc, version FROM secrets WHERE name = $1`
	listSecrets  = `SELECT doc, version FROM secrets ORDER BY name`
	// notUnder finds what another master key wraps.
	notUnder = `SELECT doc, version FROM secrets WHERE master <> $1 ORDER BY name LIMIT $2`

	// metaMasterKey names the master key that secrets are sealed with.
	metaMasterKey = "secrets.key"
	// holdMasterKey keeps it from being replaced until the transaction ends.
	holdMasterKey = `SELECT value FROM meta WHERE key = $1 FOR SHARE`
	swapMasterKey = `UPDATE meta SET value = $3 WHERE key = $1 AND value = $2`
	takeMeta      = `DELETE FROM meta WHERE key = $1`
)

var scanSecret = scanVersioned(func(s *delivery.Secret) *int64 { return &s.Version })

// writeSecret refuses what is sealed with another master key than the present one: the
// other one may be about to go.
func writeSecret(c *delivery.SecretChange) (write, error) {
	s := &c.Secret
	a := aggregate{
		name: "secret " + s.Name, insert: insertSecret, update: updateSecret, version: &s.Version, doc: s,
		cols: []any{s.Name, s.Sealed.Key},
	}
	if c.Delete {
		args := []any{s.Version, s.Name}
		return write{
			apply:     func(tx *tx) error { return a.swap(tx, deleteSecret, args) },
			committed: func() {},
		}, nil
	}
	w, err := a.write()
	swap := w.apply
	w.apply = func(tx *tx) error {
		if err := checkMasterKey(tx, s.Sealed.Key); err != nil {
			return err
		}
		return swap(tx)
	}
	return w, err
}

func checkMasterKey(tx *tx, key string) error {
	var current string
	err := tx.row(holdMasterKey, metaMasterKey).Scan(&current)
	if err == nil && current != key || errors.Is(err, sql.ErrNoRows) {
		err = conflict("the master key of secrets")
	}
	return err
}

func writeMasterKey(c *delivery.MasterKeyChange) write {
	return write{
		apply: func(tx *tx) error {
			n, err := tx.exec(swapMasterKey, metaMasterKey, c.From, c.To)
			if err == nil && n == 0 {
				err = conflict("the master key of secrets")
			}
			return err
		},
		committed: func() {},
	}
}

// Secret finds a secret, or NotFound.
func (s *Store) Secret(ctx context.Context, name string) (delivery.Secret, error) {
	return mustOne(ctx, s.reader, "secret "+name, scanSecret, selectSecret, name)
}

// Secrets lists the secrets by name.
func (s *Store) Secrets(ctx context.Context) ([]delivery.Secret, error) {
	return list(ctx, s.reader, scanSecret, listSecrets)
}

// SecretsNotUnder lists secrets that another master key wraps, at most limit.
func (s *Store) SecretsNotUnder(ctx context.Context, key string, limit int) ([]delivery.Secret, error) {
	return list(ctx, s.reader, scanSecret, notUnder, key, limit)
}

// MasterKey names the master key that secrets are sealed with, or NotFound.
func (s *Store) MasterKey(ctx context.Context) (string, error) { return s.Meta(ctx, metaMasterKey) }

// SetMasterKeyOnce names it unless it is named, and returns which it is then.
func (s *Store) SetMasterKeyOnce(ctx context.Context, key string) (string, error) {
	return s.SetMetaOnce(ctx, metaMasterKey, key)
}

// SetSecretOnce sets a secret that is not set yet. What was kept in the clear below
// the name of a setting goes in the same transaction.
func (s *Store) SetSecretOnce(ctx context.Context, secret delivery.Secret, replaces string) error {
	doc, err := encode(secret)
	if err != nil {
		return err
	}
	return s.write(ctx, durable, func(tx *tx) error {
		if err := checkMasterKey(tx, secret.Sealed.Key); err != nil {
			return err
		}
		if _, err := tx.exec(insertSecret, int64(0), doc, secret.Name, secret.Sealed.Key); err != nil {
			return err
		}
		_, err := tx.exec(takeMeta, replaces)
		return err
	})
}
