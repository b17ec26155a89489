package joblog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/joblog"
)

func TestHostileInput(t *testing.T) {
	root := t.TempDir()
	s := open(t, filepath.Join(root, "logs"), "a")
	for _, name := range []string{
		"", ".", "..", "../x", "a/b", "a\\b", "/etc", "A", "a.b", "-a", "a-", "a\x00", "a\n", "ä", ".trash-a", strings.Repeat("a", 201),
	} {
		if _, err := s.Append(t.Context(), name, batch(1, 1)); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("Append to %q: %v", name, err)
		}
		_, err := s.Read(t.Context(), name, joblog.Query{})
		_, err2 := s.Follow(name, 1).Next(t.Context())
		for _, err := range []error{err, err2, s.Finish(t.Context(), name, ""), s.Delete(t.Context(), name)} {
			if delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	for name, b := range map[string]joblog.Batch{
		"zero":        {First: 0, Lines: batch(1, 1).Lines},
		"huge":        {First: 1 << 60, Lines: batch(1, 1).Lines},
		"many":        batch(1, joblog.MaxBatchLines+1),
		"stream":      {First: 1, Lines: []joblog.Entry{{Stream: "log"}}},
		"big":         {First: 1, Lines: []joblog.Entry{{Stream: "out", Text: strings.Repeat("x", joblog.MaxBatchBytes+1)}}},
		"gap":         {Gap: &joblog.Gap{From: 3, To: 2}},
		"gap in line": {First: 2, Lines: batch(1, 1).Lines, Gap: &joblog.Gap{From: 1, To: 2}},
	} {
		if _, err := s.Append(t.Context(), attempt, b); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, _ := os.ReadDir(root); len(entries) != 1 {
		t.Errorf("something was written outside: %v", entries)
	}
	if _, err := joblog.Open(joblog.Config{Root: root, Writer: "../x"}); delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("writer: %v", err)
	}
}

func TestTextIsKeptButBounded(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	long := strings.Repeat("é", 40<<10)
	in := []string{"\x1b[31mred\x1b[0m\x00\ttab", "bad \xff\xfe utf-8", long, strings.Repeat("\xff", 70<<10)}
	b := joblog.Batch{First: 1}
	for _, text := range in {
		b.Lines = append(b.Lines, joblog.Entry{Stream: joblog.Out, Step: strings.Repeat("s", 500), Text: text})
	}
	appendOK(t, s, b, 4)
	got := all(t, s)
	if got[0].Text != in[0] || got[1].Text != "bad \uFFFD utf-8" {
		t.Errorf("got %q, %q", got[0].Text, got[1].Text)
	}
	if want := long[:64<<10] + "… [16384 bytes cut]"; got[2].Text != want {
		t.Errorf("long line ends %q", got[2].Text[len(got[2].Text)-40:])
	}
}

func TestLimitDropsButAcknowledges(t *testing.T) {
	root := t.TempDir()
	s := open(t, root, "a", 2000)
	if ack, err := s.Append(t.Context(), attempt, batch(1, 2)); err != nil || ack != (joblog.Ack{Line: 2}) {
		t.Fatalf("%+v, %v", ack, err)
	}
	appendOK(t, s, batch(3, 100), 100)
	appendOK(t, s, batch(101, 120), 120)
	s = open(t, root, "b", 2000)
	if ack, err := s.Append(t.Context(), attempt, batch(110, 121)); err != nil || ack != (joblog.Ack{Line: 121, Full: true}) {
		t.Fatalf("%+v, %v", ack, err)
	}
	appendOK(t, s, batch(115, 130), 130)
	for range 2 {
		got := all(t, s)
		n := len(got)
		if n < 2 || n > 50 || !strings.Contains(got[n-1].Text, "limit reached") || got[n-1].N != int64(n) {
			t.Fatalf("%d lines, last %+v", n, got[n-1])
		}
		if diff := cmp.Diff(lines(1, int64(n-1)), got[:n-1]); diff != "" {
			t.Fatal(diff)
		}
		finish(t, s)
	}
}
