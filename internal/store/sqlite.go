package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	hasReplica = `SELECT EXISTS (SELECT 1 FROM replicas WHERE id = $1)`
	lastOther  = `SELECT COALESCE(MAX(until), 0) FROM replicas WHERE id <> $1`
)

// sqliteFile is a database in a file, which one server at a time serves.
type sqliteFile struct {
	path    string
	replica *replica
	lock    *fileLock
	writer  *writer

	alone atomic.Bool
}

func openSQLite(ctx context.Context, path string, r *replica) (database, *reader, error) {
	lock, err := openLock(path + ".lock")
	if err != nil {
		return nil, nil, classifySQLite(path, err)
	}
	d := &sqliteFile{path: path, replica: r, lock: lock}
	tx, reads, err := d.enter(ctx)
	if err != nil {
		return nil, nil, errors.Join(classifySQLite(path, err), lock.close())
	}
	d.alone.Store(lock.held)
	d.writer = startWriter(tx, path, d.checkReplica)
	return d, reads, nil
}

// enter opens the database for writing, with this replica registered in it. Each
// try waits for a while by itself when the database is locked.
func (d *sqliteFile) enter(ctx context.Context) (*sqliteTx, *reader, error) {
	for began := time.Now(); ; {
		tx, reads, err := d.tryEnter(ctx)
		switch {
		case !busy(err) || ctx.Err() != nil:
			return tx, reads, err
		case time.Since(began) < d.replica.lease:
		case d.lock.held:
			return nil, nil, err // not by a server
		case !d.lock.tryLock():
			if err := d.lock.evict(); err != nil {
				return nil, nil, err
			}
		}
	}
}

func (d *sqliteFile) tryEnter(ctx context.Context) (*sqliteTx, *reader, error) {
	tx, err := openSQLiteTx(ctx, d.path, d.replica.lease/2)
	if err != nil {
		return nil, nil, err
	}
	reads, err := d.prepare(tx)
	if err != nil {
		return nil, nil, errors.Join(err, tx.close())
	}
	return tx, reads, nil
}

// prepare brings the database up to date and this replica into it, before the
// writer starts.
func (d *sqliteFile) prepare(t *sqliteTx) (*reader, error) {
	m := migrator{atomically: t.atomically, apply: func(_ *tx, ddl string) error { return t.script(ddl) }}
	if err := m.migrate(); err != nil {
		return nil, err
	}
	if err := t.atomically(d.register); err != nil {
		return nil, fmt.Errorf("register replica: %w", err)
	}
	return openSQLiteReader(d.path)
}

// register enters this replica. Holding the lock, it is alone on this machine and
// takes everything over at once.
func (d *sqliteFile) register(tx *tx) error {
	if d.lock.tryLock() {
		if err := d.replica.reap(tx, always); err != nil {
			return err
		}
	}
	return d.replica.enter(tx)
}

// maxReaders bounds the reads that run at once, and with them their memory.
const maxReaders = 4

// openSQLiteReader needs the database to exist. Its connections cannot write.
func openSQLiteReader(path string) (*reader, error) {
	db, err := sql.Open("sqlite", dataSource(path,
		busyPragma(busyTimeout), "query_only(1)", "cache_size("+readerCache+")", "mmap_size(0)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxReaders)
	db.SetMaxIdleConns(maxReaders)
	statements := &prepared{on: db}
	return &reader{
		querier:  statements,
		close:    func() error { return errors.Join(statements.close(), db.Close()) },
		classify: func(err error) error { return classifySQLite(path, err) },
	}, nil
}

// checkReplica guards every write: a replica that was taken for dead must not
// write beside the one that took over.
func (d *sqliteFile) checkReplica(tx *tx) error {
	var alive bool
	err := tx.row(hasReplica, d.replica.id).Scan(&alive)
	if err == nil && !alive {
		err = errLeaseLost
	}
	return err
}

func (d *sqliteFile) write(ctx context.Context, dur durability, do func(*tx) error) error {
	return d.writer.submit(ctx, dur, do)
}

func (d *sqliteFile) exclusive() bool { return d.alone.Load() }

// awaitTurn looks four times per lease.
func (d *sqliteFile) awaitTurn(ctx context.Context) error {
	look := time.NewTicker(d.replica.lease / 4)
	defer look.Stop()
	for {
		alone, err := d.takeOver(ctx)
		if alone || err != nil {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// takeOver takes over from all other replicas unless one of them is alive.
func (d *sqliteFile) takeOver(ctx context.Context) (alone bool, err error) {
	held := d.lock.tryLock()
	var until int64
	err = d.write(ctx, relaxed, func(tx *tx) error {
		if err := tx.row(lastOther, d.replica.id).Scan(&until); err != nil {
			return err
		}
		return d.replica.renew(tx)
	})
	switch {
	case err != nil:
		return false, err
	case held:
	case until > d.replica.now(), until == 0 && d.lock.works():
		return false, nil // another one lives, or is just closing
	default:
		// A successor that finds the lock free takes this replica for dead, so the lock
		// must not stay with a sleeper. Where evict cannot reach the sleeper (another
		// machine, a file system without locks) the lease alone decides.
		held = d.lock.evict() == nil
	}
	by := d.replica.now()
	if held {
		by = always
	}
	if err := d.write(ctx, relaxed, func(tx *tx) error { return d.replica.reap(tx, by) }); err != nil {
		return false, err
	}
	d.alone.Store(held)
	return true, nil
}

// tell: no other replica serves.
func (d *sqliteFile) tell(map[delivery.Ref]int64) {}

func (d *sqliteFile) hear(ctx context.Context, _ func(map[delivery.Ref]int64)) error {
	<-ctx.Done()
	return nil
}

func (d *sqliteFile) close() error { return errors.Join(d.writer.stop(), d.lock.close()) }
