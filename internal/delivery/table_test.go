package delivery_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

//go:generate go test -count=1 -run ^TestState -update .

var update = flag.Bool("update", false, "write testdata/*.table and docs/state/*.md")

// view is one table over a space: rows are named states, columns are events.
type view[S any] struct {
	title string
	state func(S) string
	// group names the state in the diagram; nil is the state itself.
	group func(S) string
	// due replaces the machine's own; nil keeps it.
	due func(S) string
	// only picks the columns by event name; nil is all.
	only func(string) bool
}

// table is a view as it is written. It does not depend on the machine's type.
type table struct {
	title  string
	states []row
	events []string
	edges  []edge
}

type row struct {
	name, due string
	terminal  bool
	cells     []cell
}

// cell is what an event does: a refusal, the next state, or neither.
type cell struct {
	refused, next   string
	stays, takes    bool // seen to change nothing; seen to be taken in without leaving the state
	possible, known bool
}

type edge struct{ from, event, to string }

// tabulate folds the space to the view's named states. It fails when two concrete
// states of one name behave differently, so that the table is exact.
func tabulate[S any](t *testing.T, sp space[S], v view[S]) table {
	t.Helper()
	if v.group == nil {
		v.group = v.state
	}
	if v.due == nil {
		v.due = sp.machine.due
	}
	tab := table{title: v.title}
	var columns []int
	for k, e := range sp.machine.events {
		if v.only == nil || v.only(e.name) {
			columns, tab.events = append(columns, k), append(tab.events, e.name)
		}
	}
	index := map[string]int{}
	for i, s := range sp.states {
		name := v.state(s)
		at, known := index[name]
		if !known {
			at = len(tab.states)
			index[name] = at
			r := row{name: name, due: v.due(s), cells: make([]cell, len(columns))}
			r.terminal = sp.machine.terminal != nil && sp.machine.terminal(s)
			tab.states = append(tab.states, r)
		}
		for c, k := range columns {
			st := sp.steps[i][k]
			next := v.state(sp.states[st.to])
			if !tab.states[at].cells[c].merge(st, next, name) {
				t.Fatalf("%s: %q in %q: both %q and %+v, so this is not one state:\n%s", v.title, tab.events[c], name, tab.states[at].cells[c], st, text(t, s))
			}
			e := edge{v.group(s), tab.events[c], v.group(sp.states[st.to])}
			if st.changed && e.from != e.to && !slices.Contains(tab.edges, e) {
				tab.edges = append(tab.edges, e)
			}
		}
	}
	return tab
}

func (c *cell) merge(st step, next, here string) bool {
	if st.absent {
		return true
	}
	c.possible = true
	if next == here {
		next = ""
	}
	if c.known && (c.refused != st.refused || c.next != next) {
		return false
	}
	c.known, c.refused, c.next = true, st.refused, next
	c.stays = c.stays || !st.changed
	c.takes = c.takes || st.changed
	return true
}

func (c cell) String() string {
	switch {
	case !c.possible:
		return "-"
	case c.refused != "":
		return c.refused
	case c.next != "":
		return "-> " + c.next
	case c.stays && c.takes:
		return "stays, taken in if new"
	case c.takes:
		return "stays, taken in"
	}
	return "no-op"
}

// short is the cell in a matrix whose states are numbered.
func (c cell) short(number map[string]int) string {
	switch {
	case !c.possible:
		return " "
	case c.refused != "":
		return c.refused[:1]
	case c.next != "":
		return fmt.Sprintf("**%d**", number[c.next])
	case c.takes:
		return "="
	}
	return "·"
}

// golden is the long form, a line per cell.
func (tab table) golden() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", tab.title)
	for _, r := range tab.states {
		fmt.Fprintf(&b, "\n%s%s\n", r.name, map[bool]string{true: " (terminal)"}[r.terminal])
		if r.due != "" {
			fmt.Fprintf(&b, "  next: %s\n", r.due)
		}
		for i, c := range r.cells {
			fmt.Fprintf(&b, "    %-36s %s\n", tab.events[i], c)
		}
	}
	return b.String()
}

func (tab table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n", tab.title, tab.diagram())
	number := map[string]int{}
	b.WriteString("| # | state | what comes next |\n|--:|---|---|\n")
	for i, r := range tab.states {
		number[r.name] = i + 1
		fmt.Fprintf(&b, "| %d | %s | %s |\n", i+1, r.name, cmp.Or(r.due, map[bool]string{true: "nothing: final", false: "–"}[r.terminal]))
	}
	b.WriteString("\n| event \\ state |")
	for i := range tab.states {
		fmt.Fprintf(&b, " %d |", i+1)
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(tab.states)) + "\n")
	for c, e := range tab.events {
		fmt.Fprintf(&b, "| %s |", e)
		for _, r := range tab.states {
			fmt.Fprintf(&b, " %s |", r.cells[c].short(number))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// diagram draws the groups; events that lead the same way share an arrow.
func (tab table) diagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	id := func(s string) string { return strings.NewReplacer(" ", "_", ",", "", "'", "", "-", "_").Replace(s) }
	var pairs []edge
	labels := map[edge][]string{}
	nodes := map[string]bool{}
	for _, e := range tab.edges {
		for _, n := range []string{e.from, e.to} {
			if !nodes[n] && id(n) != n {
				fmt.Fprintf(&b, "    state \"%s\" as %s\n", n, id(n))
			}
			nodes[n] = true
		}
		pair := edge{from: e.from, to: e.to}
		if len(labels[pair]) == 0 {
			pairs = append(pairs, pair)
		}
		if name, _, _ := strings.Cut(e.event, " ("); !slices.Contains(labels[pair], name) {
			labels[pair] = append(labels[pair], name)
		}
	}
	if len(pairs) > 0 {
		fmt.Fprintf(&b, "    [*] --> %s\n", id(pairs[0].from))
	}
	for _, p := range pairs {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", id(p.from), id(p.to), strings.Join(labels[p], ", "))
	}
	b.WriteString("```\n")
	return b.String()
}

const pageNotes = `<!-- Generated by "go generate ./internal/delivery" from the machine itself. Do not edit. -->

# %s

%s

In a matrix, **n** goes to state n, = is taken in and stays, · changes nothing, **C**, **G** and **I** refuse with
Conflict, Gone and Invalid, and an empty cell cannot come up. The text in parentheses tells apart facts of one name.

`

// checkPage compares the golden table and the page of a machine with what the
// machine does now, or writes both.
func checkPage(t *testing.T, name, title, intro string, tabs ...table) {
	t.Helper()
	var golden, page strings.Builder
	fmt.Fprintf(&page, pageNotes, title, intro)
	for i, tab := range tabs {
		if i > 0 {
			golden.WriteByte('\n')
			page.WriteByte('\n')
		}
		golden.WriteString(tab.golden())
		page.WriteString(tab.markdown())
	}
	checkFile(t, filepath.Join("testdata", name+".table"), golden.String())
	checkFile(t, filepath.Join("..", "..", "docs", "state", name+".md"), page.String())
}

func checkFile(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run go generate ./internal/delivery and read the difference\n%s", path, firstDifference(string(got), want))
	}
}

func firstDifference(old, now string) string {
	a, b := strings.Split(old, "\n"), strings.Split(now, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d was %q and is %q", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines became %d", len(a), len(b))
}

// describe renders what Next gave.
func describe(actions []delivery.Action, again bool) string {
	var words []string
	for _, a := range actions {
		switch a := a.(type) {
		case delivery.Record:
			words = append(words, "record "+a.Event.Name())
		case delivery.Wake:
			words = append(words, "wake "+string(a.Ref.Kind))
		default:
			words = append(words, strings.TrimPrefix(fmt.Sprintf("%T", a), "delivery."))
		}
	}
	if again {
		words = append(words, "look again later")
	}
	return strings.Join(words, ", ")
}
