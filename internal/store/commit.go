package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Commit writes the whole Change or nothing. It counts the versions up in place,
// and sets the numbers of new runs, once the Change is durable. It returns the
// wakes that are due now and that this replica holds from here on.
//
// An artifact that is known already stays as it was. Conflict when an aggregate or
// document has another version (or, for a new one, exists), or when the wake of
// c.Done is no longer this replica's.
func (s *Store) Commit(ctx context.Context, c *delivery.Change) ([]delivery.Claim, error) {
	writes, err := s.plan(c)
	if err != nil {
		return nil, delivery.Wrap(delivery.Internal, "encode a change", err)
	}
	var wakes *settlement
	err = s.write(ctx, durabilityOf(writes, c), func(tx *tx) error {
		wakes = newSettlement(s.replica.id, s.now(), c)
		for _, w := range writes {
			if err := w.apply(tx); err != nil {
				return err
			}
		}
		return wakes.apply(tx)
	})
	if err != nil {
		return nil, err
	}
	for _, w := range writes {
		w.committed()
	}
	if wakes.later {
		s.poke()
	}
	return wakes.claims, nil
}

// durabilityOf relaxes a Change that only settles a wake: undone, it would be
// decided again.
func durabilityOf(writes []write, c *delivery.Change) durability {
	return durability(len(writes) > 0 || c.Done == nil)
}

// write is one part of a Change. It is encoded in the caller's goroutine, applied
// in the writer's, and reported back to the Change in the caller's again.
type write struct {
	apply     func(*tx) error
	committed func()
}

func (s *Store) plan(c *delivery.Change) ([]write, error) {
	var p planner
	for _, h := range c.Hooks {
		p.add(writeHook(h))
	}
	for _, r := range byID(c.Runs, func(r *delivery.Run) string { return string(r.ID) }) {
		p.add(writeRun(r))
	}
	for _, t := range byID(c.Targets, (*delivery.Target).Key) {
		p.add(writeTarget(t))
	}
	for _, r := range byID(c.Releases, func(r *delivery.Release) string { return string(r.ID) }) {
		p.add(writeRelease(r))
	}
	for _, n := range c.Notifications {
		p.add(writeNotification(n))
	}
	for _, o := range c.Outboxes {
		p.add(writeOutbox(o))
	}
	for _, m := range c.Messages {
		p.add(writeMessage(m))
	}
	if c.Admission != nil {
		p.add(writeAdmission(c.Admission))
	}
	for _, a := range c.Artifacts {
		p.add(writeArtifact(a))
	}
	for i := range c.Documents {
		p.add(writeDocument(&c.Documents[i]))
	}
	if c.MasterKey != nil {
		p.add(writeMasterKey(c.MasterKey), nil)
	}
	for i := range c.Secrets {
		p.add(writeSecret(&c.Secrets[i]))
	}
	for _, u := range byID(c.Users, func(u *delivery.User) string { return u.Name }) {
		p.add(writeUser(u))
	}
	for _, m := range c.Revoke { // before what comes instead
		p.add(writeRevocation(m), nil)
	}
	for _, t := range c.Tokens {
		p.add(writeToken(t))
	}
	for _, h := range c.Heads {
		p.add(writeHead(h))
	}
	for _, h := range c.History {
		p.add(writeHistory(h))
	}
	for _, a := range c.Audit {
		p.add(s.writeAudit(a))
	}
	return p.writes, p.err
}

// byID puts aggregates in one order, so that replicas that write the same ones do
// not wait for each other.
func byID[T any](all []*T, id func(*T) string) []*T {
	return slices.SortedStableFunc(slices.Values(all), func(a, b *T) int { return strings.Compare(id(a), id(b)) })
}

// planner collects writes and the first error.
type planner struct {
	writes []write
	err    error
}

func (p *planner) add(w write, err error) {
	p.writes = append(p.writes, w)
	if p.err == nil {
		p.err = err
	}
}

// aggregate is a document that is compared and swapped by version.
type aggregate struct {
	name string
	// Both statements take the loaded version, the document, then cols; insert
	// takes fixed as well. They change one row or, when the version differs, none.
	insert, update string
	version        *int64
	doc            any
	cols           []any // the key, and what may change
	fixed          []any // what is set once
}

func (a aggregate) write() (write, error) {
	query, args, err := a.statement()
	loaded := *a.version
	return write{
		apply:     func(tx *tx) error { return a.swap(tx, query, args) },
		committed: func() { *a.version = loaded + 1 },
	}, err
}

// swap runs a statement that changes one row unless the version differs.
func (a aggregate) swap(tx *tx, query string, args []any) error {
	n, err := tx.exec(query, args...)
	if err == nil && n == 0 {
		err = conflict(a.name)
	}
	return err
}

func (a aggregate) statement() (query string, args []any, err error) {
	doc, err := encode(a.doc)
	args = append([]any{*a.version, doc}, a.cols...)
	if *a.version == 0 {
		return a.insert, append(args, a.fixed...), err
	}
	return a.update, args, err
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode a %T: %w", v, err)
	}
	return string(b), nil
}

// appendOnly is a write that has no version to report.
func appendOnly(doc any, query string, args ...any) (write, error) {
	text, err := encode(doc)
	return write{
		apply: func(tx *tx) error {
			_, err := tx.exec(query, append([]any{text}, args...)...)
			return err
		},
		committed: func() {},
	}, err
}
