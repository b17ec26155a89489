package runner

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// FuzzGlob compares with the plain definition, and asks that the search reaches
// whatever matches.
func FuzzGlob(f *testing.F) {
	f.Add("target/**/TEST-*.xml", "target/a/b/TEST-x.xml")
	f.Add("**/**/a", "a")
	f.Add("[a-", "a")
	f.Add("**/node_modules/*", "node_modules/x")
	f.Add("*/../x", "a/../x")
	f.Fuzz(func(t *testing.T, pattern, file string) {
		if strings.Count(pattern, delivery.AnyFolders) > 4 || len(pattern) > 200 || len(file) > 200 {
			return // the plain definition takes too long
		}
		g, name := newGlob(pattern), strings.Split(file, "/")
		got := delivery.PathPattern(g).Matches(name)
		if want := plainMatch(g, name); got != want {
			t.Fatalf("%q matches %q: %v, by definition %v", pattern, file, got, want)
		}
		if !got || slices.ContainsFunc(name, func(s string) bool { return slices.Contains(unsearched[:], s) }) {
			return
		}
		for i := 1; i < min(len(name), deepest); i++ {
			if !g.leads(name[:i]) {
				t.Fatalf("%q matches %q, but the search does not enter %q", pattern, file, name[:i])
			}
		}
	})
}

func plainMatch(g glob, file []string) bool {
	switch {
	case len(g) == 0:
		return len(file) == 0
	case len(g) == 1 && g[0] == delivery.AnyFolders:
		return len(file) > 0 // whatever is below
	case g[0] == delivery.AnyFolders:
		return plainMatch(g[1:], file) || len(file) > 0 && plainMatch(g, file[1:])
	}
	return len(file) > 0 && delivery.MatchName(g[0], file[0]) && plainMatch(g[1:], file[1:])
}

// FuzzStat: a program may choose its own name, which stands in the middle.
func FuzzStat(f *testing.F) {
	f.Add("sh", int64(7))
	f.Add("a) R 1 (b", int64(0))
	f.Add("\n )", int64(-1))
	tail := " S 11 22 33 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 4096 "
	f.Fuzz(func(t *testing.T, name string, pages int64) {
		line := "42 (" + name + ")" + tail + "5 18446744073709551615 1"
		p, ok := parseStat([]byte(line))
		if strings.Contains(name, ")") && !ok {
			t.Fatalf("%q is not read", line)
		}
		if !ok || p.pid != 42 || p.parent != 11 || p.group != 22 || p.state != 'S' {
			t.Fatalf("%q is read as %+v, %v", line, p, ok)
		}
		_, _ = parseStat([]byte(name)) // anything else is refused without a crash
	})
}

// FuzzSplitter: lines do not depend on how a stream arrives in pieces, and none is
// longer than it may be.
func FuzzSplitter(f *testing.F) {
	f.Add([]byte("a\nb\r\nc\rd\n"), 3)
	f.Add(bytes.Repeat([]byte("x"), 100), 7)
	f.Add([]byte("1%\r2%\r\n\r\r\n\n"), 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		const limit = 16
		size = max(1, min(size, len(stream)))
		whole, pieces := splitter{max: limit}, splitter{max: limit}
		var want, got []string
		var lost, lostToo int
		whole.feed(stream, func(line []byte, cut int) { want, lost = append(want, string(line)), lost+cut })
		whole.finish(func(line []byte, cut int) { want, lost = append(want, string(line)), lost+cut })
		for chunk := range slices.Chunk(stream, max(size, 1)) {
			pieces.feed(chunk, func(line []byte, cut int) { got, lostToo = append(got, string(line)), lostToo+cut })
		}
		pieces.finish(func(line []byte, cut int) { got, lostToo = append(got, string(line)), lostToo+cut })
		ends := bytes.Count(stream, []byte{'\n'})
		if len(got) != len(want) || len(got) < ends || len(got) > ends+1 {
			t.Fatalf("%d lines in one piece, %d in pieces, %d line ends", len(want), len(got), ends)
		}
		for i := range got {
			if len(got[i]) > limit || strings.ContainsAny(got[i], "\n\r") {
				t.Fatalf("line %q", got[i])
			}
		}
		if !bytes.ContainsRune(stream, '\r') && (!slices.Equal(want, got) || lost != lostToo) {
			t.Fatalf("in one piece %q (%d cut), in pieces %q (%d cut)", want, lost, got, lostToo)
		}
	})
}
