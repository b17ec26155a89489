package local

import (
	"strings"
	"testing"
)

// FuzzStat: a program may choose its own name, which stands in the middle.
func FuzzStat(f *testing.F) {
	f.Add("sh")
	f.Add("a) R 1 2 3 (b")
	f.Add("\n )")
	f.Fuzz(func(t *testing.T, name string) {
		if state, session := parseStat([]byte("42 (" + name + ") S 11 22 33 0 -1")); state != 'S' || session != 33 {
			t.Fatalf("%q: %c of session %d", name, state, session)
		}
		if state, _ := parseStat([]byte(name)); !strings.Contains(name, " ") && state != 'Z' && len(strings.Fields(name)) < 4 {
			t.Fatalf("%q has the state %c", name, state)
		}
	})
}
