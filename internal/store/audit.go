package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	auditColumns = `seq, at, hash, doc`
	insertAudit  = `INSERT INTO audit (seq, at, hash, doc) VALUES ($1, $2, $3, $4) ON CONFLICT (seq) DO NOTHING`
	listAudit    = `SELECT ` + auditColumns + ` FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2`
	auditAfter   = `SELECT ` + auditColumns + ` FROM audit WHERE seq > $1 AND at >= $2 ORDER BY seq LIMIT $3`
	oldestAudit  = `SELECT ` + auditColumns + ` FROM audit ORDER BY seq LIMIT $1`
	forgetAudit  = `DELETE FROM audit WHERE seq <= $1`

	selectAuditHead = `SELECT seq, hash, n, anchor_seq, anchor_hash, seal FROM audit_head WHERE id = 1`
	// lockAuditHead has other writers of the audit wait until the transaction ends, so
	// that the chain has one order.
	lockAuditHead   = selectAuditHead + ` FOR UPDATE`
	updateAuditHead = `UPDATE audit_head SET seq = $1, hash = $2, n = $3, anchor_seq = $4, anchor_hash = $5, seal = $6 WHERE id = 1`

	beforeChain     = `SELECT seq, doc FROM audit_before WHERE seq > $1 ORDER BY seq LIMIT $2`
	countBefore     = `SELECT COUNT(*), COALESCE(MAX(seq), 0) FROM audit_before`
	dropBeforeChain = `DROP TABLE audit_before`
)

// writeAudit appends an entry to the chain, in the transaction of what it is about.
func (s *Store) writeAudit(a delivery.AuditEntry) (write, error) {
	a.Seq, a.Hash = 0, "" // columns
	doc, err := encode(a)
	return write{
		apply: func(tx *tx) error {
			return s.changeHead(tx, func(h *delivery.AuditHead) error { return link(tx, h, millis(a.At), doc) })
		},
		committed: func() {},
	}, err
}

// maxForged bounds how many entries after the last one are stepped over.
const maxForged = 1000

// link makes a document the last entry. What somebody else put there stays, for the
// walk to find, and keeps nobody from working.
func link(tx *tx, h *delivery.AuditHead, at int64, doc string) error {
	h.Count++
	before := h.Hash
	for range maxForged {
		h.Seq++
		h.Hash = delivery.AuditHash(before, h.Seq, []byte(doc))
		if n, err := tx.exec(insertAudit, h.Seq, at, h.Hash, doc); n == 1 || err != nil {
			return err
		}
	}
	return delivery.E(delivery.Conflict, "somebody wrote into the table of the audit: see `shiplock audit verify`")
}

// changeHead changes the head and seals it again. One that somebody else changed stays
// without a seal, so that it shows.
func (s *Store) changeHead(tx *tx, do func(*delivery.AuditHead) error) error {
	h, err := scanAuditHead(tx.row(lockAuditHead))
	if err != nil {
		return err
	}
	key := s.auditKey.Load()
	genuine := key != nil && h.Genuine(*key)
	if err := do(&h); err != nil {
		return err
	}
	if h.Seal = ""; genuine {
		h.Seal = h.Sealed(*key)
	}
	return saveAuditHead(tx, h)
}

func saveAuditHead(tx *tx, h delivery.AuditHead) error {
	n, err := tx.exec(updateAuditHead, h.Seq, h.Hash, h.Count, h.AnchorSeq, h.AnchorHash, h.Seal)
	if err == nil && n != 1 {
		err = errors.New("the head of the audit is missing")
	}
	return err
}

func scanAuditHead(row scanner) (h delivery.AuditHead, err error) {
	err = row.Scan(&h.Seq, &h.Hash, &h.Count, &h.AnchorSeq, &h.AnchorHash, &h.Seal)
	return h, err
}

// SealAudit has the head of the audit sealed with a key from here on. With anew the
// head as it is now is taken for genuine, as it must be once when the key is made.
func (s *Store) SealAudit(ctx context.Context, key []byte, anew bool) error {
	s.auditKey.Store(&key)
	if !anew {
		return nil
	}
	return s.write(ctx, durable, func(tx *tx) error {
		h, err := scanAuditHead(tx.row(lockAuditHead))
		if err != nil {
			return err
		}
		h.Seal = h.Sealed(key)
		return saveAuditHead(tx, h)
	})
}

func scanAuditRecord(row scanner) (r delivery.AuditRecord, err error) {
	var doc []byte
	err = row.Scan(&r.Seq, &r.At, &r.Hash, &doc)
	r.Entry = doc
	return r, err
}

func scanAudit(row scanner) (a delivery.AuditEntry, err error) {
	r, err := scanAuditRecord(row)
	if err == nil {
		err = decode(r.Entry, &a)
	}
	a.Seq, a.Hash = r.Seq, r.Hash
	return a, err
}

// Audit lists audit entries with a lower Seq than beforeSeq (0: all), the newest
// first.
func (s *Store) Audit(ctx context.Context, beforeSeq int64, limit int) ([]delivery.AuditEntry, error) {
	if beforeSeq == 0 {
		beforeSeq = 1<<63 - 1
	}
	return list(ctx, s.reader, scanAudit, listAudit, beforeSeq, limit)
}

// AuditRecords lists entries after a sequence and since a time as they are kept, the
// oldest first.
func (s *Store) AuditRecords(ctx context.Context, afterSeq int64, since time.Time, limit int) ([]delivery.AuditRecord, error) {
	return list(ctx, s.reader, scanAuditRecord, auditAfter, afterSeq, millis(since), limit)
}

// auditPage bounds the memory of a walk.
const auditPage = 1000

// maxWalks bounds how often a walk begins anew because retention was faster.
const maxWalks = 10

// CheckAudit walks the whole chain. Others may write meanwhile.
func (s *Store) CheckAudit(ctx context.Context) (c delivery.AuditCheck, err error) {
	for range maxWalks {
		var moved bool
		if c, moved, err = s.walkAudit(ctx); err != nil || !moved {
			return c, err
		}
	}
	return c, delivery.E(delivery.Unavailable, "so much of the audit goes by its retention that it cannot be checked meanwhile: try again in a few minutes")
}

// walkAudit tells moved when the beginning of the chain went while it was walked.
func (s *Store) walkAudit(ctx context.Context) (c delivery.AuditCheck, moved bool, err error) {
	began, err := s.auditHead(ctx)
	if err != nil {
		return c, false, err
	}
	walk := delivery.NewAuditWalk(began)
	for {
		if err := s.addAll(ctx, walk); err != nil {
			return c, false, err
		}
		now, err := s.auditHead(ctx)
		if err != nil {
			return c, false, err
		}
		switch {
		case now.AnchorSeq != began.AnchorSeq:
			return c, true, nil
		case now.Seq > began.Seq: // others wrote
			began = now
			continue
		}
		var key []byte
		if k := s.auditKey.Load(); k != nil {
			key = *k
		}
		return walk.End(now, key), false, nil
	}
}

func (s *Store) auditHead(ctx context.Context) (delivery.AuditHead, error) {
	return mustOne(ctx, s.reader, "head of the audit", scanAuditHead, selectAuditHead)
}

func (s *Store) addAll(ctx context.Context, walk *delivery.AuditWalk) error {
	for {
		page, err := list(ctx, s.reader, scanAuditRecord, auditAfter, walk.Seq(), int64(-1<<62), auditPage)
		if err != nil {
			return err
		}
		for _, r := range page {
			walk.Add(r)
		}
		if len(page) < auditPage {
			return nil
		}
	}
}

// ForgetAudit removes the limit oldest audit entries, as far as they were made before
// a time. The chain then begins at the last of them.
func (s *Store) ForgetAudit(ctx context.Context, before time.Time, limit int) (gone int, err error) {
	entries, err := list(ctx, s.reader, scanAuditRecord, oldestAudit, limit)
	for i, e := range entries {
		if e.At >= millis(before) {
			entries = entries[:i]
			break
		}
	}
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	last := entries[len(entries)-1]
	err = s.write(ctx, relaxed, func(tx *tx) error {
		return s.changeHead(tx, func(h *delivery.AuditHead) error {
			n, err := tx.exec(forgetAudit, last.Seq)
			if gone = int(n); n > 0 {
				h.Count, h.AnchorSeq, h.AnchorHash = h.Count-n, last.Seq, last.Hash
			}
			return err
		})
	})
	return gone, err
}

// chainAudit takes over the entries from before there was a chain. Their numbers
// may have had gaps, where transactions were undone; the last one keeps its own.
func chainAudit(tx *tx) error {
	h, err := scanAuditHead(tx.row(selectAuditHead))
	if err != nil {
		return err
	}
	var n, last int64
	if err := tx.row(countBefore).Scan(&n, &last); err != nil {
		return err
	}
	h.Seq, h.AnchorSeq = last-n, last-n
	for after := int64(0); ; {
		type old struct {
			seq int64
			doc []byte
		}
		var page []old
		err := tx.each(beforeChain, []any{after, auditPage}, func(row scanner) error {
			var o old
			err := row.Scan(&o.seq, &o.doc)
			page = append(page, o)
			return err
		})
		if err != nil {
			return err
		}
		for _, o := range page {
			var e delivery.AuditEntry
			if err := decode(o.doc, &e); err != nil {
				return fmt.Errorf("audit entry %d: %w", o.seq, err)
			}
			if err := link(tx, &h, millis(e.At), string(o.doc)); err != nil {
				return err
			}
			after = o.seq
		}
		if len(page) < auditPage {
			break
		}
	}
	if err := saveAuditHead(tx, h); err != nil {
		return err
	}
	_, err = tx.exec(dropBeforeChain)
	return err
}
