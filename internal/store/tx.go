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

// tx is the one connection that writes, with its statements kept prepared. It is
// used by one goroutine at a time. Its calls take no context: a transaction is
// shared by callers, and must not fail because one of them gave up.
type tx struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
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

// openTx opens the connection; wait is how long it waits for another process.
func openTx(ctx context.Context, path string, wait time.Duration) (*tx, error) {
	db, err := sql.Open("sqlite", dataSource(path,
		busyPragma(wait), "journal_mode(WAL)", "synchronous(FULL)", "cache_size("+writerCache+")", "mmap_size(0)"))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return &tx{db: db, conn: conn, stmts: make(map[string]*sql.Stmt)}, nil
}

func (t *tx) close() error {
	var errs []error
	for _, s := range t.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, t.conn.Close(), t.db.Close())...)
}

// stmt prepares each query once: queries are constants, so they are few.
func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if s := t.stmts[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row runs a query of at most one row.
func (t *tx) row(query string, args ...any) scanner {
	s, err := t.stmt(query)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRow(args...)
}

// each calls scan for every row of a query.
func (t *tx) each(query string, args []any, scan func(scanner) error) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.Query(args...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

// script runs statements that are not kept prepared.
func (t *tx) script(text string) error {
	_, err := t.conn.ExecContext(context.Background(), text)
	return err
}

// atomically runs do in a transaction.
func (t *tx) atomically(do func() error) error {
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
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
func (t *tx) nested(do func() error) (err, broken error) {
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

// scanner is a row that was or was not found.
type scanner interface{ Scan(dest ...any) error }

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

func eachRow(rows *sql.Rows, scan func(scanner) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
