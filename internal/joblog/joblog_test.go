package joblog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/joblog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const attempt = "shop-17-build-1"

func open(t testing.TB, root, writer string, limits ...int64) *joblog.Store {
	t.Helper()
	cfg := joblog.Config{Root: root, Writer: writer}
	if len(limits) > 0 {
		cfg.MaxBytes = limits[0]
	}
	s, err := joblog.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// entry is the content of line n, for ever.
func entry(n int64) joblog.Entry {
	return joblog.Entry{
		At:     1000 + n,
		Step:   []string{"checkout", "build", "test"}[n/40%3],
		Stream: []string{joblog.Out, joblog.Err}[n%2],
		Text:   fmt.Sprintf("line %d %s", n, strings.Repeat("x", int(n*7%90))),
	}
}

func line(n int64) joblog.Line {
	e := entry(n)
	return joblog.Line{N: n, At: e.At, Step: e.Step, Stream: e.Stream, Text: e.Text}
}

func lines(from, to int64) []joblog.Line {
	var ls []joblog.Line
	for n := from; n <= to; n++ {
		ls = append(ls, line(n))
	}
	return ls
}

func batch(from, to int64) joblog.Batch {
	b := joblog.Batch{First: from}
	for n := from; n <= to; n++ {
		b.Lines = append(b.Lines, entry(n))
	}
	return b
}

func appendOK(t testing.TB, s *joblog.Store, b joblog.Batch, want int64) {
	t.Helper()
	acked, err := s.Append(t.Context(), attempt, b)
	if err != nil || acked.Line != want {
		t.Fatalf("Append(first %d, %d lines) = %d, %v; want %d", b.First, len(b.Lines), acked.Line, err, want)
	}
}

func read(t testing.TB, s *joblog.Store, q joblog.Query) joblog.Page {
	t.Helper()
	p, err := s.Read(t.Context(), attempt, q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// all returns the whole log, page by page.
func all(t testing.TB, s *joblog.Store) []joblog.Line {
	t.Helper()
	var ls []joblog.Line
	for q := (joblog.Query{From: 1, Limit: 37}); ; {
		p := read(t, s, q)
		ls = append(ls, p.Lines...)
		if p.Next > p.Last {
			return ls
		}
		q.From = p.Next
	}
}

func wantLog(t testing.TB, s *joblog.Store, want []joblog.Line) {
	t.Helper()
	if diff := diff(want, all(t, s)); diff != "" {
		t.Fatalf("log (-want +got):\n%s", diff)
	}
}

// diff spares equal logs the cost of cmp.
func diff(want, got []joblog.Line) string {
	if slices.Equal(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

func TestAppendAcknowledgesAndRewinds(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	appendOK(t, s, joblog.Batch{}, 0)
	appendOK(t, s, batch(1, 10), 10)
	appendOK(t, s, batch(1, 10), 10)  // all sent before
	appendOK(t, s, batch(8, 14), 14)  // some sent before
	appendOK(t, s, batch(20, 30), 14) // a gap nobody explains
	appendOK(t, s, joblog.Batch{}, 14)
	wantLog(t, s, lines(1, 14))
}

func TestGapIsOneMarker(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	appendOK(t, s, batch(1, 3), 3)
	b := batch(10, 12)
	b.Gap = &joblog.Gap{From: 4, To: 9, Reason: "runner's disk full"}
	appendOK(t, s, b, 12)
	appendOK(t, s, b, 12)
	got := all(t, s)
	if len(got) != 7 || got[3].N != 4 || got[3].Stream != joblog.Sys || got[3].Text != "… 6 lines lost: runner's disk full" {
		t.Fatalf("got %+v", got)
	}
	if diff := cmp.Diff(lines(10, 12), got[4:]); diff != "" {
		t.Fatal(diff)
	}
	appendOK(t, s, joblog.Batch{Gap: &joblog.Gap{From: 20, To: 30}}, 12) // begins beyond what is expected
}

func TestContentBeatsGapMarker(t *testing.T) {
	root := t.TempDir()
	old, young := open(t, root, "a"), open(t, root, "b")
	appendOK(t, old, batch(1, 3), 3)
	appendOK(t, young, joblog.Batch{}, 3)
	appendOK(t, old, batch(4, 6), 6)
	appendOK(t, young, joblog.Batch{Gap: &joblog.Gap{From: 4, To: 9, Reason: "r"}}, 9)
	for range 2 {
		got := all(t, young)
		if len(got) != 7 || got[6].N != 7 || got[6].Text != "… 3 lines lost: r" {
			t.Fatalf("got %+v", got)
		}
		finish(t, young)
	}
}

func finish(t testing.TB, s *joblog.Store) {
	t.Helper()
	if err := s.Finish(t.Context(), attempt, ""); err != nil {
		t.Fatal(err)
	}
}

func TestReadPages(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	if p := read(t, s, joblog.Query{From: -5}); len(p.Lines) != 0 || p.Next != 1 || p.Closed {
		t.Fatalf("unknown attempt: %+v", p)
	}
	for n := int64(1); n <= 5000; n += 500 {
		appendOK(t, s, batch(n, n+499), n+499)
	}
	for _, closed := range []bool{false, true} {
		for _, c := range []struct {
			q    joblog.Query
			want []joblog.Line
			next int64
		}{
			{joblog.Query{From: 1, Limit: 10}, lines(1, 10), 11},
			{joblog.Query{From: 0, Limit: 1}, lines(1, 1), 2},
			{joblog.Query{From: 2345, Limit: 100}, lines(2345, 2444), 2445},
			{joblog.Query{From: 4990, Limit: 100}, lines(4990, 5000), 5001},
			{joblog.Query{From: 5001}, nil, 5001},
			{joblog.Query{From: 9999}, nil, 9999},
			{joblog.Query{From: -7}, lines(4994, 5000), 5001},
			{joblog.Query{From: -9999, Limit: 3}, lines(1, 3), 4},
			{joblog.Query{From: 100, Limit: 30, Step: "checkout"}, lines(120, 149), 150},
			{joblog.Query{From: 130, Limit: 80, Step: "build"}, append(lines(160, 199), lines(280, 319)...), 320},
			{joblog.Query{From: -50, Step: "checkout"}, append(lines(4830, 4839), lines(4920, 4959)...), 5001},
			{joblog.Query{From: -50, Step: "none"}, nil, 5001},
		} {
			p := read(t, s, c.q)
			if diff := cmp.Diff(c.want, p.Lines); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", c.q, diff)
			}
			if p.Next != c.next || p.Last != 5000 || p.Closed != closed {
				t.Errorf("%+v: next %d, last %d, closed %v; want next %d", c.q, p.Next, p.Last, p.Closed, c.next)
			}
		}
		finish(t, s)
	}
	var text strings.Builder
	if err := s.WriteText(t.Context(), attempt, &text); err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n"); len(got) != 5000 || got[4999] != line(5000).Text {
		t.Errorf("download has %d lines", len(got))
	}
}

func TestFinishedLogTakesNoNewLines(t *testing.T) {
	root := t.TempDir()
	s, other := open(t, root, "a"), open(t, root, "b")
	appendOK(t, other, joblog.Batch{}, 0)
	appendOK(t, s, batch(1, 10), 10)
	appendOK(t, other, batch(1, 12), 12) // the other one takes over
	finish(t, s)
	for _, s := range []*joblog.Store{s, other} {
		_, err := s.Append(t.Context(), attempt, batch(11, 20))
		if delivery.KindOf(err) != delivery.Conflict {
			t.Errorf("new lines: %v", err)
		}
		appendOK(t, s, batch(9, 12), 12)
		finish(t, s)
		wantLog(t, s, lines(1, 12))
	}
	if names := names(t, root); !cmp.Equal(names, []string{"log.zst"}) {
		t.Errorf("left over: %v", names)
	}
}

func names(t testing.TB, root string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, attempt))
	if err != nil {
		t.Fatal(err)
	}
	var ns []string
	for _, e := range entries {
		ns = append(ns, e.Name())
	}
	return ns
}

func TestFinishWithoutLines(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	finish(t, s)
	if p := read(t, s, joblog.Query{}); !p.Closed || len(p.Lines) != 0 {
		t.Errorf("got %+v", p)
	}
	if _, err := s.Follow(attempt, -10).Next(t.Context()); err != io.EOF {
		t.Errorf("follow: %v", err)
	}
}

func TestListAndDelete(t *testing.T) {
	root := t.TempDir()
	s := open(t, root, "a")
	appendOK(t, s, batch(1, 10), 10)
	tail := s.Follow(attempt, 1)
	if _, err := tail.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(time.Hour)
	infos, err := s.List(t.Context(), future)
	if err != nil || len(infos) != 1 || infos[0].Attempt != attempt || infos[0].Bytes == 0 || infos[0].Closed {
		t.Fatalf("List = %+v, %v", infos, err)
	}
	if infos, _ := s.List(t.Context(), time.Now().Add(-time.Hour)); len(infos) != 0 {
		t.Fatalf("young logs listed: %+v", infos)
	}
	for range 2 {
		if err := s.Delete(t.Context(), attempt); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tail.Next(t.Context()); delivery.KindOf(err) != delivery.NotFound {
		t.Errorf("tail of a deleted log: %v", err)
	}
	if entries, _ := os.ReadDir(root); len(entries) != 0 {
		t.Errorf("left over: %v", entries)
	}
	appendOK(t, s, batch(1, 2), 2)
}

func TestIdleLogsAreClosed(t *testing.T) {
	root := t.TempDir()
	s, err := joblog.Open(joblog.Config{Root: root, Writer: "a", MaxIdle: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for from := int64(1); from < 40; from += 10 {
		for i := range 8 {
			acked, err := s.Append(t.Context(), fmt.Sprintf("job-%d", i), batch(from, from+9))
			if err != nil || acked.Line != from+9 {
				t.Fatal(acked, err)
			}
		}
	}
	for i := range 8 {
		p, err := s.Read(t.Context(), fmt.Sprintf("job-%d", i), joblog.Query{})
		if diff := cmp.Diff(lines(1, 40), p.Lines); diff != "" || err != nil {
			t.Fatal(diff, err)
		}
	}
	if open := openFiles(t, root); open > 2 {
		t.Errorf("%d files stay open", open)
	}
}

func openFiles(t *testing.T, root string) (count int) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, fd := range fds {
		if path, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(path, root) {
			count++
		}
	}
	return count
}

func TestClosedStore(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	tail := s.Follow(attempt, 1)
	result := make(chan error)
	go func() {
		_, err := tail.Next(context.Background())
		result <- err
	}()
	s.Close()
	if err := <-result; delivery.KindOf(err) != delivery.Unavailable {
		t.Errorf("tail: %v", err)
	}
	if _, err := s.Append(t.Context(), attempt, batch(1, 1)); delivery.KindOf(err) != delivery.Unavailable {
		t.Errorf("append: %v", err)
	}
}

func TestCanceledTailGoesOn(t *testing.T) {
	s := open(t, t.TempDir(), "a")
	tail := s.Follow(attempt, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tail.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	appendOK(t, s, batch(1, 3), 3)
	got, err := tail.Next(t.Context())
	if diff := cmp.Diff(lines(1, 3), got); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
}
