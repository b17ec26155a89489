package store

import (
	"embed"
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Migrations are numbered without gaps from 0001, only go forward, and are never
// edited once released. They are written for SQLite, in words that a database's
// dialect can translate (see postgresDDL).
//
//go:embed migrations/*.sql
var migrations embed.FS

// chainMigration is followed by what SQL alone cannot do.
const chainMigration = "0009_audit_chain.sql"

// migrator is what differs in bringing a database up to date.
type migrator struct {
	// atomically runs do in a transaction beside which nobody else migrates.
	atomically func(do func(*tx) error) error
	// apply runs the statements of a migration.
	apply func(tx *tx, ddl string) error
}

// migrate applies what is missing, each migration in a transaction of its own.
func (m migrator) migrate() error {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	for done := 0; ; {
		err := m.atomically(func(tx *tx) (err error) {
			// Read inside the transaction: another process may be migrating too.
			if done, err = schemaVersion(tx); err != nil || done >= len(files) {
				return err
			}
			return m.step(tx, done+1, files[done].Name())
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
	if _, err := tx.exec(`CREATE TABLE IF NOT EXISTS migrations (number INTEGER NOT NULL PRIMARY KEY)`); err != nil {
		return 0, fmt.Errorf("create table migrations: %w", err)
	}
	err = tx.row(`SELECT COALESCE(MAX(number), 0) FROM migrations`).Scan(&n)
	return n, err
}

func (m migrator) step(tx *tx, number int, name string) error {
	text, err := migrations.ReadFile("migrations/" + name)
	if err != nil {
		return err
	}
	if err := m.apply(tx, string(text)); err != nil {
		return fmt.Errorf("migration %s: %w", name, err)
	}
	if name == chainMigration {
		if err := chainAudit(tx); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	_, err = tx.exec(`INSERT INTO migrations (number) VALUES ($1)`, number)
	return err
}
