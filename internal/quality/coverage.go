package quality

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/shiplock/shiplock/internal/delivery"
)

// maxPlaces bounds the lines and branches that are told apart; they take about 50
// bytes each.
const maxPlaces = 1 << 21

// coverage merges what reports say about places in the source.
type coverage struct{ lines, branches map[place]count }

// place is a line, or a part of one. Sources are told apart by a hash of their
// name, so that no names are kept.
type place struct {
	source     uint64
	line, part uint32
}

// count is how many there are at a place, and how many were reached.
type count struct{ all, hit uint32 }

// source identifies a file by what its report calls it.
func source(names ...string) uint64 {
	h := fnv.New64a()
	for _, n := range names {
		_, _ = h.Write([]byte(n)) // a hash takes everything
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

func (c *coverage) line(p place, n count) error   { return merge(&c.lines, p, n) }
func (c *coverage) branch(p place, n count) error { return merge(&c.branches, p, n) }

// merge keeps the better of two reports about a place.
func merge(m *map[place]count, p place, n count) error {
	if *m == nil {
		*m = map[place]count{}
	}
	old, known := (*m)[p]
	if !known && len(*m) >= maxPlaces {
		return errTooMuch
	}
	all := max(old.all, n.all)
	(*m)[p] = count{all: all, hit: min(all, max(old.hit, n.hit))}
	return nil
}

func (c *coverage) sum() *delivery.Coverage {
	var sum delivery.Coverage
	for _, n := range c.lines {
		sum.Lines += int64(n.all)
		sum.CoveredLines += int64(n.hit)
	}
	for _, n := range c.branches {
		sum.Branches += int64(n.all)
		sum.CoveredBranches += int64(n.hit)
	}
	if sum.Lines == 0 {
		return nil
	}
	return &sum
}

// one is the count of a line that was run that often.
func one(hits string) (count, error) {
	n, err := strconv.ParseInt(hits, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // more often than fits is often
		return count{}, fmt.Errorf("%q is not a number of hits", clip(hits, maxQuote))
	}
	if n > 0 {
		return count{1, 1}, nil
	}
	return count{1, 0}, nil
}

// natural reads a number of lines, statements or branches.
func natural(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number that fits here", clip(s, maxQuote))
	}
	return uint32(n), nil
}

// maxQuote bounds what an error repeats of a report, in bytes.
const maxQuote = 60
