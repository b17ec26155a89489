package store

import (
	"database/sql"
	"errors"

	"github.com/shiplock/shiplock/internal/delivery"
)

// wake is one row of the queue. At most one replica works on a ref at a time: its
// owner. A wake that comes meanwhile counts seq up, so that the owner sees it when
// it is done.
type wake struct {
	ref   delivery.Ref
	due   int64
	seq   int64
	owner string
	tries int
	why   string

	kept bool // it is in the table
}

func (w wake) claim() delivery.Claim { return delivery.Claim{Ref: w.ref, Seq: w.seq, Tries: w.tries} }

// woken returns the wake after another call for it, due at the given time, and
// whether the replica that called owns it from here on.
func (w wake) woken(now, due int64, replica string) (_ wake, taken bool) {
	if w.seq == 0 || due < w.due {
		w.due = due
	}
	w.seq++
	if w.owner == "" && w.due <= now {
		w.owner = replica
		return w, true
	}
	return w, false
}

// finished returns the wake after its claim was done, with the time at which it
// asked to be woken again (0: not). keep is false when nothing is left of it.
func (w wake) finished(c delivery.Claim, now, again int64) (_ wake, keep bool) {
	moved := c.Seq < w.seq
	w.tries, w.why = 0, ""
	switch {
	case moved || again != 0 && again <= now:
		w.due = now // the owner goes on with it
	case again != 0:
		w.due, w.owner = again, ""
	default:
		return w, false
	}
	if again != 0 {
		w.seq++
	}
	return w, true
}

// putOff returns the wake after its claim was given back.
func (w wake) putOff(c delivery.Claim, now, due int64, why string) wake {
	if c.Seq < w.seq {
		due = now
	}
	w.due, w.owner, w.why = due, "", why
	w.tries++
	return w
}

func scanWake(row scanner) (w wake, err error) {
	err = row.Scan(&w.due, &w.seq, &w.owner, &w.tries, &w.why)
	return w, err
}

// loadWake returns a wake of seq 0 when there is none. Nobody else changes it until
// the transaction ends.
func loadWake(tx *tx, ref delivery.Ref) (wake, error) {
	w, err := scanWake(tx.row(lockWake, string(ref.Kind), ref.ID))
	w.ref, w.kept = ref, err == nil
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return w, err
}

// loadClaimed returns the wake of a claim that the replica still holds, or Conflict.
func loadClaimed(tx *tx, c delivery.Claim, replica string) (wake, error) {
	w, err := loadWake(tx, c.Ref)
	if err == nil && (w.owner != replica || c.Seq > w.seq) {
		err = delivery.E(delivery.Conflict, "the work on "+c.Ref.String()+" was taken over by another server, or was done before")
	}
	return w, err
}

// save writes a wake that was loaded from the table, or is new to it.
func (w wake) save(tx *tx) error {
	query := updateWake
	if !w.kept {
		query = insertWake
	}
	n, err := tx.exec(query, string(w.ref.Kind), w.ref.ID, w.due, w.seq, w.owner, w.tries, w.why)
	if err == nil && n == 0 {
		err = errRaced // another replica made it meanwhile
	}
	return err
}

func (w wake) remove(tx *tx) error {
	_, err := tx.exec(deleteWake, string(w.ref.Kind), w.ref.ID)
	return err
}
