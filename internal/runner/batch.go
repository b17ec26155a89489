package runner

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/shiplock/shiplock/internal/api"
)

const (
	maxBatchLines = 2000
	maxBatchBytes = 512 << 10 // more than one line can have, encoded
)

// batch is an encoded api.LogBatch.
type batch struct {
	first, lines int64
	gap          bool
	full         bool // there was more
	end          place
	body         []byte
}

// take returns the next lines without removing them; ok is false when there are
// none.
func (s *spool) take() (b batch, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.empty() {
		return batch{}, false, nil
	}
	b = batch{first: s.at.n, end: s.at, gap: s.gap != nil}
	var lines []byte
	if s.at.n < s.next {
		seg, _ := s.find(s.at.n)
		if seg.first == s.at.n {
			s.at.offset = 0 // it may have begun after the place was noted
		}
		lines = make([]byte, min(maxBatchBytes, seg.size-s.at.offset))
		if _, err := seg.file.ReadAt(lines, s.at.offset); err != nil {
			return batch{}, false, fmt.Errorf("read the log's spool: %w", err)
		}
		lines, b.lines = wholeLines(lines)
		b.end = place{s.at.n + b.lines, s.at.offset + int64(len(lines))}
	}
	b.full = b.end.n < s.next
	b.body = encodeBatch(b.first, s.gap, lines)
	return b, true, nil
}

// wholeLines cuts data, in place, after the last line's end that a batch may
// hold, and joins the lines with commas.
func wholeLines(data []byte) ([]byte, int64) {
	end, n := 0, int64(0)
	for n < maxBatchLines {
		i := bytes.IndexByte(data[end:], '\n')
		if i < 0 {
			break
		}
		end += i + 1
		data[end-1] = ','
		n++
	}
	return data[:end], n
}

func encodeBatch(first int64, gap *api.LogGap, lines []byte) []byte {
	b := make([]byte, 0, len(lines)+256)
	b = append(b, `{"first":`...)
	b = strconv.AppendInt(b, first, 10)
	if gap != nil {
		b = append(b, `,"gap":`...)
		b = append(b, mustJSON(gap)...)
	}
	if len(lines) > 0 {
		b = append(b, `,"lines":[`...)
		b = append(b, lines[:len(lines)-1]...)
		b = append(b, ']')
	}
	return append(b, '}')
}
