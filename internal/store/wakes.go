package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	wakeColumns = `SELECT due_at, seq, owner, tries, why FROM wakes WHERE kind = $1 AND id = $2`
	selectWake  = wakeColumns
	lockWake    = wakeColumns + ` FOR UPDATE`
	insertWake  = `INSERT INTO wakes (kind, id, due_at, seq, owner, tries, why) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (kind, id) DO NOTHING`
	updateWake = `UPDATE wakes SET due_at = $3, seq = $4, owner = $5, tries = $6, why = $7 WHERE kind = $1 AND id = $2`
	deleteWake = `DELETE FROM wakes WHERE kind = $1 AND id = $2`

	takeWakes = `UPDATE wakes SET owner = $1 WHERE (kind, id) IN (
			SELECT kind, id FROM wakes WHERE owner = '' AND due_at <= $2 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
		RETURNING kind, id, seq, tries, due_at`
	// outlook tells whether this replica lives, when the next free wake is due, and
	// when another replica's lease ends that holds wakes.
	outlook = `SELECT EXISTS (SELECT 1 FROM replicas WHERE id = $1),
		(SELECT MIN(due_at) FROM wakes WHERE owner = ''),
		(SELECT MIN(until) FROM replicas r WHERE r.id <> $1 AND EXISTS (SELECT 1 FROM wakes w WHERE w.owner = r.id AND w.owner <> ''))`
)

// Signal is sent to when wakes may have become due, or a new one be the next to
// be due, that Commit did not hand out.
func (s *Store) Signal() <-chan struct{} { return s.signal }

func (s *Store) poke() {
	select {
	case s.signal <- struct{}{}:
	default: // it is pending already
	}
}

// Claim takes up to limit due wakes that no live replica holds, the longest due
// first. next is when it should be called again: when the earliest of the rest is
// due, or the lease of another replica that holds some may end; zero when neither.
func (s *Store) Claim(ctx context.Context, limit int) (claims []delivery.Claim, next time.Time, err error) {
	now := s.now()
	soonest, err := mustOne(ctx, s.reader, "replica", s.scanOutlook, outlook, s.replica.id)
	if err != nil || soonest == 0 || soonest > now {
		return nil, fromMillis(soonest), err // nothing to take, so nothing to write
	}
	err = s.write(ctx, relaxed, func(tx *tx) (err error) {
		if err = s.replica.reap(tx, s.replica.overdue(now)); err != nil {
			return err
		}
		if claims, err = s.take(tx, now, limit); err != nil {
			return err
		}
		soonest, err = s.scanOutlook(tx.row(outlook, s.replica.id))
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return claims, fromMillis(soonest), nil
}

// scanOutlook returns the earlier of the outlook's times, or 0.
func (s *Store) scanOutlook(row scanner) (int64, error) {
	var alive bool
	var due, until sql.NullInt64
	if err := row.Scan(&alive, &due, &until); err != nil {
		return 0, err
	}
	if !alive {
		return 0, errLeaseLost
	}
	if until.Valid {
		until.Int64 = s.replica.lookAt(until.Int64)
	}
	if !due.Valid || until.Valid && until.Int64 < due.Int64 {
		return until.Int64, nil
	}
	return due.Int64, nil
}

func (s *Store) take(tx *tx, now int64, limit int) ([]delivery.Claim, error) {
	type taken struct {
		claim delivery.Claim
		due   int64
	}
	var all []taken
	err := tx.each(takeWakes, []any{s.replica.id, now, limit}, func(row scanner) error {
		var t taken
		err := row.Scan(&t.claim.Ref.Kind, &t.claim.Ref.ID, &t.claim.Seq, &t.claim.Tries, &t.due)
		all = append(all, t)
		return err
	})
	// The rows of an UPDATE come in no order.
	slices.SortStableFunc(all, func(a, b taken) int { return int(min(max(a.due-b.due, -1), 1)) })
	claims := make([]delivery.Claim, len(all))
	for i, t := range all {
		claims[i] = t.claim
	}
	return claims, err
}

// PutOff gives a claimed wake back, due at the given time, with the reason for
// people. A wake that came meanwhile is kept: it is due at once. Conflict when the
// wake was lost.
func (s *Store) PutOff(ctx context.Context, c delivery.Claim, at time.Time, why string) error {
	err := s.write(ctx, relaxed, func(tx *tx) error {
		w, err := loadClaimed(tx, c, s.replica.id)
		if err != nil {
			return err
		}
		return w.putOff(c, s.now(), dueMillis(at), why).save(tx)
	})
	if err == nil {
		s.poke()
	}
	return err
}

// WakeWhy tells why an aggregate's wake was last put off, when it is due and how
// often in a row it was put off; ok is false when none waits.
func (s *Store) WakeWhy(ctx context.Context, ref delivery.Ref) (why string, due time.Time, tries int, ok bool, err error) {
	w, ok, err := one(ctx, s.reader, scanWake, selectWake, string(ref.Kind), ref.ID)
	return w.why, fromMillis(w.due), w.tries, ok, err
}

// dueMillis rounds up: a wake that comes a fraction of a millisecond early would
// find nothing to do.
func dueMillis(at time.Time) int64 { return at.Add(time.Millisecond - 1).UnixMilli() }
