package quality

import (
	"errors"
	"io"
	"strings"
)

// readGoCover reads the profile of go test -coverprofile: after the mode, a line
//
//	import/path/file.go:12.34,15.2 3 1
//
// a block, with its first line and column, its end, its statements and how often
// it ran. Statements are counted, as go tool cover does. Profiles may follow one
// another.
func readGoCover(in io.Reader, c *coverage) error {
	known := false
	return eachLine(in, func(line string) error {
		if strings.HasPrefix(line, "mode: ") {
			known = true
			return nil
		}
		if line == "" {
			return nil
		}
		if !known {
			return errors.New(`a Go profile begins with "mode:"`)
		}
		return readBlock(line, c)
	})
}

func readBlock(text string, c *coverage) error {
	colon := strings.LastIndexByte(text, ':')
	fields := strings.Fields(text[colon+1:])
	if colon < 0 || len(fields) != 3 {
		return errors.New("it is not a block of a Go profile")
	}
	begin, _, _ := strings.Cut(fields[0], ",")
	row, column, _ := strings.Cut(begin, ".")
	var n [3]uint32
	for i, s := range [...]string{row, column, fields[1]} {
		var err error
		if n[i], err = natural(s); err != nil {
			return err
		}
	}
	hits, err := one(fields[2])
	if err != nil {
		return err
	}
	return c.line(place{source(text[:colon]), n[0], n[1]}, count{n[2], n[2] * hits.hit})
}
