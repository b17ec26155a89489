package joblog_test

import (
	"slices"
	"testing"

	"github.com/shiplock/shiplock/internal/joblog"
)

// The log of a lost attempt says at its end that it may lack lines: once, whoever ends it
// and however often, and after every line that was acknowledged.
func TestFinishWithEnd(t *testing.T) {
	root := t.TempDir()
	old, young := open(t, root, "a"), open(t, root, "b")
	appendOK(t, old, batch(1, 3), 3)
	appendOK(t, young, batch(4, 6), 6)
	const end = "… the attempt was lost"
	tail := old.Follow(attempt, 1)
	for _, s := range []*joblog.Store{old, young, old} {
		if err := s.Finish(t.Context(), attempt, end); err != nil {
			t.Fatal(err)
		}
		got := all(t, s)
		if !slices.Equal(got[:6], lines(1, 6)) || len(got) != 7 || got[6].N != 7 || got[6].Text != end || got[6].Stream != joblog.Sys {
			t.Fatalf("got %+v", got)
		}
	}
	var seen []joblog.Line
	for {
		more, err := tail.Next(t.Context())
		if err != nil {
			break
		}
		seen = append(seen, more...)
	}
	if len(seen) != 7 || seen[6].Text != end {
		t.Errorf("who follows it sees %+v", seen)
	}
	if _, err := young.Append(t.Context(), attempt, batch(7, 8)); err == nil {
		t.Error("a line came after the end")
	}
}

// A log without lines lacks none.
func TestFinishEmptyWithEnd(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	if err := s.Finish(t.Context(), attempt, "… lost"); err != nil {
		t.Fatal(err)
	}
	if got := all(t, s); len(got) != 0 {
		t.Errorf("a log without lines has %+v", got)
	}
}
