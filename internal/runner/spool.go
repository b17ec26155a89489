package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/shiplock/shiplock/internal/api"
)

// spool holds log lines on disk from when they are written until the server has
// acknowledged them. Its files have no names, so build code cannot reach them.
// Beyond its limit the oldest lines give way to a gap.
type spool struct {
	dir   string
	limit int64
	// added is sent to when there may be something to take; it has a buffer of one.
	added chan struct{}

	mu       sync.Mutex
	segments []*segment
	size     int64
	next     int64 // number of the next line to come
	at       place // where the next batch begins
	gap      *api.LogGap
	full     bool // the server keeps no more lines
}

// place is line n at an offset of the segment that has it.
type place struct{ n, offset int64 }

// segment is a file of consecutive lines, each an encoded api.LogLine.
type segment struct {
	file               *os.File
	first, lines, size int64
}

func newSpool(dir string, limit, after int64) *spool {
	return &spool{dir: dir, limit: limit, added: make(chan struct{}, 1), next: after + 1, at: place{n: after + 1}}
}

// add appends lines.
func (s *spool) add(lines []api.LogLine) error {
	if s.wantsNone(int64(len(lines))) {
		return nil
	}
	var data bytes.Buffer
	enc := json.NewEncoder(&data) // ends every value with a line's end
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return fmt.Errorf("encode a log line: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full { // meanwhile
		s.pass(int64(len(lines)))
		return nil
	}
	if err := s.write(data.Bytes(), int64(len(lines))); err != nil {
		return fmt.Errorf("spool the log: %w", err)
	}
	select {
	case s.added <- struct{}{}:
	default:
	}
	return nil
}

// wantsNone spares lines that nobody keeps any more their encoding.
func (s *spool) wantsNone(lines int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		s.pass(lines)
	}
	return s.full
}

// pass only counts lines.
func (s *spool) pass(lines int64) {
	s.next += lines
	s.at = place{n: s.next}
}

// end lets go of all lines, as the server keeps no more.
func (s *spool) end() {
	s.drop()
	s.full, s.size, s.gap, s.at = true, 0, nil, place{n: s.next}
}

func (s *spool) drop() {
	for _, seg := range s.segments {
		_ = seg.file.Close()
	}
	s.segments = nil
}

func (s *spool) write(data []byte, lines int64) error {
	last := len(s.segments) - 1
	if last < 0 || s.segments[last].size >= s.limit/8 {
		f, err := os.CreateTemp(s.dir, "log-")
		if err != nil {
			return err
		}
		if err := os.Remove(f.Name()); err != nil {
			return err
		}
		s.segments = append(s.segments, &segment{file: f, first: s.next})
		last++
	}
	seg := s.segments[last]
	if _, err := seg.file.WriteAt(data, seg.size); err != nil {
		return err
	}
	seg.size += int64(len(data))
	seg.lines += lines
	s.size += int64(len(data))
	s.next += lines
	for s.size > s.limit && len(s.segments) > 1 {
		s.dropOldest()
	}
	return nil
}

func (s *spool) dropOldest() {
	old := s.segments[0]
	s.size -= old.size
	_ = old.file.Close() // nothing to lose: it has no name
	s.segments = s.segments[1:]
	if first := s.segments[0].first; s.at.n < first {
		s.skip(s.at.n, first-1, "the server was away for longer than the log's buffer lasts")
		s.at = place{n: first}
	}
}

// skip notes that lines are lost. Lines lost before them are right before them.
func (s *spool) skip(from, to int64, reason string) {
	if s.gap != nil {
		from = min(from, s.gap.From)
	}
	s.gap = &api.LogGap{From: from, To: to, Reason: reason}
}

// acknowledge takes the server's word for which line it has last, and goes on, or
// back, to the one after it. It returns whether that is further than b began.
func (s *spool) acknowledge(b batch, ack api.LogAck) (progress bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ack.Full {
		s.end()
		return true, nil
	}
	want := min(ack.Line+1, s.next)
	progress = want > b.first || b.gap && b.lines == 0 && want == b.first
	switch {
	case len(s.segments) > 0 && want < s.segments[0].first:
		s.gap = nil
		s.skip(want, s.segments[0].first-1, "lines were dropped before the server had them")
		s.at = place{n: s.segments[0].first}
		return progress, nil
	case want == b.end.n && b.lines > 0:
		s.at = b.end
	case want != s.at.n:
		if s.at, err = s.seek(want); err != nil {
			return progress, err
		}
	}
	if progress {
		s.gap = nil
	}
	for len(s.segments) > 1 && s.segments[1].first <= s.at.n {
		s.dropOldest()
	}
	return progress, nil
}

// refuse gives up the lines of a batch that the server will never take.
func (s *spool) refuse(b batch, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.n > b.first {
		return // they were dropped meanwhile
	}
	if b.lines == 0 {
		s.gap = nil
		return
	}
	s.skip(b.first, b.end.n-1, reason)
	s.at = b.end
}

func (s *spool) find(n int64) (seg *segment, ok bool) {
	for i := len(s.segments) - 1; i >= 0; i-- {
		if s.segments[i].first <= n {
			return s.segments[i], true
		}
	}
	return nil, false
}

// seek finds a line by counting; only an acknowledgement of part of a batch, or of
// less than before, asks for it.
func (s *spool) seek(n int64) (place, error) {
	seg, ok := s.find(n)
	if !ok || n == s.next && n == seg.first+seg.lines {
		if ok {
			return place{n, seg.size}, nil
		}
		return place{n: n}, nil
	}
	data, err := io.ReadAll(io.NewSectionReader(seg.file, 0, seg.size))
	if err != nil {
		return place{}, fmt.Errorf("read the log's spool: %w", err)
	}
	offset := 0
	for range n - seg.first {
		offset += bytes.IndexByte(data[offset:], '\n') + 1
	}
	return place{n, int64(offset)}, nil
}

func (s *spool) empty() bool { return s.at.n == s.next && s.gap == nil }

// drained tells whether the server has every line.
func (s *spool) drained() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.empty()
}

func (s *spool) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}
