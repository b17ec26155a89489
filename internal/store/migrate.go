package store

import (
	"embed"
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Migrations are numbered without gaps from 0001, only go forward, and are never
// edited once released.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate applies what is missing, each migration in a transaction of its own.
func migrate(tx *tx) error {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	if _, err := tx.exec(`CREATE TABLE IF NOT EXISTS migrations (number INTEGER NOT NULL PRIMARY KEY)`); err != nil {
		return fmt.Errorf("create table migrations: %w", err)
	}
	for done := 0; ; {
		err := tx.atomically(func() (err error) {
			// Read inside the transaction: another process may be migrating too.
			if done, err = schemaVersion(tx); err != nil || done >= len(files) {
				return err
			}
			return step(tx, done+1, files[done].Name())
		})
		if err != nil {
			return err
		}
		if done == len(files) {
			return nil
		}
		if done > len(files) {
			return delivery.E(delivery.Conflict, fmt.Sprintf(
				"the database has schema %d and this program knows %d: it was used by a newer Shiplock; start that version, or restore a backup from before the upgrade",
				done, len(files)))
		}
	}
}

func schemaVersion(tx *tx) (n int, err error) {
	err = tx.row(`SELECT COALESCE(MAX(number), 0) FROM migrations`).Scan(&n)
	return n, err
}

func step(tx *tx, number int, name string) error {
	text, err := migrations.ReadFile("migrations/" + name)
	if err != nil {
		return err
	}
	if err := tx.script(string(text)); err != nil {
		return fmt.Errorf("migration %s: %w", name, err)
	}
	_, err = tx.exec(`INSERT INTO migrations (number) VALUES ($1)`, number)
	return err
}
