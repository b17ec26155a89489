package store

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertReplica = `INSERT INTO replicas (id, until) VALUES ($1, $2)`
	renewReplica  = `UPDATE replicas SET until = $2 WHERE id = $1`
	deleteReplica = `DELETE FROM replicas WHERE id = $1 AND until <= $2`
	deadReplicas  = `SELECT id FROM replicas WHERE id <> $1 AND until <= $2`
	releaseWakes  = `UPDATE wakes SET owner = '' WHERE owner = $1`
)

// always is a time by which every lease has ended.
const always = math.MaxInt64

// replica is this process among those that share the database.
type replica struct {
	id    string
	lease time.Duration
	clock func() time.Time

	// away is set while the database does not answer, and spare is until when the
	// leases of others are then not held against them: they were as cut off from it.
	away  atomic.Bool
	spare atomic.Int64
}

func (r *replica) now() int64      { return r.clock().UnixMilli() }
func (r *replica) leaseEnd() int64 { return r.clock().Add(r.lease).UnixMilli() }

// enter registers the replica. It may come right after the database was away, so
// others get the time to renew.
func (r *replica) enter(tx *tx) error {
	r.spare.Store(r.clock().Add(r.lease / 2).UnixMilli())
	_, err := tx.exec(insertReplica, r.id, r.leaseEnd())
	return err
}

// leave gives back all that the replica holds.
func (r *replica) leave(tx *tx) error { return release(tx, r.id, always) }

func (r *replica) renew(tx *tx) error {
	_, err := tx.exec(renewReplica, r.id, r.leaseEnd())
	return err
}

func errLeaseLost() error {
	return delivery.E(delivery.Conflict, "this server was silent for longer than its lease, and another one took over: restart it")
}

// reap removes the other replicas whose lease ended by then, and frees their wakes.
func (r *replica) reap(tx *tx, by int64) error {
	var dead []string
	err := tx.each(deadReplicas, []any{r.id, by}, func(row scanner) error {
		id, err := scanValue[string](row)
		dead = append(dead, id)
		return err
	})
	for _, id := range dead {
		if err == nil {
			err = release(tx, id, by)
		}
	}
	return err
}

// release does nothing when the replica has renewed its lease meanwhile.
func release(tx *tx, replica string, by int64) error {
	n, err := tx.exec(deleteReplica, replica, by)
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.exec(releaseWakes, replica)
	return err
}

// Renew extends the replica's lease. Conflict means that it is lost for good and
// the process must end.
func (s *Store) Renew(ctx context.Context) error {
	err := s.write(ctx, relaxed, s.replica.renew)
	s.replica.note(err)
	return err
}

// note watches for the database being away. Once it is back, all leases count anew
// before anybody takes over.
func (r *replica) note(err error) {
	switch {
	case delivery.KindOf(err) == delivery.Unavailable:
		r.away.Store(true)
	case err == nil && r.away.CompareAndSwap(true, false):
		r.spare.Store(r.leaseEnd())
	}
}

// overdue is the time by which a lease must have ended for its replica to be dead.
func (r *replica) overdue(now int64) int64 {
	if r.away.Load() || now < r.spare.Load() {
		return 0
	}
	return now
}

// lookAt is when to look whether a lease that ends at until was not renewed.
func (r *replica) lookAt(until int64) int64 {
	if r.away.Load() {
		return max(until, r.clock().Add(r.lease/4).UnixMilli())
	}
	return max(until, r.spare.Load())
}
