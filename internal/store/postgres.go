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
	// the transaction ends, and lets the lease be renewed. It also notes which of the
	// writer's changes this is.
	claimReplica = `WITH alive AS (SELECT id FROM replicas WHERE id = $1 FOR KEY SHARE)
		UPDATE commits SET n = $3 FROM alive WHERE replica = alive.id AND writer = $2`
	enterWriter = `INSERT INTO commits (replica, writer, n) VALUES ($1, $2, 0)`
	// lastCommit waits for a transaction of the writer that is still under way.
	lastCommit = `SELECT n FROM commits WHERE replica = $1 AND writer = $2 FOR UPDATE`
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
	free    chan *writerSlot // one for each connection that writes
	readers *sql.DB
	news    *news
	closing chan struct{}
}

// writerSlot is one of a replica's writers. Its changes follow one after the other.
type writerSlot struct{ id, n int64 }

func openPostgres(ctx context.Context, url string, r *replica) (database, *reader, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, nil, delivery.Wrap(delivery.Invalid, "this is no PostgreSQL address: write postgres://user:password@host:5432/database", err)
	}
	d := &postgres{
		name:    fmt.Sprintf("%s at %s", cfg.Database, cfg.Host),
		replica: r,
		free:    make(chan *writerSlot, postgresWriters),
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
	if err := d.transact(ctx, d.enter); err != nil {
		return fmt.Errorf("register replica: %w", err)
	}
	for i := range int64(postgresWriters) {
		d.free <- &writerSlot{id: i}
	}
	return nil
}

func (d *postgres) enter(tx *tx) error {
	for i := range postgresWriters {
		if _, err := tx.exec(enterWriter, d.replica.id, i); err != nil {
			return err
		}
	}
	return d.replica.enter(tx)
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
	var w *writerSlot
	select {
	case w = <-d.free:
		defer func() { d.free <- w }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	w.n++
	err := d.transact(ctx, func(tx *tx) error {
		n, err := tx.exec(claimReplica, d.replica.id, w.id, w.n)
		if err != nil {
			return err
		}
		if n == 0 {
			return errLeaseLost
		}
		return do(tx)
	})
	var lost *unanswered
	if errors.As(err, &lost) {
		return d.outcome(w)
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

// outcome asks the database what became of a writer's transaction whose COMMIT was
// not answered, for as long as it takes: the caller would otherwise forget wakes that
// are this replica's, or do twice what was done.
func (d *postgres) outcome(w *writerSlot) error {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		switch n, err := d.lastOf(w); {
		case errors.Is(err, sql.ErrNoRows):
			return errLeaseLost
		case err == nil && n == w.n:
			return nil
		case err == nil:
			return errRaced // it is not, and will not be
		}
		select {
		case <-time.After(pause):
		case <-d.closing:
			return errClosed()
		}
	}
}

func (d *postgres) lastOf(w *writerSlot) (n int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectLimit)
	defer cancel()
	err = d.writers.QueryRowContext(ctx, lastCommit, d.replica.id, w.id).Scan(&n)
	return n, err
}

// exclusive: replicas serve side by side.
func (d *postgres) exclusive() bool { return true }

func (d *postgres) awaitTurn(context.Context) error { return nil }

func (d *postgres) close() error {
	close(d.closing)
	return errors.Join(d.news.close(), d.writers.Close())
}
