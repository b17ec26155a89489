package delivery

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// most is the greatest number of places that can be taken, by trying everything.
func most(needs []int, people int, fits func(group, person int) bool) int {
	if people == 0 {
		return 0
	}
	p := people - 1
	best := most(needs, p, fits) // without the last person
	for g := range needs {
		if needs[g] == 0 || !fits(g, p) {
			continue
		}
		left := slices.Clone(needs)
		left[g]--
		best = max(best, 1+most(left, p, fits))
	}
	return best
}

func total(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

func TestSeatsAreTheMostThatCanBeTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		needs := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 4).Draw(t, "needs")
		people := rapid.IntRange(0, 6).Draw(t, "people")
		in := rapid.SliceOfN(rapid.Bool(), len(needs)*people, len(needs)*people).Draw(t, "in")
		fits := func(g, p int) bool { return in[g*people+p] }
		have := seats(needs, people, fits)
		for g := range needs {
			if have[g] < 0 || have[g] > needs[g] {
				t.Fatalf("group %d has %d of %d", g, have[g], needs[g])
			}
		}
		if got, want := total(have), most(needs, people, fits); got != want {
			t.Fatalf("%d places are taken of %v, and could be %d", got, have, want)
		}
		// What earlier groups can have they have, whoever comes later.
		for g := range needs {
			if want := most(needs[:g+1], people, fits); total(have[:g+1]) != want {
				t.Fatalf("groups up to %d have %v, and could have %d", g, have[:g+1], want)
			}
		}
	})
}
