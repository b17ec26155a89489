package joblog

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
)

const (
	tailLines = 1024
	tailBytes = 256 << 10
)

// Tail delivers a log from a line on: what is there, then what is appended,
// each line once and in order. It is used by one goroutine and holds no
// resources between calls: a slow reader costs neither memory nor files, it
// reads from disk later.
type Tail struct {
	store   *Store
	attempt string
	from    int64 // of the next line; ≤ 0 until resolved
	view    view
}

// Follow returns a Tail from line from on; -n begins with the last n lines. An
// attempt without lines is waited for.
func (s *Store) Follow(attempt string, from int64) *Tail {
	return &Tail{store: s, attempt: attempt, from: max(from, -maxNumber)}
}

// Next waits for lines and returns at least one, or io.EOF after the last line
// of a closed log. After a context error the Tail goes on where it was, so a
// deadline serves to send heartbeats. Other errors: Invalid, Unavailable (also
// when the store is closed), NotFound when the log was deleted.
func (t *Tail) Next(ctx context.Context) ([]Line, error) {
	for {
		lines, err := t.read(ctx)
		if err != nil || len(lines) > 0 {
			return lines, err
		}
		if t.view.closed && t.from > t.view.last {
			return nil, io.EOF
		}
		if err := t.await(ctx); err != nil {
			return nil, err
		}
	}
}

// Line is the number of the line that Next would return first, once known.
func (t *Tail) Line() int64 { return t.from }

// read returns lines that the view still has.
func (t *Tail) read(ctx context.Context) ([]Line, error) {
	if t.from <= 0 || t.from > t.view.last {
		return nil, nil
	}
	p, err := t.view.page(ctx, selection{from: t.from, to: t.view.last + 1, lines: tailLines, bytes: tailBytes})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, t.renew()
	}
	if err != nil {
		return nil, classify(ctx, err)
	}
	t.from = p.Next
	return p.Lines, nil
}

// renew replaces a view whose files were archived or deleted.
func (t *Tail) renew() error {
	l, err := t.store.acquire(t.attempt)
	if err != nil {
		return err
	}
	defer t.store.release(l)
	v, err := l.freshView(t.store.dec)
	if err == nil && v.last < t.view.last {
		err = errDeleted
	}
	t.view = v
	return err
}

// await waits until the log has a line at t.from, or is closed.
func (t *Tail) await(ctx context.Context) error {
	l, err := t.store.acquire(t.attempt)
	if err != nil {
		return err
	}
	defer t.store.release(l)
	for {
		ready, changed, err := t.look(l)
		if ready || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.store.done:
			return errStopping
		}
	}
}

func (t *Tail) look(l *attemptLog) (ready bool, changed <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(); err != nil {
		return false, nil, err
	}
	if l.durable < t.view.last { // deleted, and perhaps begun again
		return false, nil, errDeleted
	}
	if t.from <= 0 {
		t.from = resolve(t.from, l.durable)
	}
	if l.durable < t.from && !l.sealed {
		return false, l.changed, nil
	}
	t.view, err = l.view(t.store.dec)
	return err == nil, nil, err
}

// Refresh wakes the tails of attempts whose logs another process has written to; of
// all attempts when none is named.
func (s *Store) Refresh(attempts ...string) {
	for _, l := range s.known(attempts) {
		l.mu.Lock()
		if l.refresh() == nil { // else the next read says what is wrong
			l.publish()
		}
		l.mu.Unlock()
	}
}

// known returns the logs among those of the attempts that somebody here uses or has
// used.
func (s *Store) known(attempts []string) []*attemptLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(attempts) == 0 {
		return slices.Collect(maps.Values(s.logs))
	}
	var known []*attemptLog
	for _, a := range attempts {
		if l := s.logs[a]; l != nil {
			known = append(known, l)
		}
	}
	return known
}
