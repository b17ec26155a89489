package delivery_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"pgregory.net/rapid"
)

func slot(run, team string, lane, age int) delivery.Slot {
	return delivery.Slot{Run: delivery.RunID(run), Job: build, Team: team, Lane: lane, Since: t0.Add(-time.Duration(age) * time.Second)}
}

// admitted lists the runs that Next admits, in order.
func admitted(t rapid.TB, f delivery.AdmissionFacts) (runs []string) {
	t.Helper()
	actions := delivery.Admission{}.Next(t0, f)
	for i, a := range actions {
		rec, ok := a.(delivery.Record)
		if !ok {
			t.Fatalf("%T is not a record", a)
		}
		switch e := rec.Event.(type) {
		case delivery.JobAdmitted:
			runs = append(runs, rec.On.ID)
		case delivery.JobsAdmitted:
			if e.N != len(runs) || i != len(actions)-1 || rec.On != delivery.AdmissionRef {
				t.Fatalf("counts %d of %d admitted", e.N, len(runs))
			}
		}
	}
	if len(runs) > 0 && len(actions) != len(runs)+1 {
		t.Fatal("an admission was not counted")
	}
	return runs
}

func TestAdmissionOrder(t *testing.T) {
	for name, tc := range map[string]struct {
		facts delivery.AdmissionFacts
		want  string
	}{
		"nothing waits":  {delivery.AdmissionFacts{Capacity: 2}, "[]"},
		"no room":        {delivery.AdmissionFacts{Capacity: 1, Active: []delivery.Slot{slot("x", "a", 0, 9)}, Waiting: []delivery.Slot{slot("1", "a", 0, 1)}}, "[]"},
		"less than none": {delivery.AdmissionFacts{Capacity: 0, Active: []delivery.Slot{slot("x", "a", 0, 9)}, Waiting: []delivery.Slot{slot("1", "a", 0, 1)}}, "[]"},
		"oldest first": {delivery.AdmissionFacts{Capacity: 2, Waiting: []delivery.Slot{
			slot("young", "a", 0, 1), slot("old", "a", 0, 3), slot("middle", "a", 0, 2),
		}}, "[old middle]"},
		"highest lane first": {delivery.AdmissionFacts{Capacity: 2, Waiting: []delivery.Slot{
			slot("dev", "a", 1, 9), slot("prod", "a", 4, 1), slot("test", "a", 2, 5),
		}}, "[prod test]"},
		"the team with less first": {delivery.AdmissionFacts{
			Capacity: 3, Active: []delivery.Slot{slot("x", "a", 0, 9)},
			Waiting: []delivery.Slot{slot("a1", "a", 0, 8), slot("a2", "a", 0, 7), slot("b1", "b", 0, 2), slot("b2", "b", 0, 1)},
		}, "[b1 a1]"},
		"same age by id": {delivery.AdmissionFacts{Capacity: 1, Waiting: []delivery.Slot{slot("2", "a", 0, 1), slot("1", "a", 0, 1)}}, "[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(admitted(t, tc.facts)); got != tc.want {
				t.Errorf("admitted %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAdmissionApply(t *testing.T) {
	a, err := delivery.Admission{Admitted: 3}.Apply(delivery.JobsAdmitted{N: 2})
	if err != nil || a.Admitted != 5 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := a.Apply(delivery.BakeEnded{}); delivery.KindOf(err) != delivery.Internal || err == nil {
		t.Errorf("a stranger's fact: %v", err)
	}
}

func drawSlots(t *rapid.T, name string, most int) []delivery.Slot {
	n := rapid.IntRange(0, most).Draw(t, name)
	slots := make([]delivery.Slot, n)
	for i := range slots {
		team := rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "team")
		slots[i] = slot(fmt.Sprintf("%s-%d", name, i), team, rapid.IntRange(0, 3).Draw(t, "lane"), rapid.IntRange(0, 20).Draw(t, "age"))
	}
	return slots
}

// TestAdmissionKeepsItsPromises: never above capacity, never idle, a higher lane
// before a lower, the team with less before the one with more, the older before the
// younger, each at most once, and the facts are left alone.
func TestAdmissionKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := delivery.AdmissionFacts{
			Capacity: rapid.IntRange(0, 8).Draw(rt, "capacity"),
			Active:   drawSlots(rt, "active", 6), Waiting: drawSlots(rt, "waiting", 12),
		}
		before := text(rt, f)
		runs := admitted(rt, f)
		if text(rt, f) != before {
			rt.Fatal("Next changed its facts")
		}
		room := max(0, f.Capacity-len(f.Active))
		if want := min(room, len(f.Waiting)); len(runs) != want {
			rt.Fatalf("admitted %d, want %d", len(runs), want)
		}
		active := map[string]int{}
		for _, s := range f.Active {
			active[s.Team]++
		}
		left := slices.Clone(f.Waiting)
		for _, id := range runs {
			i := slices.IndexFunc(left, func(s delivery.Slot) bool { return string(s.Run) == id })
			if i < 0 {
				rt.Fatalf("%s was admitted twice or never waited", id)
			}
			chosen := left[i]
			left = slices.Delete(left, i, i+1)
			for _, o := range left {
				switch {
				case o.Lane > chosen.Lane,
					o.Lane == chosen.Lane && active[o.Team] < active[chosen.Team],
					o.Lane == chosen.Lane && o.Team == chosen.Team && o.Since.Before(chosen.Since):
					rt.Fatalf("%+v was admitted before %+v; active %v", chosen, o, active)
				}
			}
			active[chosen.Team]++
		}
	})
}

// TestAdmissionStarvesNobody plays a finite load: whatever order jobs end in,
// each one is admitted.
func TestAdmissionStarvesNobody(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := delivery.AdmissionFacts{Capacity: rapid.IntRange(1, 3).Draw(rt, "capacity"), Waiting: drawSlots(rt, "waiting", 15)}
		total, done := len(f.Waiting), 0
		for range 2 * total {
			for _, id := range admitted(rt, f) {
				i := slices.IndexFunc(f.Waiting, func(s delivery.Slot) bool { return string(s.Run) == id })
				f.Active = append(f.Active, f.Waiting[i])
				f.Waiting = slices.Delete(f.Waiting, i, i+1)
			}
			if n := len(f.Active); n > 0 {
				i := rapid.IntRange(0, n-1).Draw(rt, "ends")
				f.Active, done = slices.Delete(f.Active, i, i+1), done+1
			}
		}
		if done != total {
			rt.Fatalf("%d of %d jobs ran", done, total)
		}
	})
}
