package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// defaultLease is how long a replica is believed alive after it last renewed.
const defaultLease = 10 * time.Second

// Config says which database to open, and as whom.
type Config struct {
	// Path is the SQLite file; its folder must exist. Files named Path-wal,
	// Path-shm and Path.lock lie beside it.
	Path string
	// Lease is how long this replica is believed alive after a Renew; zero is 10 s.
	Lease time.Duration
	Now   func() time.Time
	// NewID names this replica; it must never return the same twice.
	NewID func() string
}

// Store is one replica's access to the database. All methods may be called
// concurrently.
//
// Errors are Conflict, NotFound, Unavailable (the disk is full or gone, or the
// database stays locked: the same call may succeed later) or Internal; or the
// cause of the caller's context. A write whose context ends while it is queued
// is never applied; once it has begun, the call waits for its outcome.
type Store struct {
	cfg     Config
	replica string
	lock    *fileLock
	writer  *writer
	reader  *reader
	signal  chan struct{}
	close   func() error

	exclusive atomic.Bool
}

// Open opens the database, making or migrating it as needed, and registers a
// replica with a fresh lease. It does not wait for other replicas: see
// WaitExclusive. But one that keeps the database locked for a whole lease has
// stopped in the middle of a write, and is ended. Conflict when a newer Shiplock
// wrote the database.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Lease == 0 {
		cfg.Lease = defaultLease
	}
	lock, err := openLock(cfg.Path + ".lock")
	if err != nil {
		return nil, classify(cfg.Path, err)
	}
	s := &Store{cfg: cfg, replica: cfg.NewID(), lock: lock, signal: make(chan struct{}, 1)}
	tx, err := s.enter(ctx)
	if err != nil {
		return nil, errors.Join(classify(cfg.Path, err), lock.close())
	}
	s.writer = startWriter(tx, cfg.Path, s.checkReplica)
	s.close = sync.OnceValue(s.shut)
	return s, nil
}

// enter opens the database for writing, with this replica registered in it. Each
// try waits for a while by itself when the database is locked.
func (s *Store) enter(ctx context.Context) (*tx, error) {
	for began := time.Now(); ; {
		tx, err := s.tryEnter(ctx)
		switch {
		case !busy(err) || ctx.Err() != nil:
			return tx, err
		case time.Since(began) < s.cfg.Lease:
		case s.lock.held:
			return nil, err // not by a server
		case !s.lock.tryLock():
			if err := s.lock.evict(); err != nil {
				return nil, err
			}
		}
	}
}

func (s *Store) tryEnter(ctx context.Context) (*tx, error) {
	tx, err := openTx(ctx, s.cfg.Path, s.cfg.Lease/2)
	if err != nil {
		return nil, err
	}
	if s.reader, err = s.prepare(tx); err != nil {
		return nil, errors.Join(err, tx.close())
	}
	return tx, nil
}

// prepare brings the database up to date and this replica into it, before the
// writer starts.
func (s *Store) prepare(tx *tx) (*reader, error) {
	if err := migrate(tx); err != nil {
		return nil, err
	}
	if err := s.register(tx); err != nil {
		return nil, fmt.Errorf("register replica: %w", err)
	}
	s.exclusive.Store(s.lock.held)
	return openReader(s.cfg.Path)
}

// Close gives this replica's wakes back, waits for the write under way, and
// closes the database. It may be called again.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	released := s.write(context.Background(), relaxed, func(tx *tx) error { return release(tx, s.replica) })
	if delivery.KindOf(released) == delivery.Conflict {
		released = nil // it was taken over; there is nothing left to give back
	}
	return errors.Join(released, s.writer.stop(), s.reader.close(), s.lock.close())
}

// write runs do in a transaction of its own or one shared with other writes; in
// either case it is applied wholly or not at all.
func (s *Store) write(ctx context.Context, d durability, do func(*tx) error) error {
	return s.writer.submit(ctx, d, do)
}

// now returns the present as it is compared with columns.
func (s *Store) now() int64 { return s.cfg.Now().UnixMilli() }

// millis converts a time to a column; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the inverse of millis.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
