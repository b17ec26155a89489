package store

import (
	"cmp"
	"slices"

	"github.com/shiplock/shiplock/internal/delivery"
)

// settlement is what a Change does to the queue of wakes.
type settlement struct {
	replica string
	now     int64
	done    *delivery.Claim
	due     []delivery.Ref
	at      map[delivery.Ref]int64

	claims []delivery.Claim // due now, and this replica's
	later  bool             // some wake waits for its time
}

// newSettlement folds wakes for the same ref into the earliest of them.
func newSettlement(replica string, now int64, c *delivery.Change) *settlement {
	s := &settlement{replica: replica, now: now, done: c.Done, at: make(map[delivery.Ref]int64, len(c.Wakes))}
	for _, w := range c.Wakes {
		due := now
		if !w.At.IsZero() {
			due = dueMillis(w.At)
		}
		at, seen := s.at[w.Ref]
		if !seen {
			s.due = append(s.due, w.Ref)
		}
		if !seen || due < at {
			s.at[w.Ref] = due
		}
	}
	// In one order, so that replicas that wake the same do not wait for each other.
	slices.SortFunc(s.due, func(a, b delivery.Ref) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return s
}

func (s *settlement) apply(tx *tx) error {
	if s.done != nil {
		if err := s.finish(tx, *s.done); err != nil {
			return err
		}
	}
	for _, ref := range s.due {
		if s.done != nil && ref == s.done.Ref {
			continue
		}
		if err := s.wake(tx, ref); err != nil {
			return err
		}
	}
	return nil
}

// finish completes the claim; a wake for its own ref says when to look again.
func (s *settlement) finish(tx *tx, c delivery.Claim) error {
	w, err := loadClaimed(tx, c, s.replica)
	if err != nil {
		return err
	}
	w, keep := w.finished(c, s.now, s.at[c.Ref])
	if !keep {
		return w.remove(tx)
	}
	s.note(w, w.owner != "")
	return w.save(tx)
}

func (s *settlement) wake(tx *tx, ref delivery.Ref) error {
	w, err := loadWake(tx, ref)
	if err != nil {
		return err
	}
	w, taken := w.woken(s.now, s.at[ref], s.replica)
	s.note(w, taken)
	return w.save(tx)
}

func (s *settlement) note(w wake, taken bool) {
	if taken {
		s.claims = append(s.claims, w.claim())
	}
	s.later = s.later || w.owner == ""
}
