package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// Connections of one replica, beside one that listens. Writes wait in line for
	// one of theirs.
	postgresWriters = 8
	postgresReaders = 8
	// connectLimit bounds one try to connect, transactLimit one transaction.
	connectLimit  = 5 * time.Second
	transactLimit = 30 * time.Second
	// maxRaces bounds how often a transaction is run again at once because another
	// one was in its way.
	maxRaces = 50

	oldestPostgres = 13

	// claimReplica guards every write: a replica that was taken for dead must not
	// write beside the one that took over. The lock keeps that from happening until
	// the transaction ends, and lets the lease be renewed.
	claimReplica = `SELECT pg_current_xact_id()::text FROM replicas WHERE id = $1 FOR KEY SHARE`
	// lockMigrations is held by the transaction that migrates; the number is ours.
	lockMigrations = `SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7265433906142001)`
	serverFacts    = `SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')`
)

// postgres is a database that several replicas serve at once. Each transaction has
// a connection of its own; rows are locked where two could decide on the same.
type postgres struct {
	name    string // without secrets
	replica *replica
	writers *sql.DB
	readers *sql.DB
	news    *news
	closing chan struct{}
}

func openPostgres(ctx context.Context, url string, r *replica) (database, *reader, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, nil, delivery.Wrap(delivery.Invalid, "this is no PostgreSQL address: write postgres://user:password@host:5432/database", err)
	}
	d := &postgres{
		name:    fmt.Sprintf("%s at %s", cfg.Database, cfg.Host),
		replica: r,
		closing: make(chan struct{}),
	}
	d.configure(cfg)
	d.writers, d.readers = pool(*cfg, postgresWriters), pool(readOnly(*cfg), postgresReaders)
	if err := d.prepare(ctx); err != nil {
		return nil, nil, errors.Join(d.classify(err), d.writers.Close(), d.readers.Close())
	}
	d.news = startNews(cfg, r.id)
	return d, &reader{querier: rereading{d.readers}, close: d.readers.Close, classify: d.classify}, nil
}

// configure limits how long this replica may keep others waiting: a process that
// is stopped in the middle of a transaction loses it well within its lease.
func (d *postgres) configure(cfg *pgx.ConnConfig) {
	limit := strconv.FormatInt(max(d.replica.lease/2, 500*time.Millisecond).Milliseconds(), 10)
	cfg.RuntimeParams["application_name"] = "shiplock " + d.replica.id
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = limit
	cfg.RuntimeParams["lock_timeout"] = limit
	cfg.RuntimeParams["default_transaction_isolation"] = "read committed"
	if cfg.ConnectTimeout == 0 || cfg.ConnectTimeout > connectLimit {
		cfg.ConnectTimeout = connectLimit
	}
	cfg.DialFunc = dial
}

func readOnly(cfg pgx.ConnConfig) pgx.ConnConfig {
	c := *cfg.Copy()
	c.RuntimeParams["default_transaction_read_only"] = "on"
	return c
}

func pool(cfg pgx.ConnConfig, size int) *sql.DB {
	db := stdlib.OpenDB(cfg)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db
}

// prepare brings the database up to date and this replica into it.
func (d *postgres) prepare(ctx context.Context) error {
	if err := d.checkServer(ctx); err != nil {
		return err
	}
	m := migrator{
		atomically: func(do func(*tx) error) error {
			return d.transact(ctx, func(tx *tx) error {
				if _, err := tx.exec(lockMigrations); err != nil {
					return err
				}
				return do(tx)
			})
		},
		apply: func(tx *tx, ddl string) error { _, err := tx.exec(postgresDDL.Replace(ddl)); return err },
	}
	if err := m.migrate(); err != nil {
		return err
	}
	if err := d.transact(ctx, d.replica.enter); err != nil {
		return fmt.Errorf("register replica: %w", err)
	}
	return nil
}

// postgresDDL translates migrations. Text is compared byte by byte, as SQLite does
// it, whatever the database's language.
var postgresDDL = strings.NewReplacer(
	" STRICT, WITHOUT ROWID", "", " STRICT", "", " WITHOUT ROWID", "",
	" INTEGER PRIMARY KEY", " BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
	" INTEGER", " BIGINT", " TEXT", ` TEXT COLLATE "C"`,
)

func (d *postgres) checkServer(ctx context.Context) error {
	var version int
	var encoding string
	if err := d.writers.QueryRowContext(ctx, serverFacts).Scan(&version, &encoding); err != nil {
		return err
	}
	if version < oldestPostgres {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the database %s is PostgreSQL %d: Shiplock needs %d or newer", d.name, version, oldestPostgres))
	}
	if encoding != "UTF8" {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the database %s has the encoding %s: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", d.name, encoding))
	}
	return nil
}

// write has no use for relaxed durability: after a crash of the database, which
// this process may outlive, nobody would do again what it was doing.
func (d *postgres) write(ctx context.Context, _ durability, do func(*tx) error) error {
	for races := 0; ; races++ {
		err := d.attempt(ctx, do)
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
			return cause // the caller's, whatever it is
		}
		if races == maxRaces || !raced(err) {
			return d.classify(err)
		}
		select {
		case <-time.After(rand.N(time.Duration(races+1) * time.Millisecond)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (d *postgres) attempt(ctx context.Context, do func(*tx) error) error {
	var id string
	err := d.transact(ctx, func(tx *tx) error {
		err := tx.row(claimReplica, d.replica.id).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return errLeaseLost()
		}
		if err != nil {
			return err
		}
		return do(tx)
	})
	var lost *unanswered
	if errors.As(err, &lost) {
		return d.outcome(id, err)
	}
	return err
}

// unanswered is a COMMIT that may or may not have happened.
type unanswered struct{ err error }

func (e *unanswered) Error() string { return "no answer to COMMIT: " + e.err.Error() }
func (e *unanswered) Unwrap() error { return e.err }

// transact runs do in a transaction. ctx counts until there is a connection.
func (d *postgres) transact(ctx context.Context, do func(*tx) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	conn, err := d.writers.Conn(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	defer conn.Close()
	own, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), transactLimit, errTransactLimit())
	defer cancel()
	sqlTx, err := conn.BeginTx(own, nil)
	if err != nil {
		return brokenOff(own, conn, err)
	}
	if err := do(&tx{ctx: own, q: sqlTx}); err != nil {
		_ = sqlTx.Rollback() // without a connection it is rolled back all the same
		return brokenOff(own, conn, err)
	}
	err = sqlTx.Commit()
	if err != nil && !refused(err) {
		err = &unanswered{err}
	}
	return err
}

// brokenOff tells a transaction that failed from one that lost its connection, and
// with it all that it did.
func brokenOff(own context.Context, conn *sql.Conn, err error) error {
	if own.Err() != nil {
		return context.Cause(own)
	}
	gone := conn.Raw(func(c any) error {
		if c.(*stdlib.Conn).Conn().IsClosed() {
			return errRaced
		}
		return nil
	})
	if gone != nil {
		return errors.Join(errRaced, err)
	}
	return err
}

func errTransactLimit() error {
	return delivery.E(delivery.Unavailable, fmt.Sprintf("the database did not answer within %s: look at its load", transactLimit))
}

// outcome asks the database what became of a transaction whose COMMIT was not
// answered, for as long as it takes: the caller would otherwise forget wakes that
// are this replica's, or do twice what was done.
func (d *postgres) outcome(id string, lost error) error {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		switch status, err := d.statusOf(id); {
		case err != nil: // it is still away
		case status == "committed":
			return nil
		case status == "aborted":
			return errRaced
		case status != "in progress": // it does not remember, or is another one
			return delivery.Wrap(delivery.Unavailable, "the database cannot tell whether a change was kept: look before you repeat it", lost)
		}
		select {
		case <-time.After(pause):
		case <-d.closing:
			return errClosed()
		}
	}
}

func (d *postgres) statusOf(id string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectLimit)
	defer cancel()
	var status sql.NullString
	err := d.readers.QueryRowContext(ctx, `SELECT pg_xact_status($1::text::xid8)`, id).Scan(&status)
	return status.String, err
}

// exclusive: replicas serve side by side.
func (d *postgres) exclusive() bool { return true }

func (d *postgres) awaitTurn(context.Context) error { return nil }

func (d *postgres) close() error {
	close(d.closing)
	return errors.Join(d.news.close(), d.writers.Close())
}
