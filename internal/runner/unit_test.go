package runner

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/api"
)

func split(limit int, chunks ...string) (lines []string) {
	s := &splitter{max: limit}
	emit := func(line []byte, cut int) { lines = append(lines, fmt.Sprintf("%s/%d", line, cut)) }
	for _, c := range chunks {
		s.feed([]byte(c), emit)
	}
	s.finish(emit)
	return lines
}

func TestLines(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a\nb\n", "a/0 b/0"},
		{"a|b|\n|\nc", "ab/0 /0 c/0"},
		{"dos\r\nlast\r\r\n", "dos/0 last/0"},
		{"10%\r20%\r|30%\n", "30%/0"},
		{"0123456789abc\nx\n", "01234567/5 x/0"},
		{"0123|4567|89ab|c", "01234567/5"},
		{"01234567890123\rshort|er\n", "shorter/0"},
		{"", ""},
	} {
		if got := strings.Join(split(8, strings.Split(c.in, "|")...), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

// However a text is cut into chunks, its lines are the same.
func TestLinesAnyChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := rapid.SliceOf(rapid.StringMatching(`[ab\n]{0,20}`)).Draw(t, "chunks")
		if got, want := split(12, chunks...), split(12, strings.Join(chunks, "")); !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

func TestOverlappingSecrets(t *testing.T) {
	m := newMasker([]string{"abcdef", "defghi", "ghi", "abcd"})
	if got := m.text("xabcdefghix abcd"); got != "x***x ***" {
		t.Errorf("%q", got)
	}
}

func TestMaskHoldsAtTheLimit(t *testing.T) {
	m := newMasker([]string{"secret"})
	for i := range 20 {
		got := m.mask(strings.Repeat("x", i)+"secret"+strings.Repeat("y", 20), 10)
		if strings.Contains(got, "se") || len(got) > 13 {
			t.Errorf("at %d: %q", i, got)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("some text with a pass word in it", "pass word", 20)
	f.Fuzz(func(t *testing.T, text, secret string, limit int) {
		if limit < 0 || len(secret) > 1000 || strings.Contains(blot+blot, secret) {
			return
		}
		m := newMasker([]string{secret})
		got := m.mask(text, limit)
		if trimmed := strings.TrimSpace(secret); len(trimmed) >= minSecret && !strings.Contains(trimmed, "*") && !strings.Contains(trimmed, "\n") && strings.Contains(got, trimmed) {
			t.Fatalf("%q in %q", trimmed, got)
		}
	})
}

func write(t interface{ Fatal(...any) }, s *spool, from, n int) {
	var lines []api.LogLine
	for i := range n {
		lines = append(lines, api.LogLine{At: 1, Step: "s", Stream: "out", Text: fmt.Sprint("line ", from+i)})
	}
	if err := s.add(lines); err != nil {
		t.Fatal(err)
	}
}

// Whatever the server answers and however little fits, it learns of every line
// or gap, in order, and of each line's own text.
func TestSpoolAgainstAnyServer(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := newSpool(dir, rapid.SampledFrom([]int64{400, 2000, 1 << 20}).Draw(t, "limit"), 0)
		defer s.close()
		written, held := 0, int64(0)
		exchange := func(answer func(held, last int64) int64) {
			b, ok, err := s.take()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return
			}
			if rapid.Bool().Draw(t, "meanwhile") {
				write(t, s, written+1, 7)
				written += 7
			}
			var sent api.LogBatch
			if err := json.Unmarshal(b.body, &sent); err != nil {
				t.Fatalf("%v in %s", err, b.body)
			}
			if from := sent.First; sent.Gap != nil && sent.Gap.To != from-1 || sent.Gap == nil && from > held+1 || sent.Gap != nil && sent.Gap.From > held+1 {
				t.Fatalf("server holds %d, got %s", held, b.body)
			}
			for i, l := range sent.Lines {
				if want := fmt.Sprint("line ", sent.First+int64(i)); l.Text != want {
					t.Fatalf("%q, want %q", l.Text, want)
				}
			}
			held = answer(held, sent.First+int64(len(sent.Lines))-1)
			if _, err := s.acknowledge(b, api.LogAck{Line: held}); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			n := rapid.IntRange(0, 40).Draw(t, "lines")
			write(t, s, written+1, n)
			written += n
			exchange(func(held, last int64) int64 {
				return rapid.SampledFrom([]int64{last, last, held, max(held, (held+last)/2), held / 2}).Draw(t, "ack")
			})
		}
		for i := 0; !s.drained(); i++ {
			if i > 1000 {
				t.Fatal("never drained")
			}
			exchange(func(_, last int64) int64 { return last })
		}
		if held != int64(written) {
			t.Fatalf("server holds %d of %d lines", held, written)
		}
	})
}

func TestAFullSpoolKeepsNothing(t *testing.T) {
	s := newSpool(t.TempDir(), 1<<20, 0)
	defer s.close()
	write(t, s, 1, 10)
	b, _, err := s.take()
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, 11, 10)
	if _, err := s.acknowledge(b, api.LogAck{Line: 3, Full: true}); err != nil {
		t.Fatal(err)
	}
	write(t, s, 21, 10)
	if _, more, err := s.take(); more || err != nil || !s.drained() || len(s.segments) > 0 || s.next != 31 {
		t.Errorf("more %v, %v; %d files, next line %d", more, err, len(s.segments), s.next)
	}
}

func TestCloneURLIsShownWithoutUser(t *testing.T) {
	for raw, want := range map[string]string{
		"https://bot:t0ken@git.example.com/a/b.git": "https://git.example.com/a/b.git",
		"git@git.example.com:a/b.git":               "git@git.example.com:a/b.git",
	} {
		if got := withoutUser(raw); got != want {
			t.Errorf("%s is shown as %s", raw, got)
		}
	}
}

func TestInside(t *testing.T) {
	root := t.TempDir()
	for _, rel := range []string{"..", "../x", "/etc", ""} {
		if got, err := inside(root, rel); err == nil {
			t.Errorf("%q is inside: %s", rel, got)
		}
	}
}
