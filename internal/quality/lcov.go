package quality

import (
	"errors"
	"hash/fnv"
	"io"
	"path"
	"strings"
)

// lcov reads the tracefile of geninfo(1): records of a source file, SF to
// end_of_record, with DA for a line and BRDA for a branch.
type lcov struct {
	*coverage
	dir    string // the report's folder, which names may be relative to
	source uint64
	inside bool
	seen   bool
}

func readLCOV(in io.Reader, name string, c *coverage) error {
	l := &lcov{coverage: c, dir: path.Dir(name)}
	if err := eachLine(in, l.read); err != nil {
		return err
	}
	switch {
	case !l.seen:
		return errors.New("it has no SF line, so it is no LCOV report")
	case l.inside:
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (l *lcov) read(line string) error {
	key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
	switch {
	case key == "SF":
		l.inside, l.seen, l.source = true, true, source(value)
		if !path.IsAbs(value) {
			l.source = source(l.dir, value)
		}
	case key == "end_of_record":
		l.inside = false
	case key != "DA" && key != "BRDA": // functions and sums
	case !l.inside:
		return errors.New(key + " outside of a record")
	case key == "DA":
		return l.data(value)
	default:
		return l.branchData(value)
	}
	return nil
}

// data is "line,hits" with an optional checksum.
func (l *lcov) data(value string) error {
	f := strings.SplitN(value, ",", 3)
	if len(f) < 2 {
		return errors.New("DA wants a line and its hits")
	}
	number, err := natural(f[0])
	if err != nil {
		return err
	}
	n, err := one(f[1])
	if err != nil {
		return err
	}
	return l.line(place{source: l.source, line: number}, n)
}

// branchData is "line,block,branch,hits"; hits is "-" where the line never ran.
func (l *lcov) branchData(value string) error {
	row, rest, _ := strings.Cut(value, ",")
	comma := strings.LastIndexByte(rest, ',')
	if comma < 0 {
		return errors.New("BRDA wants a line, a block, a branch and its hits")
	}
	number, err := natural(row)
	if err != nil {
		return err
	}
	n := count{all: 1}
	if hits := rest[comma+1:]; hits != "-" {
		if n, err = one(hits); err != nil {
			return err
		}
	}
	which := fnv.New32a()
	_, _ = which.Write([]byte(rest[:comma])) // a hash takes everything
	return l.branch(place{l.source, number, which.Sum32()}, n)
}
