package runner

import "bytes"

// splitter cuts a stream into lines as a terminal would show them: what a
// carriage return has overwritten is dropped. It keeps max bytes of a line.
type splitter struct {
	max  int
	line []byte
	cut  int // bytes of the line that were dropped
}

// feed takes the next bytes and passes on every line that they end, valid until
// emit returns.
func (s *splitter) feed(chunk []byte, emit func(line []byte, cut int)) {
	for {
		i := bytes.IndexByte(chunk, '\n')
		if i < 0 {
			s.keep(chunk)
			return
		}
		s.keep(chunk[:i])
		s.end(emit)
		chunk = chunk[i+1:]
	}
}

// finish passes on a last line without an end.
func (s *splitter) finish(emit func(line []byte, cut int)) {
	if len(s.line) > 0 || s.cut > 0 {
		s.end(emit)
	}
}

func (s *splitter) end(emit func(line []byte, cut int)) {
	line := bytes.TrimRight(s.line, "\r")
	emit(line[bytes.LastIndexByte(line, '\r')+1:], s.cut)
	s.line, s.cut = s.line[:0], 0
}

func (s *splitter) keep(b []byte) {
	s.line = append(s.line, b...)
	if len(s.line) <= s.max {
		return
	}
	if i := bytes.LastIndexByte(s.line[:len(s.line)-1], '\r'); i >= 0 {
		s.line = append(s.line[:0], s.line[i+1:]...)
		s.cut = 0
	}
	if over := len(s.line) - s.max; over > 0 {
		s.line = s.line[:s.max]
		s.cut += over
	}
}
