package joblog_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/joblog"
)

// TestRandomInterleavings plays a runner that re-sends, and servers that are
// killed, stopped and resumed. Each acknowledged line must be there, once,
// whoever is asked, and whoever closes the log must close all of it.
func TestRandomInterleavings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		root, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		w := &world{root: root}
		for range 2 {
			w.start(t)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				s := rapid.SampledFrom(w.servers).Draw(rt, "server")
				from := max(1, w.acked+1-rapid.Int64Range(0, 20).Draw(rt, "resent"))
				b := batch(from, from+rapid.Int64Range(0, 30).Draw(rt, "lines"))
				ack, err := s.Append(t.Context(), attempt, b)
				acked := ack.Line
				if err != nil {
					rt.Fatal(err)
				}
				last := b.First + int64(len(b.Lines)) - 1
				w.stored = max(w.stored, last)
				if acked < last || acked > w.stored {
					rt.Fatalf("acknowledged %d of %d, stored %d", acked, last, w.stored)
				}
				if rapid.Bool().Draw(rt, "answer arrives") {
					w.acked = max(w.acked, acked)
				}
			},
			"ahead": func(rt *rapid.T) {
				s := rapid.SampledFrom(w.servers).Draw(rt, "server")
				ack, err := s.Append(t.Context(), attempt, batch(w.stored+5, w.stored+6))
				if err != nil || ack.Line != w.stored {
					rt.Fatal(ack, err)
				}
			},
			"kill": func(rt *rapid.T) {
				i := rapid.IntRange(0, len(w.servers)-1).Draw(rt, "server")
				w.servers[i].Close()
				w.servers = append(w.servers[:i], w.servers[i+1:]...)
				w.tear(rt)
				w.start(t)
			},
			"read": func(rt *rapid.T) {
				s := rapid.SampledFrom(w.servers).Draw(rt, "server")
				if diff := diff(lines(1, w.stored), read(t, s, joblog.Query{Limit: 10_000}).Lines); diff != "" {
					rt.Fatalf("log (-want +got):\n%s", diff)
				}
			},
		})
		for _, s := range w.servers {
			if err := s.Finish(t.Context(), attempt, ""); err != nil {
				rt.Fatal(err)
			}
			if diff := diff(lines(1, w.stored), all(t, s)); diff != "" {
				rt.Fatalf("closed log (-want +got):\n%s", diff)
			}
			s.Close()
		}
	})
}

type world struct {
	root    string
	servers []*joblog.Store
	started int
	acked   int64 // as the runner knows
	stored  int64
}

func (w *world) start(t *testing.T) {
	w.started++
	w.servers = append(w.servers, open(t, w.root, fmt.Sprintf("w%d", w.started)))
}

// tear leaves what a killed process may leave behind: a segment of its own with
// a part of a record that was never acknowledged.
func (w *world) tear(rt *rapid.T) {
	garbage := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "torn")
	os.MkdirAll(filepath.Join(w.root, attempt), 0o750)
	name := fmt.Sprintf("%019d-w%d-torn.log", w.stored+1, w.started)
	if err := os.WriteFile(filepath.Join(w.root, attempt, name), garbage, 0o600); err != nil {
		rt.Fatal(err)
	}
}

// TestEveryTruncation cuts the last segment at each byte: the lines before the
// cut are there, and the log goes on from them.
func TestEveryTruncation(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	sizes := []int64{0} // of the segment after each line
	path := filepath.Join(root, attempt, fmt.Sprintf("%019d-b.log", 11))
	a := open(t, root, "a")
	appendOK(t, a, batch(1, 10), 10)
	b := open(t, root, "b")
	for n := int64(11); n <= 14; n++ {
		appendOK(t, b, batch(n, n), n)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(whole); cut >= 0; cut-- {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		kept := int64(10)
		for i, size := range sizes {
			if int64(cut) >= size {
				kept = 10 + int64(i)
			}
		}
		c := open(t, root, fmt.Sprintf("c%d", cut))
		appendOK(t, c, joblog.Batch{}, kept)
		appendOK(t, c, batch(kept+1, kept+3), kept+3)
		wantLog(t, c, lines(1, kept+3))
		for _, f := range names(t, root) {
			if strings.Contains(f, "-c") {
				os.Remove(filepath.Join(root, attempt, f))
			}
		}
	}
}

// TestDamageIsShown: a hole that no writer leaves is marked, not hidden.
func TestDamageIsShown(t *testing.T) {
	root := t.TempDir()
	appendOK(t, open(t, root, "a"), batch(1, 10), 10)
	appendOK(t, open(t, root, "b"), batch(11, 20), 20)
	appendOK(t, open(t, root, "c"), batch(21, 30), 30)
	if err := os.Truncate(filepath.Join(root, attempt, fmt.Sprintf("%019d-b.log", 11)), 5); err != nil {
		t.Fatal(err)
	}
	got := all(t, open(t, root, "d"))
	if len(got) != 21 || got[10].N != 11 || !strings.Contains(got[10].Text, "10 lines lost: damaged") {
		t.Fatalf("got %+v", got)
	}
}

// TestFinishCrashPoints rebuilds every state of the directory that a crash in
// Finish can leave, and closes from there.
func TestFinishCrashPoints(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, attempt)
	appendOK(t, open(t, root, "a"), batch(1, 10), 10)
	appendOK(t, open(t, root, "b"), batch(11, 20), 20)
	before := snapshot(t, dir)
	finish(t, open(t, root, "c"))
	archive := snapshot(t, dir)["log.zst"]

	sealed, packing, linked, half := clone(before), clone(before), clone(before), clone(before)
	sealed["sealed"] = ""
	packing["sealed"], packing["pack-c.tmp"] = "", archive[:len(archive)/2]
	linked["sealed"], linked["pack-c.tmp"], linked["log.zst"] = "", archive, archive
	half["sealed"], half["log.zst"] = "", archive
	delete(half, fmt.Sprintf("%019d-a.log", 1))
	swept := map[string]string{"sealed": "", "log.zst": archive}
	for name, files := range map[string]map[string]string{
		"open": before, "sealed": sealed, "packing": packing, "linked": linked, "half": half, "swept": swept,
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			restore(t, filepath.Join(root, attempt), files)
			s := open(t, root, "d")
			wantLog(t, s, lines(1, 20))
			if closed := read(t, s, joblog.Query{}).Closed; closed != (name != "open") {
				t.Errorf("closed = %v", closed)
			}
			if err := s.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantLog(t, s, lines(1, 20))
			if left := names(t, root); name != "open" && !cmp.Equal(left, []string{"log.zst"}) {
				t.Errorf("left over: %v", left)
			}
			if _, err := s.Append(t.Context(), attempt, batch(20, 21)); (err != nil) != (name != "open") {
				t.Errorf("append: %v", err)
			}
		})
	}
}

func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

func clone(m map[string]string) map[string]string {
	c := map[string]string{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

func restore(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFollowWhileAppending lets two servers take the same runner's batches,
// re-sent and in parallel, while tails of both kinds of speed read and the log
// is closed under them.
func TestFollowWhileAppending(t *testing.T) {
	t.Parallel()
	const total, tails = 6000, 6
	root := t.TempDir()
	s := open(t, root, "a")
	var readers sync.WaitGroup
	for i := range tails {
		readers.Go(func() {
			from := int64(i*700 + 1)
			if diff := cmp.Diff(lines(from, total), follow(t, s, from)); diff != "" {
				t.Errorf("tail %d (-want +got):\n%s", i, diff)
			}
		})
	}
	var senders sync.WaitGroup
	for i := range uint64(3) {
		senders.Go(func() { send(t, s, total, rand.New(rand.NewPCG(7, i))) })
	}
	senders.Wait()
	finish(t, s)
	readers.Wait()
}

// send plays a runner that sometimes forgets what was acknowledged.
func send(t *testing.T, s *joblog.Store, total int64, rnd *rand.Rand) {
	for acked := int64(0); acked < total; {
		from := max(1, acked+1-rnd.Int64N(50))
		to := min(total, from+rnd.Int64N(200))
		got, err := s.Append(t.Context(), attempt, batch(from, to))
		if err != nil || got.Line < to {
			t.Errorf("Append(%d…%d) = %d, %v", from, to, got.Line, err)
			return
		}
		acked = to
	}
}

func follow(t *testing.T, s *joblog.Store, from int64) (got []joblog.Line) {
	tail := s.Follow(attempt, from)
	for {
		ls, err := tail.Next(t.Context())
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Error(err)
			return got
		}
		got = append(got, ls...)
	}
}

// TestAcknowledgedBeforeSeal races the end of a log, called on one server, with
// appends to another one that was thought dead: what it acknowledges is there.
func TestAcknowledgedBeforeSeal(t *testing.T) {
	t.Parallel()
	for i := range 30 {
		root := t.TempDir()
		old, young := open(t, root, "a"), open(t, root, "b")
		appendOK(t, old, batch(1, 1), 1)
		var acked int64
		var sender sync.WaitGroup
		sender.Go(func() {
			for n := int64(2); ; n++ {
				got, err := old.Append(t.Context(), attempt, batch(n, n))
				if err != nil {
					if delivery.KindOf(err) != delivery.Conflict {
						t.Error(err)
					}
					return
				}
				acked = got.Line
			}
		})
		for range i % 7 {
			read(t, young, joblog.Query{})
		}
		finish(t, young)
		sender.Wait()
		got := all(t, young)
		if int64(len(got)) < acked || !cmp.Equal(got, lines(1, int64(len(got)))) {
			t.Fatalf("%d acknowledged, %d there", acked, len(got))
		}
	}
}

// TestFinishRace lets two servers finish one log.
func TestFinishRace(t *testing.T) {
	t.Parallel()
	for range 20 {
		root := t.TempDir()
		a, b := open(t, root, "a"), open(t, root, "b")
		appendOK(t, a, batch(1, 500), 500)
		var both sync.WaitGroup
		for _, s := range []*joblog.Store{a, b} {
			both.Go(func() {
				if err := s.Finish(t.Context(), attempt, ""); err != nil {
					t.Error(err)
				}
			})
			both.Go(func() { wantLog(t, s, lines(1, 500)) })
		}
		both.Wait()
		wantLog(t, a, lines(1, 500))
	}
}

// TestFailedWriteIsNotAcknowledged: after an error the log goes on from what is
// durable, in another segment.
func TestFailedWriteIsNotAcknowledged(t *testing.T) {
	root := t.TempDir()
	s := open(t, root, "a")
	blocked := filepath.Join(root, attempt, fmt.Sprintf("%019d-a.log", 1))
	restore(t, filepath.Dir(blocked), map[string]string{filepath.Base(blocked): "torn"})
	if _, err := s.Append(t.Context(), attempt, batch(1, 5)); delivery.KindOf(err) != delivery.Unavailable {
		t.Fatalf("got %v", err)
	}
	appendOK(t, s, joblog.Batch{}, 0)
	appendOK(t, s, batch(1, 5), 5)
	wantLog(t, s, lines(1, 5))
}

// TestDeletedElsewhere: a server that was stopped while its log was deleted
// acknowledges nothing into the void.
func TestDeletedElsewhere(t *testing.T) {
	root := t.TempDir()
	old, young := open(t, root, "a"), open(t, root, "b")
	appendOK(t, old, batch(1, 5), 5)
	if err := young.Delete(t.Context(), attempt); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := old.Append(t.Context(), attempt, batch(6, 7)); delivery.KindOf(err) != delivery.NotFound {
			t.Errorf("got %v", err)
		}
	}
}
