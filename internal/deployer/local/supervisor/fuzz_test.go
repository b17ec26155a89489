package supervisor

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzStat: a program may choose its own name, which stands in the middle.
func FuzzStat(f *testing.F) {
	f.Add("sh", uint64(7))
	f.Add("a) R 1 2 3 (b", uint64(0))
	f.Add("\n )", uint64(1<<63))
	f.Fuzz(func(t *testing.T, name string, began uint64) {
		line := fmt.Sprintf("42 (%s) S 11 22 33 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 4096 5", name, began)
		if state, started, err := parseStat([]byte(line)); state != 'S' || started != began || err != nil {
			t.Fatalf("%q: %c, %d, %v", line, state, started, err)
		}
		_, _, _ = parseStat([]byte(name)) // anything else is refused without a crash
	})
}

// FuzzCopyLines: what an app writes arrives whole and in order, however it is cut.
func FuzzCopyLines(f *testing.F) {
	f.Add([]byte("a\nb\n\nc"))
	f.Add(bytes.Repeat([]byte("x"), 70<<10))
	f.Fuzz(func(t *testing.T, output []byte) {
		var got bytes.Buffer
		if err := copyLines(&got, iotest.HalfReader(bytes.NewReader(output))); err == nil {
			t.Fatal("no end")
		}
		if !bytes.Equal(got.Bytes(), output) {
			t.Fatalf("%d bytes of %d", got.Len(), len(output))
		}
		for _, n := range []int{1, 3} {
			if at := lastLines(output, n); strings.Count(strings.TrimSuffix(string(output[at:]), "\n"), "\n") >= n {
				t.Fatalf("more than %d lines of %q", n, output)
			}
		}
	})
}
