package joblog

import (
	"errors"
	"io"
	"math"
	"os"
)

// cursor walks the records of a log upwards.
type cursor interface {
	// next returns the next record, or io.EOF.
	next() (record, error)
	close()
}

// merge walks several segments as one log: each number once, content before
// markers, the first segment by name before later ones. What no segment covers,
// though a later line exists, was damaged on disk and is shown as lost.
type merge struct {
	dir  string
	pos  int64 // next number wanted
	segs []mergeInput
}

type mergeInput struct {
	segment
	file *os.File
	src  *recordReader
	cur  record
	done bool
}

func newMerge(dir string, segs []segment, from int64) *merge {
	m := &merge{dir: dir, pos: from, segs: make([]mergeInput, len(segs))}
	for i, s := range segs {
		m.segs[i].segment = s
	}
	return m
}

func (m *merge) next() (record, error) {
	var marker record
	nearest := int64(math.MaxInt64) // first number after pos that something covers
	for i := range m.segs {
		in := &m.segs[i]
		rec, ok, err := in.at(m.dir, m.pos)
		switch {
		case err != nil:
			return record{}, err
		case !ok:
		case rec.n > m.pos:
			nearest = min(nearest, rec.n)
		case rec.kind.isLine():
			m.pos++
			return rec, nil
		case marker.kind == 0:
			marker = rec
		}
	}
	if marker.kind == 0 {
		if nearest == math.MaxInt64 {
			return record{}, io.EOF
		}
		marker = record{kind: kindLost, to: nearest - 1, text: "damaged on the server's disk"}
	}
	marker.n, marker.to = m.pos, min(marker.to, nearest-1)
	m.pos = marker.to + 1
	return marker, nil
}

// at returns the input's first record that ends at line pos or later; of a
// segment that begins later only the number is known.
func (in *mergeInput) at(dir string, pos int64) (record, bool, error) {
	if in.done || in.last < pos {
		in.close()
		return record{}, false, nil
	}
	if in.first > pos {
		return record{n: in.first}, true, nil
	}
	if in.file == nil {
		var err error
		if in.file, in.src, err = in.open(dir, pos); err != nil {
			return record{}, false, err
		}
	}
	if in.cur.kind != 0 && in.cur.to >= pos {
		return in.cur, true, nil
	}
	rec, err := in.src.next(pos)
	if err == io.EOF || errors.Is(err, errTorn) {
		in.close()
		return record{}, false, nil
	}
	in.cur = rec
	return rec, err == nil, err
}

func (in *mergeInput) close() {
	in.done = true
	if in.file != nil {
		in.file.Close()
		in.file = nil
	}
}

func (m *merge) close() {
	for i := range m.segs {
		m.segs[i].close()
	}
}
