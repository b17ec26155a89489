package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	// busyTimeout is how long a read or a write waits for another process at most.
	busyTimeout = 5 * time.Second
	// Caches are in KiB (negative means KiB rather than pages).
	writerCache = "-4096"
	readerCache = "-1024"
)

// sqliteTx is the one connection that writes.
type sqliteTx struct {
	tx
	db       *sql.DB
	conn     *sql.Conn
	prepared *prepared
}

func dataSource(path string, pragmas ...string) string {
	q := url.Values{"_pragma": pragmas, "_dqs": {"0"}}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	return u.String()
}

// busyPragma is busyTimeout, or a shorter one.
func busyPragma(limit time.Duration) string {
	return fmt.Sprintf("busy_timeout(%d)", min(busyTimeout, limit).Milliseconds())
}

// openSQLiteTx opens the connection; wait is how long it waits for another process.
func openSQLiteTx(ctx context.Context, path string, wait time.Duration) (*sqliteTx, error) {
	db, err := sql.Open("sqlite", dataSource(path,
		busyPragma(wait), "journal_mode(WAL)", "synchronous(FULL)", "cache_size("+writerCache+")", "mmap_size(0)"))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	t := &sqliteTx{db: db, conn: conn, prepared: &prepared{on: conn}}
	t.tx = tx{ctx: context.Background(), q: t.prepared}
	return t, nil
}

func (t *sqliteTx) close() error {
	return errors.Join(t.prepared.close(), t.conn.Close(), t.db.Close())
}

// script runs statements that are not kept prepared.
func (t *sqliteTx) script(text string) error {
	_, err := t.conn.ExecContext(context.Background(), text)
	return err
}

// atomically runs do in a transaction.
func (t *sqliteTx) atomically(do func(*tx) error) error {
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do(&t.tx)
	if err == nil {
		_, err = t.exec("COMMIT")
	}
	if err != nil {
		// SQLite may have rolled back already; then this fails, and says nothing new.
		_, _ = t.exec("ROLLBACK")
	}
	return err
}

// nested runs do so that its failure undoes do alone. broken says that the whole
// transaction is gone, as after a full disk.
func (t *sqliteTx) nested(do func() error) (err, broken error) {
	if _, err := t.exec("SAVEPOINT request"); err != nil {
		return err, err
	}
	err = do()
	if err != nil {
		_, broken = t.exec("ROLLBACK TO request")
	}
	if broken == nil {
		_, broken = t.exec("RELEASE request")
	}
	if broken != nil && err != nil {
		broken = err // what broke it, rather than what was found broken
	}
	return err, broken
}
