package joblog

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// MaxBatchLines bounds the lines of one Batch.
	MaxBatchLines = 8192
	// MaxBatchBytes bounds the text of one Batch.
	MaxBatchBytes = 4 << 20

	maxLineBytes   = 64 << 10
	maxStepBytes   = 128
	maxReasonBytes = 256
	// maxNumber keeps line numbers exact in JavaScript.
	maxNumber = 1 << 53
)

// Streams of a line: the two of a process, and what runner and server say themselves.
const (
	Out = "out"
	Err = "err"
	Sys = "sys"
)

// Line is one line of a log, as stored and as sent to readers.
type Line struct {
	N      int64  `json:"n"`
	At     int64  `json:"at"` // unix ms
	Step   string `json:"step"`
	Stream string `json:"stream"`
	Text   string `json:"text"`
}

// Entry is a line whose number follows from its place in a Batch.
type Entry struct {
	At     int64  `json:"at"` // unix ms
	Step   string `json:"step"`
	Stream string `json:"stream"`
	Text   string `json:"text"`
}

// Gap says that the runner gave up the lines From to To, both included.
type Gap struct {
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Reason string `json:"reason"`
}

// Batch is what a runner sends at once: a gap, if any, and then the lines First,
// First+1, …. A Batch with neither asks for the acknowledged number.
type Batch struct {
	First int64   `json:"first"`
	Lines []Entry `json:"lines"`
	Gap   *Gap    `json:"gap,omitempty"`
}

// last is the highest number the batch speaks of, or 0.
func (b Batch) last() int64 {
	if len(b.Lines) > 0 {
		return b.First + int64(len(b.Lines)) - 1
	}
	if b.Gap != nil {
		return b.Gap.To
	}
	return 0
}

func (b Batch) validate() error {
	if err := b.validateRange(); err != nil {
		return err
	}
	size := 0
	for _, e := range b.Lines {
		size += len(e.Text) + len(e.Step)
		if kindOf(e.Stream) == 0 {
			return invalid("stream %.20q: use out, err or sys", e.Stream)
		}
	}
	if size > MaxBatchBytes {
		return invalid("batch of %d bytes: send at most %d", size, MaxBatchBytes)
	}
	return nil
}

func (b Batch) validateRange() error {
	n := len(b.Lines)
	if n > MaxBatchLines {
		return invalid("batch of %d lines: send at most %d", n, MaxBatchLines)
	}
	if n > 0 && (b.First < 1 || b.First > maxNumber) {
		return invalid("first line %d: number lines from 1", b.First)
	}
	g := b.Gap
	if g == nil {
		return nil
	}
	if g.From < 1 || g.To < g.From || g.To > maxNumber {
		return invalid("gap %d to %d: give the first and last lost line", g.From, g.To)
	}
	if n > 0 && b.First <= g.To {
		return invalid("first line %d lies in or before the gap that ends at %d", b.First, g.To)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return delivery.E(delivery.Invalid, fmt.Sprintf(format, args...))
}

func (e Entry) record(n int64) record {
	return record{
		kind: kindOf(e.Stream),
		n:    n,
		to:   n,
		at:   e.At,
		step: cut(clean(e.Step), maxStepBytes),
		text: cutLine(clean(e.Text)),
	}
}

func clean(s string) string { return strings.ToValidUTF8(s, string(utf8.RuneError)) }

// cut shortens s to at most limit bytes, at a character's border.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

func cutLine(s string) string {
	kept := cut(s, maxLineBytes)
	if len(kept) == len(s) {
		return s
	}
	return fmt.Sprintf("%s… [%d bytes cut]", kept, len(s)-len(kept))
}
