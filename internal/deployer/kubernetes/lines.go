package kubernetes

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// lineReader reads the lines of a log that has times, and holds one at most.
type lineReader struct {
	source
	from io.ReadCloser
	in   *bufio.Reader
	// after leaves out what was read before.
	after time.Time
	last  time.Time
}

const readAhead = 4 << 10

func newLineReader(s source, from io.ReadCloser, after time.Time) *lineReader {
	return &lineReader{source: s, from: from, in: bufio.NewReaderSize(from, readAhead), after: after, last: after}
}

// next returns the next line that was not read before; io.EOF after the last one.
func (r *lineReader) next() (delivery.AppLine, error) {
	for {
		raw, err := r.line()
		if err != nil && (raw == "" || !errors.Is(err, io.EOF)) {
			return delivery.AppLine{}, err
		}
		at, text := timed(raw, r.last)
		if !at.After(r.after) {
			continue
		}
		r.last = at
		return delivery.AppLine{At: at, Pod: r.pod, Revision: r.revision, Text: text}, nil
	}
}

// line returns a line without its end, cut when it is too long.
func (r *lineReader) line() (string, error) {
	var kept strings.Builder
	cut := ""
	for {
		part, err := r.in.ReadSlice('\n')
		room := delivery.MaxAppLine - kept.Len()
		if kept.Write(part[:min(len(part), room)]); len(part) > room {
			cut = "…"
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return strings.TrimRight(kept.String(), "\r\n") + cut, err
	}
}

// timed splits a line into its time and its text. One without a time goes on with the
// line before.
func timed(raw string, before time.Time) (time.Time, string) {
	stamp, text, _ := strings.Cut(raw, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return before, raw
	}
	return at, text
}

// merged hands on the lines of several logs in the order of their times, those of the same
// time in the order of the logs. A log that breaks off ends there.
func merged(all []*lineReader, hand func(delivery.AppLine) error) error {
	type head struct {
		delivery.AppLine
		from *lineReader
	}
	var heads []head
	for _, r := range all {
		if l, err := r.next(); err == nil {
			heads = append(heads, head{l, r})
		}
	}
	for len(heads) > 0 {
		first := 0
		for i := range heads {
			if heads[i].At.Before(heads[first].At) {
				first = i
			}
		}
		if err := hand(heads[first].AppLine); err != nil {
			return err
		}
		l, err := heads[first].from.next()
		if err != nil {
			heads = append(heads[:first], heads[first+1:]...)
			continue
		}
		heads[first].AppLine = l
	}
	return nil
}
