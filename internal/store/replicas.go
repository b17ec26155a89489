package store

import (
	"context"
	"errors"
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
	forgetCommits = `DELETE FROM commits WHERE replica = $1`
)

// always is a time by which every lease has ended.
const always = math.MaxInt64

// replica is this process among those that share the database.
type replica struct {
	id    string
	lease time.Duration
	clock func() time.Time

	// renewed is when this replica last renewed its own lease. One that is late itself
	// is no judge of others: the database may have been away for all. spare is until
	// when the leases of others are not held against them.
	renewed atomic.Int64
	spare   atomic.Int64
}

func (r *replica) now() int64      { return r.clock().UnixMilli() }
func (r *replica) leaseEnd() int64 { return r.clock().Add(r.lease).UnixMilli() }

// part is a fraction of the lease.
func (r *replica) part(of int64) int64 { return r.lease.Milliseconds() / of }

// enter registers the replica. It may come right after the database was away, so
// others get the time to renew.
func (r *replica) enter(tx *tx) error {
	r.renewed.Store(r.now())
	r.spare.Store(r.now() + r.part(2))
	_, err := tx.exec(insertReplica, r.id, r.leaseEnd())
	return err
}

// leave gives back all that the replica holds.
func (r *replica) leave(tx *tx) error { return release(tx, r.id, always) }

func (r *replica) renew(tx *tx) error {
	_, err := tx.exec(renewReplica, r.id, r.leaseEnd())
	return err
}

// errLeaseLost refuses what is asked of a replica that was taken over from. Whoever
// asked may ask another one.
var errLeaseLost = delivery.E(delivery.Unavailable, "this server was silent for longer than its lease, and another one took over: ask that one")

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
	if _, err = tx.exec(releaseWakes, replica); err != nil {
		return err
	}
	_, err = tx.exec(forgetCommits, replica)
	return err
}

// Renew extends the replica's lease. Conflict means that it is lost for good and
// the process must end.
func (s *Store) Renew(ctx context.Context) error {
	err := s.write(ctx, relaxed, s.replica.renew)
	switch {
	case err == nil:
		s.replica.inTouch()
	case errors.Is(err, errLeaseLost):
		return delivery.E(delivery.Conflict, "this server was silent for longer than its lease, and another one took over: restart it")
	}
	return err
}

// inTouch notes that the lease was renewed. After a time without, all leases count
// anew before anybody is taken for dead.
func (r *replica) inTouch() {
	now := r.now()
	if now-r.renewed.Swap(now) > r.part(2) {
		r.spare.Store(now + r.part(1))
	}
}

func (r *replica) late() bool { return r.now()-r.renewed.Load() > r.part(2) }

// overdue is the time by which a lease must have ended for its replica to be dead.
func (r *replica) overdue(now int64) int64 {
	if r.late() || now < r.spare.Load() {
		return 0
	}
	return now
}

// lookAt is when to look whether a lease that ends at until was not renewed.
func (r *replica) lookAt(until int64) int64 {
	if r.late() {
		return max(until, r.now()+r.part(4))
	}
	return max(until, r.spare.Load())
}
