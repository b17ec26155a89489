package store

import (
	"context"
	"math"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertReplica = `INSERT INTO replicas (id, until) VALUES ($1, $2)`
	renewReplica  = `UPDATE replicas SET until = $2 WHERE id = $1`
	hasReplica    = `SELECT EXISTS (SELECT 1 FROM replicas WHERE id = $1)`
	deleteReplica = `DELETE FROM replicas WHERE id = $1`
	deadReplicas  = `SELECT id FROM replicas WHERE id <> $1 AND until <= $2`
	lastOther     = `SELECT COALESCE(MAX(until), 0) FROM replicas WHERE id <> $1`
	releaseWakes  = `UPDATE wakes SET owner = '' WHERE owner = $1`
)

// always is a time by which every lease has ended.
const always = math.MaxInt64

// Renew extends the replica's lease. Conflict means that it is lost for good and
// the process must end.
func (s *Store) Renew(ctx context.Context) error {
	return s.write(ctx, relaxed, func(tx *tx) error {
		_, err := tx.exec(renewReplica, s.replica, s.leaseEnd())
		return err
	})
}

func (s *Store) leaseEnd() int64 { return s.cfg.Now().Add(s.cfg.Lease).UnixMilli() }

// register enters this replica. Holding the lock, it is alone on this machine and
// takes everything over at once.
func (s *Store) register(tx *tx) error {
	return tx.atomically(func() error {
		if s.lock.tryLock() {
			if err := s.reap(tx, always); err != nil {
				return err
			}
		}
		_, err := tx.exec(insertReplica, s.replica, s.leaseEnd())
		return err
	})
}

// checkReplica guards every write: a replica that was taken for dead must not
// write beside the one that took over.
func (s *Store) checkReplica(tx *tx) error {
	var alive bool
	err := tx.row(hasReplica, s.replica).Scan(&alive)
	if err == nil && !alive {
		err = errLeaseLost()
	}
	return err
}

func errLeaseLost() error {
	return delivery.E(delivery.Conflict, "this server was silent for longer than its lease, and another one took over: restart it")
}

// reap removes the other replicas whose lease ended by then, and frees their wakes.
func (s *Store) reap(tx *tx, by int64) error {
	var dead []string
	err := tx.each(deadReplicas, []any{s.replica, by}, func(row scanner) error {
		id, err := scanValue[string](row)
		dead = append(dead, id)
		return err
	})
	for _, id := range dead {
		if err == nil {
			err = release(tx, id)
		}
	}
	return err
}

func release(tx *tx, replica string) error {
	if _, err := tx.exec(releaseWakes, replica); err != nil {
		return err
	}
	_, err := tx.exec(deleteReplica, replica)
	return err
}

// Exclusive tells whether this replica was alone on the database's machine when
// it was opened, or has become so in WaitExclusive.
func (s *Store) Exclusive() bool { return s.exclusive.Load() }

// WaitExclusive returns once no other replica's lease is live, having taken over
// what they held. It keeps its own lease meanwhile, and looks four times per lease.
func (s *Store) WaitExclusive(ctx context.Context) error {
	look := time.NewTicker(s.cfg.Lease / 4)
	defer look.Stop()
	for {
		alone, err := s.takeOver(ctx)
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
func (s *Store) takeOver(ctx context.Context) (alone bool, err error) {
	held := s.lock.tryLock()
	var until int64
	err = s.write(ctx, relaxed, func(tx *tx) error {
		if err := tx.row(lastOther, s.replica).Scan(&until); err != nil {
			return err
		}
		_, err := tx.exec(renewReplica, s.replica, s.leaseEnd())
		return err
	})
	switch {
	case err != nil:
		return false, err
	case held:
	case until > s.now(), until == 0 && s.lock.works():
		return false, nil // another one lives, or is just closing
	default:
		// A successor that finds the lock free takes this replica for dead, so the lock
		// must not stay with a sleeper. Where evict cannot reach the sleeper (another
		// machine, a file system without locks) the lease alone decides.
		held = s.lock.evict() == nil
	}
	by := s.now()
	if held {
		by = always
	}
	if err := s.write(ctx, relaxed, func(tx *tx) error { return s.reap(tx, by) }); err != nil {
		return false, err
	}
	s.exclusive.Store(held)
	s.poke()
	return true, nil
}
