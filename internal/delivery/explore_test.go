package delivery_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"pgregory.net/rapid"
)

// t0 is the instant at which everything in the enumerations happens: times are
// left out of the state space.
var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// machine is one state machine as the enumeration sees it.
type machine[S any] struct {
	start  []S
	events []event[S]
	apply  func(S, delivery.Event) (S, error)
	// fold maps states that differ only in what grows without bound (attempts,
	// generations) to one; nil when nothing does.
	fold func(S) S
	// terminal tells whether nothing may change any more; nil for a machine that
	// never ends.
	terminal func(S) bool
	// due renders what Next gives, or whom the state waits for.
	due func(S) string
}

// event is one column of a table. make returns nil where it cannot come up.
type event[S any] struct {
	name string
	make func(S) delivery.Event
}

// space is every reachable state with its way to every other.
type space[S any] struct {
	machine machine[S]
	states  []S
	steps   [][]step // per state, per event
}

// step is what one event does in one state.
type step struct {
	absent  bool
	refused string
	changed bool
	to      int
}

// explore walks the whole state space breadth first, and proves on every step
// that Apply is a function and leaves its receiver alone.
func explore[S any](t *testing.T, m machine[S]) space[S] {
	t.Helper()
	if m.fold == nil {
		m.fold = func(s S) S { return s }
	}
	found := map[string]int{}
	sp := space[S]{machine: m}
	add := func(s S) int {
		key := text(t, m.fold(s))
		i, known := found[key]
		if !known {
			i = len(sp.states)
			found[key] = i
			sp.states = append(sp.states, s)
		}
		return i
	}
	for _, s := range m.start {
		add(s)
	}
	for i := 0; i < len(sp.states); i++ {
		if i > 50_000 {
			t.Fatal("the state space does not end: fold more")
		}
		row := make([]step, len(m.events))
		for k, ev := range m.events {
			row[k] = m.step(t, sp.states[i], ev, i, add)
		}
		sp.steps = append(sp.steps, row)
	}
	return sp
}

func (m machine[S]) step(t *testing.T, s S, ev event[S], at int, add func(S) int) step {
	t.Helper()
	e := ev.make(s)
	if e == nil {
		return step{absent: true, to: at}
	}
	if word, _, _ := strings.Cut(ev.name, " ("); word != e.Name() {
		t.Fatalf("the column %q shows the fact %s", ev.name, e.Name())
	}
	before := text(t, s)
	next, err := m.apply(s, e)
	after := text(t, next)
	if got := text(t, s); got != before {
		t.Fatalf("%s changed its receiver:\n%s\n%s", ev.name, before, got)
	}
	again, errAgain := m.apply(s, e)
	if text(t, again) != after || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		t.Fatalf("%s is not a function of state and fact", ev.name)
	}
	if err != nil {
		if after != before {
			t.Fatalf("%s was refused (%v) and changed the state all the same:\n%s\n%s", ev.name, err, before, after)
		}
		return step{refused: refusal(err), to: at}
	}
	if after == before {
		return step{to: at}
	}
	return step{changed: true, to: add(next)}
}

func refusal(err error) string {
	if errors.Is(err, delivery.ErrGone) {
		return "Gone"
	}
	return map[delivery.Kind]string{delivery.Conflict: "Conflict", delivery.Invalid: "Invalid", delivery.Internal: "Internal"}[delivery.KindOf(err)]
}

// checkEnds proves that terminal states absorb, that every other state can still
// reach one, and that none is stuck.
func (sp space[S]) checkEnds(t *testing.T, name func(S) string) {
	t.Helper()
	canEnd := make([]bool, len(sp.states))
	for i, s := range sp.states {
		canEnd[i] = sp.machine.terminal(s)
		for k, st := range sp.steps[i] {
			if canEnd[i] && st.changed {
				t.Errorf("%s changes the terminal state %q", sp.machine.events[k].name, name(s))
			}
		}
		if !canEnd[i] && sp.machine.due(s) == "" {
			t.Errorf("%q is stuck: Next gives nothing and nobody is waited for\n%s", name(s), text(t, s))
		}
	}
	for grew := true; grew; {
		grew = false
		for i := range sp.states {
			for _, st := range sp.steps[i] {
				if !canEnd[i] && canEnd[st.to] {
					canEnd[i], grew = true, true
				}
			}
		}
	}
	for i, ok := range canEnd {
		if !ok {
			t.Errorf("no way from %q to a terminal state", name(sp.states[i]))
		}
	}
}

func text(t rapid.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
