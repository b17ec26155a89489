package joblog

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sort"
)

const (
	// markBytes is the distance between two marks: what a seek reads in vain at most.
	markBytes  = 16 << 10
	readBuffer = 64 << 10
)

// mark says that the record of line n begins at byte off.
type mark struct{ n, off int64 }

// segment describes the part of a segment file that is durable and whole. Its
// values are copied freely: marks only ever grow at the end.
type segment struct {
	name     string
	first    int64 // no record is below; from the name
	last     int64 // highest number covered, 0 when empty
	lastKind kind
	size     int64 // bytes of whole records
	seen     int64 // file size when it was scanned; more than size if torn
	marks    []mark
}

// extend accounts for a record at the segment's end.
func (s *segment) extend(rec record, bytes int64) {
	if rec.to > s.last {
		s.mark(rec.n, s.size)
		s.last, s.lastKind = rec.to, rec.kind
	}
	s.size += bytes
}

// join accounts for the records of part, written at the segment's end.
func (s *segment) join(part segment) {
	for _, m := range part.marks {
		s.mark(m.n, s.size+m.off)
	}
	if part.last > s.last {
		s.last, s.lastKind = part.last, part.lastKind
	}
	s.size += part.size
}

func (s *segment) mark(n, off int64) {
	if len(s.marks) == 0 || off-s.marks[len(s.marks)-1].off >= markBytes {
		s.marks = append(s.marks, mark{n, off})
	}
}

// seek returns an offset at or before the first record that ends at line n or later.
func (s *segment) seek(n int64) int64 {
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].n > n })
	if i == 0 {
		return 0
	}
	return s.marks[i-1].off
}

// open returns a reader positioned at or before line n.
func (s *segment) open(dir string, n int64) (*os.File, *recordReader, error) {
	f, err := os.Open(filepath.Join(dir, s.name))
	if err != nil {
		return nil, nil, err
	}
	off := s.seek(n)
	part := io.NewSectionReader(f, off, s.size-off)
	return f, newRecordReader(part, int(min(s.size-off, readBuffer))), nil
}

// scan reads what the file holds beyond s.size and makes it durable, so that
// its lines may be acknowledged whoever wrote them. A torn end is left alone:
// its writer may still be at it.
func (s *segment) scan(dir string) error {
	path := filepath.Join(dir, s.name)
	info, err := os.Stat(path)
	if err != nil || info.Size() == s.seen {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	grown := *s
	grown.seen = info.Size()
	if err := grown.scanFrom(io.NewSectionReader(f, s.size, info.Size()-s.size)); err != nil {
		return err
	}
	if err := syncData(f); err != nil {
		return err
	}
	*s = grown
	return nil
}

func (s *segment) scanFrom(src io.Reader) error {
	r := newRecordReader(src, readBuffer)
	for {
		before := r.read
		rec, err := r.next(0)
		if err == io.EOF || errors.Is(err, errTorn) {
			return nil
		}
		if err != nil {
			return err
		}
		s.extend(rec, r.read-before)
	}
}

func bySegmentName(a, b segment) int { return cmp.Compare(a.name, b.name) }
