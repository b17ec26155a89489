package enginetest

import (
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
)

// Logs counts lines. The zero value is empty. Calls: append and close, with the
// attempt's key.
type Logs struct {
	Script
	last   map[string]int64
	closed []string
	ends   []string

	refreshed [][]string
}

// Append implements engine.Logs.
func (l *Logs) Append(_ context.Context, attempt string, b api.LogBatch) (ack api.LogAck, err error) {
	err = l.do("append "+attempt, func() error {
		if l.last == nil {
			l.last = map[string]int64{}
		}
		l.last[attempt] = max(l.last[attempt], b.First+int64(len(b.Lines))-1)
		ack.Line = l.last[attempt]
		return nil
	})
	return ack, err
}

// Last implements engine.Logs.
func (l *Logs) Last(_ context.Context, attempt string) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last[attempt], nil
}

// Close implements engine.Logs.
func (l *Logs) Close(_ context.Context, attempt, last string) error {
	return l.do("close "+attempt, func() error {
		if !slices.Contains(l.closed, attempt) {
			l.closed = append(l.closed, attempt)
			l.ends = append(l.ends, last)
		}
		return nil
	})
}

// Closed lists the attempts whose log was ended, in order.
func (l *Logs) Closed() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.closed)
}

// Ends are the last lines that the closed logs were given.
func (l *Logs) Ends() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ends)
}

// Refresh implements engine.Logs.
func (l *Logs) Refresh(attempts ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refreshed = append(l.refreshed, attempts)
}

// Refreshed lists the calls of Refresh, in order.
func (l *Logs) Refreshed() [][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.refreshed)
}
