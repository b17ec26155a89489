package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

func TestWRROrder(t *testing.T) {
	r := newWRR([]int{5, 1, 1})
	var got []int
	for range 7 {
		got = append(got, r.next(func(int) bool { return false }))
	}
	if diff := cmp.Diff([]int{0, 0, 1, 0, 2, 0, 0}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWRRIsExactOverEveryRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(0, 100), 1, 6).Draw(t, "weights")
		total := 0
		for _, w := range weights {
			total += w
		}
		r := newWRR(weights)
		count := make([]int, len(weights))
		for n := range 3 * total {
			i := r.next(func(int) bool { return false })
			count[i]++
			for j, w := range weights {
				// Never further from its share than the number of others.
				if off := count[j]*total - w*(n+1); off > len(weights)*total || -off > len(weights)*total {
					t.Fatalf("after %d picks item %d has %d of weights %v", n+1, j, count[j], weights)
				}
			}
		}
		for i, w := range weights {
			if count[i] != 3*w {
				t.Fatalf("weights %v gave %v", weights, count)
			}
		}
	})
}

func TestWRRSkips(t *testing.T) {
	r := newWRR([]int{1, 1})
	if i := r.next(func(i int) bool { return i == 0 }); i != 1 {
		t.Errorf("picked %d", i)
	}
	if i := r.next(func(int) bool { return true }); i != -1 {
		t.Errorf("picked %d of nothing", i)
	}
}

func planned(weights map[string]int, replicas int) local.Wish {
	w := local.Wish{}
	for _, id := range []string{"a", "b", "c"} {
		if weight, ok := weights[id]; ok {
			w.Versions = append(w.Versions, local.Version{ID: id, Weight: weight, Config: local.Config{Replicas: replicas}})
		}
	}
	return w
}

func TestDecideAndRoute(t *testing.T) {
	spec := func(id string) string { return specOf(local.Version{ID: id}, 0) }
	slot := func(id string, ready bool) slotView { return slotView{version: id, spec: spec(id), ready: ready} }
	old := func(id string, ready bool) slotView { return slotView{version: id, spec: "old", ready: ready} }
	for name, c := range map[string]struct {
		wish   local.Wish
		slots  []slotView
		start  string
		retire []int
		routes string
	}{
		"first":                   {planned(map[string]int{"a": 100}, 2), nil, "a a", nil, ""},
		"steady":                  {planned(map[string]int{"a": 100}, 1), []slotView{slot("a", true)}, "", nil, "a=100[0]"},
		"canary starts":           {planned(map[string]int{"a": 75, "b": 25}, 1), []slotView{slot("a", true)}, "b", nil, "a=75[0]"},
		"canary not healthy yet":  {planned(map[string]int{"a": 75, "b": 25}, 1), []slotView{slot("a", true), slot("b", false)}, "", nil, "a=75[0]"},
		"canary healthy":          {planned(map[string]int{"a": 75, "b": 25}, 1), []slotView{slot("a", true), slot("b", true)}, "", nil, "a=75[0] b=25[1]"},
		"replaced, new not ready": {planned(map[string]int{"b": 100}, 1), []slotView{slot("a", true), slot("b", false)}, "", nil, "a=1[0]"},
		"replaced, new ready":     {planned(map[string]int{"b": 100}, 1), []slotView{slot("a", true), slot("b", true)}, "", []int{0}, "b=100[1]"},
		"replaced while unready":  {planned(map[string]int{"b": 100}, 1), []slotView{slot("a", false), slot("b", false)}, "", []int{0}, ""},
		"weight 0 steps in":       {planned(map[string]int{"a": 100, "b": 0}, 1), []slotView{slot("a", false), slot("b", true)}, "", nil, "b=1[1]"},
		"weight 0 before removed": {planned(map[string]int{"a": 100, "b": 0}, 1), []slotView{slot("a", false), slot("b", true), slot("c", true)}, "", []int{2}, "b=1[1]"},
		"restart, new not ready":  {planned(map[string]int{"a": 100}, 1), []slotView{old("a", true), slot("a", false)}, "", nil, "a=100[0]"},
		"restart, new ready":      {planned(map[string]int{"a": 100}, 1), []slotView{old("a", true), slot("a", true)}, "", []int{0}, "a=100[1]"},
		"fewer replicas":          {planned(map[string]int{"a": 100}, 1), []slotView{slot("a", true), slot("a", true), slot("a", false)}, "", []int{2, 1}, "a=100[0]"},
		"all removed":             {planned(nil, 1), []slotView{slot("a", true), slot("b", false)}, "", []int{0, 1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			start, retire := decide(c.wish, c.slots)
			var ids []string
			for _, n := range start {
				ids = append(ids, n.version.ID)
			}
			if got := strings.Join(ids, " "); got != c.start {
				t.Errorf("start %q, want %q", got, c.start)
			}
			if diff := cmp.Diff(c.retire, retire); diff != "" {
				t.Error(diff)
			}
			for _, i := range retire {
				c.slots[i].retiring = true
			}
			var parts []string
			for _, r := range routes(c.wish, c.slots) {
				parts = append(parts, fmt.Sprintf("%s=%d%v", r.version, r.weight, r.slots))
			}
			if got := strings.Join(parts, " "); got != c.routes {
				t.Errorf("routes %q, want %q", got, c.routes)
			}
		})
	}
}

// Whatever is wished for and whatever runs, a decision never takes the last
// ready instance away from requests while a version is wished for.
func TestDecideNeverUnserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SampledFrom([]string{"a", "b", "c"})
		w := planned(rapid.MapOfN(ids, rapid.IntRange(0, 100), 1, 3).Draw(t, "weights"), rapid.IntRange(1, 3).Draw(t, "replicas"))
		slots := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) slotView {
			id := ids.Draw(t, "id")
			spec := rapid.SampledFrom([]string{"old", specOf(local.Version{ID: id}, 0)}).Draw(t, "spec")
			return slotView{version: id, spec: spec, ready: rapid.Bool().Draw(t, "ready"), retiring: rapid.Bool().Draw(t, "retiring")}
		}), 0, 8).Draw(t, "slots")
		before := len(routes(w, slots))
		_, retire := decide(w, slots)
		for _, i := range retire {
			slots[i].retiring = true
		}
		if before > 0 && len(routes(w, slots)) == 0 {
			t.Fatalf("nobody serves %+v after retiring %v", w, retire)
		}
	})
}

func TestVitals(t *testing.T) {
	sick := errors.New("500")
	v := vitals{every: time.Second}
	if v.pause() != 2*time.Millisecond {
		t.Errorf("first pause %s", v.pause())
	}
	for range 10 {
		v.note(sick, false)
	}
	if v.ready || v.pause() != 50*time.Millisecond {
		t.Errorf("starting: %+v", v)
	}
	v.note(nil, false)
	v.note(sick, false)
	v.note(sick, false)
	if !v.ready || v.pause() != time.Second {
		t.Errorf("two failures: %+v", v)
	}
	v.note(sick, false)
	if v.ready {
		t.Error("three failures, still ready")
	}
	v.note(nil, false)
	v.note(sick, true)
	if v.ready {
		t.Error("refused a caller and failed a probe, still ready")
	}
}

func TestRestartPauseGrowsToItsLimit(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 8: 10 * time.Second, 1000: 10 * time.Second} {
		if got := restartPause(n); got != want {
			t.Errorf("after crash %d: %s, want %s", n, got, want)
		}
	}
}

func TestLogIsBoundedAndTailsOverRotation(t *testing.T) {
	l := newLogFile(filepath.Join(t.TempDir(), "log", "r1.log"), 1000)
	defer l.close()
	for i := range 200 {
		if _, err := fmt.Fprintf(l, "line %03d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	tail := l.tail(150)
	if len(tail) < 112 || tail[len(tail)-1] != "line 199" {
		t.Errorf("%d lines, the last %q", len(tail), tail[len(tail)-1])
	}
	var out bytes.Buffer
	if err := l.copyTo(t.Context(), &out, 120, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 120 || lines[0] != "line 080" || lines[119] != "line 199" {
		t.Errorf("%d lines from %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
}

func TestLastLines(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"a\nb\nc\n", 2, "b\nc\n"}, {"a\nb\nc", 2, "b\nc"}, {"a\nb\n", 5, "a\nb\n"}, {"a\n", 0, ""}, {"", 3, ""},
	} {
		if got := c.text[lastLines([]byte(c.text), c.n):]; got != c.want {
			t.Errorf("last %d of %q: %q", c.n, c.text, got)
		}
	}
}

func TestCopyLinesLosesNothing(t *testing.T) {
	text := strings.Repeat("x", 100_000) + "\nshort\nno end"
	var out bytes.Buffer
	_ = copyLines(&out, &dribble{strings.NewReader(text)})
	if out.String() != text {
		t.Errorf("%d bytes of %d", out.Len(), len(text))
	}
}

// dribble reads in pieces of any size.
type dribble struct{ r *strings.Reader }

func (d *dribble) Read(p []byte) (int, error) {
	return d.r.Read(p[:min(len(p), 1+rand.IntN(5000))])
}

func TestHubTellsWhatChanged(t *testing.T) {
	h := newHub(time.UnixMicro(1000))
	h.touch("a/x")
	first := h.wait(t.Context(), 0)
	if !first.full || first.version != 1001 {
		t.Errorf("first: %+v", first)
	}
	h.touch("b/x")
	h.remove("a/x")
	got := h.wait(t.Context(), first.version)
	if diff := cmp.Diff(news{version: 1003, changed: []string{"b/x"}, removed: []string{"a/x"}}, got, cmp.AllowUnexported(news{})); diff != "" {
		t.Error(diff)
	}
	if other := h.wait(t.Context(), 99_999); !other.full {
		t.Errorf("number of another life: %+v", other)
	}
}
