package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertUser = `INSERT INTO users (version, doc, name, password, identity) VALUES ($1 + 1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	updateUser = `UPDATE users SET version = version + 1, doc = $2, password = $4, identity = $5 WHERE name = $3 AND version = $1`
	rehashUser = `UPDATE users SET password = $3, version = version + 1 WHERE name = $1 AND password = $2`
	selectUser = `SELECT doc, password, version FROM users`
)

func writeUser(u *delivery.User) (write, error) {
	return aggregate{
		name: "the user " + u.Name, insert: insertUser, update: updateUser, version: &u.Version, doc: u,
		cols: []any{u.Name, u.Password, u.Identity.Key()},
	}.write()
}

func scanUser(row scanner) (u delivery.User, err error) {
	var doc []byte
	var password string
	var version int64
	if err = row.Scan(&doc, &password, &version); err == nil {
		err = decode(doc, &u)
	}
	u.Password, u.Version = password, version
	return u, err
}

// User finds a user by name, or NotFound.
func (s *Store) User(ctx context.Context, name string) (delivery.User, error) {
	return mustOne(ctx, s.reader, "user "+name, scanUser, selectUser+` WHERE name = $1`, name)
}

// UserByIdentity finds who is somebody at an identity provider, or NotFound.
func (s *Store) UserByIdentity(ctx context.Context, id delivery.Identity) (delivery.User, error) {
	return mustOne(ctx, s.reader, "user of that identity", scanUser, selectUser+` WHERE identity = $1`, id.Key())
}

// Users lists all users by name.
func (s *Store) Users(ctx context.Context) ([]delivery.User, error) {
	return list(ctx, s.reader, scanUser, selectUser+` ORDER BY name`)
}

// Rehash keeps another hash of the same password; Conflict when it was changed
// meanwhile.
func (s *Store) Rehash(ctx context.Context, name, old, fresh string) error {
	return s.write(ctx, durable, func(tx *tx) error {
		n, err := tx.exec(rehashUser, name, old, fresh)
		if err == nil && n == 0 {
			err = conflict("the password of " + name)
		}
		return err
	})
}
