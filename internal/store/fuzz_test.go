package store

import (
	"fmt"
	"testing"
)

// FuzzStartTime: a program may choose its own name, which stands in the middle.
func FuzzStartTime(f *testing.F) {
	f.Add("sh", uint64(7))
	f.Add("a) R 1 2 3 (b", uint64(0))
	f.Fuzz(func(t *testing.T, name string, began uint64) {
		line := fmt.Sprintf("42 (%s) S 11 22 33 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 4096", name, began)
		if got := parseStartTime([]byte(line)); got != fmt.Sprint(began) {
			t.Fatalf("%q started at %q", line, got)
		}
		_ = parseStartTime([]byte(name))
	})
}
