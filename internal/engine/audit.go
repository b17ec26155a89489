package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// AuditTrail is the audit as it is kept.
type AuditTrail interface {
	// AuditRecords lists entries after a sequence and since a time, the oldest first.
	AuditRecords(ctx context.Context, afterSeq int64, since time.Time, limit int) ([]delivery.AuditRecord, error)
	// CheckAudit walks the whole chain.
	CheckAudit(ctx context.Context) (delivery.AuditCheck, error)
}

// AuditRecords lists entries as they are kept, for exports.
func (e *Engine) AuditRecords(ctx context.Context, p Principal, afterSeq int64, since time.Time, limit int) ([]delivery.AuditRecord, error) {
	if err := e.Allow(ctx, p, delivery.CmdAuditRead, delivery.Everything("audit")); err != nil {
		return nil, err
	}
	return e.store.AuditRecords(ctx, afterSeq, since, limit)
}

// CheckAudit looks for what was removed, altered, inserted or exchanged.
func (e *Engine) CheckAudit(ctx context.Context, p Principal) (delivery.AuditCheck, error) {
	if err := e.Allow(ctx, p, delivery.CmdAuditRead, delivery.Everything("audit")); err != nil {
		return delivery.AuditCheck{}, err
	}
	return e.store.CheckAudit(ctx)
}

// LoggedIn notes in the audit that somebody logged in, and what they got.
func (e *Engine) LoggedIn(ctx context.Context, p Principal, got string) {
	e.append(ctx, delivery.AuditEntry{
		At: e.now(), Actor: p.Actor, Address: p.Address, Command: delivery.CmdLogIn, Subject: got, Rule: "credentials",
	})
}

// LogInFailed notes that somebody could not log in as a user; "" is who did not say as
// whom.
func (e *Engine) LogInFailed(ctx context.Context, user, from string, refusal error) {
	user = cmp.Or(user, "unknown")
	e.note(ctx, delivery.AuditEntry{
		Actor: delivery.Actor{Kind: delivery.ActorUser, Name: user[:min(len(user), maxUser)]}, Address: from,
		Command: delivery.CmdLogIn, Subject: "session", Refused: true, Detail: clip(refusal.Error()),
	})
}

// maxUser bounds what a stranger may have written down as a name, in bytes.
const maxUser = 64

// refuse notes a refusal of a command that matters.
func (e *Engine) refuse(ctx context.Context, p Principal, cmd delivery.Command, on delivery.Object, refusal error) {
	if delivery.KindOf(refusal) != delivery.Denied || !cmd.Sensitive() {
		return
	}
	e.note(ctx, delivery.AuditEntry{
		Actor: p.Actor, Address: p.Address, Command: cmd, Subject: on.String(), Refused: true, Detail: clip(refusal.Error()),
	})
}

// note writes an entry that belongs to no change. When too many come, some are left
// out and counted: nobody may fill the database by being refused.
func (e *Engine) note(ctx context.Context, a delivery.AuditEntry) {
	a.At = e.now()
	left, ok := e.notes.take(a.At)
	if !ok {
		return
	}
	if left > 0 {
		a.Detail = strings.TrimSpace(a.Detail + " " + leftOut(left))
	}
	e.append(ctx, a)
}

func (e *Engine) append(ctx context.Context, a delivery.AuditEntry) {
	if _, err := e.commit(ctx, &delivery.Change{Audit: []delivery.AuditEntry{a}}); err != nil && ctx.Err() == nil {
		e.cfg.Log.Warn("an audit entry was not written", "command", string(a.Command), "actor", a.Actor.String(), "err", err)
	}
}

// Limits of entries that belong to no change.
const (
	notesAtOnce = 60
	noteEvery   = 2 * time.Second
)

// notes is a bucket of notesAtOnce that fills by one every noteEvery.
type notes struct {
	mu    sync.Mutex
	spent int
	since time.Time
	left  int
}

// take tells whether one more may be written, and how many were left out before it.
func (n *notes) take(now time.Time) (left int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if refill := int(now.Sub(n.since) / noteEvery); refill > 0 {
		n.spent, n.since = max(0, n.spent-refill), now
	}
	if n.spent >= notesAtOnce {
		n.left++
		return 0, false
	}
	n.spent++
	left, n.left = n.left, 0
	return left, true
}

func leftOut(n int) string { return fmt.Sprintf("(%d more before it were left out)", n) }

// maxDetail bounds what an entry says besides.
const maxDetail = 1000

func clip(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	return strings.ToValidUTF8(s[:maxDetail], "") + "…"
}

// witness completes the audit entries of a draft: from where, and what differs.
func (d *draft) witness(p Principal) {
	for i := range d.extra.Audit {
		a := &d.extra.Audit[i]
		a.Address = p.Address
		if a.Changes == nil && len(d.extra.Audit) == 1 {
			a.Changes = d.differences()
		}
	}
}

// differences lists what the draft changes, object by object.
func (d *draft) differences() []delivery.Difference {
	var all []delivery.Difference
	for _, l := range d.releases {
		all = append(all, differences(l, l.after.Ref(), l.before.ID == "")...)
	}
	for _, l := range d.targets {
		all = append(all, differences(l, l.after.Ref(), false)...)
	}
	for _, l := range d.runs {
		if l.before.ID != "" { // a new one is its plan
			all = append(all, differences(l, l.after.Ref(), false)...)
		}
	}
	slices.SortStableFunc(all, func(a, b delivery.Difference) int { return strings.Compare(a.Object, b.Object) })
	return delivery.BoundDifferences(all)
}

func differences[A any](l *loaded[A], ref delivery.Ref, fresh bool) []delivery.Difference {
	switch {
	case !l.changed:
		return nil
	case fresh:
		return delivery.Differences(ref.String(), nil, l.after)
	}
	return delivery.Differences(ref.String(), l.before, l.after)
}

// documentDifferences lists what a change of the catalog does to its documents.
func documentDifferences(have []delivery.Document, changes []delivery.DocumentChange) []delivery.Difference {
	var all []delivery.Difference
	for _, c := range changes {
		var before, after any
		i := slices.IndexFunc(have, func(h delivery.Document) bool { return h.Kind == c.Document.Kind && h.Name == c.Document.Name })
		if i >= 0 {
			before = json.RawMessage(have[i].Spec)
		}
		if !c.Delete {
			after = json.RawMessage(c.Document.Spec)
		}
		all = append(all, delivery.Differences(c.Document.Kind+"/"+c.Document.Name, before, after)...)
	}
	return delivery.BoundDifferences(all)
}
