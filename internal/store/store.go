package store

import (
	"context"
	"errors"
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
	// URL names a PostgreSQL database instead. It may hold a password, which no
	// error repeats.
	URL string
	// Lease is how long this replica is believed alive after a Renew; zero is 10 s.
	// The clocks of replicas must agree to a fraction of it.
	Lease time.Duration
	Now   func() time.Time
	// NewID names this replica; it must never return the same twice.
	NewID func() string
}

// Store is one replica's access to the database. All methods may be called
// concurrently.
//
// Errors are Conflict, NotFound, Unavailable (the disk is full, the database is
// away or stays locked, the lease is lost: the same call may succeed later, or at
// another replica) or Internal; or the
// cause of the caller's context. A write whose context ends while it is queued
// is never applied; once it has begun, the call waits for its outcome.
type Store struct {
	replica *replica
	db      database
	reader  *reader
	signal  chan struct{}
	close   func() error
	// auditKey seals the head of the audit; nil before it is known.
	auditKey atomic.Pointer[[]byte]
}

// Open opens the database, making or migrating it as needed, and registers a
// replica with a fresh lease. It does not wait for other replicas: see AwaitTurn.
// But on SQLite, one that keeps the database locked for a whole lease has stopped
// in the middle of a write, and is ended. Conflict when a newer Shiplock wrote the
// database.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Lease == 0 {
		cfg.Lease = defaultLease
	}
	s := &Store{replica: &replica{id: cfg.NewID(), lease: cfg.Lease, clock: cfg.Now}, signal: make(chan struct{}, 1)}
	var err error
	if cfg.URL == "" {
		s.db, s.reader, err = openSQLite(ctx, cfg.Path, s.replica)
	} else {
		s.db, s.reader, err = openPostgres(ctx, cfg.URL, s.replica)
	}
	if err != nil {
		return nil, err
	}
	s.close = sync.OnceValue(s.shut)
	return s, nil
}

// Close gives this replica's wakes back, waits for the writes under way, and
// closes the database. It may be called again.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	released := s.write(context.Background(), relaxed, s.replica.leave)
	if errors.Is(released, errLeaseLost) {
		released = nil // it was taken over; there is nothing left to give back
	}
	s.db.tell(nil) // others may go on with it
	return errors.Join(released, s.reader.close(), s.db.close())
}

// Exclusive tells whether this replica may serve: on SQLite, whether it is the only
// one on the database's machine.
func (s *Store) Exclusive() bool { return s.db.exclusive() }

// WaitExclusive returns once this replica may serve. On SQLite that is when no other
// replica's lease is live, and what they held is then this one's. It keeps its own
// lease meanwhile.
func (s *Store) WaitExclusive(ctx context.Context) error {
	err := s.db.awaitTurn(ctx)
	if err == nil {
		s.poke()
	}
	return err
}

// Tell passes on to other replicas which aggregates changed, and to which version;
// nil says that there may be wakes to claim. It does not wait, and may get lost.
func (s *Store) Tell(changed map[delivery.Ref]int64) { s.db.tell(changed) }

// Hear calls heard with what other replicas tell, until ctx ends; nil says that
// something may have been missed. It must not block for long.
func (s *Store) Hear(ctx context.Context, heard func(changed map[delivery.Ref]int64)) error {
	return s.db.hear(ctx, func(changed map[delivery.Ref]int64) {
		if len(changed) == 0 {
			s.poke()
		}
		heard(changed)
	})
}

// write runs do in a transaction of its own or one shared with other writes; in
// either case it is applied wholly or not at all. do may run more than once.
func (s *Store) write(ctx context.Context, d durability, do func(*tx) error) error {
	return s.db.write(ctx, d, do)
}

// now returns the present as it is compared with columns.
func (s *Store) now() int64 { return s.replica.now() }

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
