package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

var zero time.Time

func testCommitterKeeps(t *testing.T, db Database) {
	b := start(t, db)
	claims := b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref("a")}, {Ref: ref("b"), At: epoch}, {Ref: ref("a")}}})
	want := []delivery.Claim{{Ref: ref("a"), Seq: 1}, {Ref: ref("b"), Seq: 1}}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	b.claimNone(zero)
	if b.signaled() {
		t.Error("a signal came though nothing is left to claim")
	}
}

func testWakeLater(t *testing.T, db Database) {
	b := start(t, db)
	due := epoch.Add(time.Minute + 1) // a nanosecond too much for the database
	b.none(b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref("a"), At: due}}}))
	if !b.signaled() {
		t.Error("no signal came for a wake that Commit did not hand out")
	}
	rounded := epoch.Add(time.Minute + time.Millisecond)
	b.claimNone(rounded)
	b.clock.advance(time.Minute)
	b.claimNone(rounded)
	b.clock.advance(time.Millisecond)
	claims, next := b.claim(10)
	b.single(claims, ref("a"))
	if !next.IsZero() {
		t.Errorf("next is %v though no wake waits", next)
	}
}

func testWakeEarliest(t *testing.T, db Database) {
	b := start(t, db)
	for _, after := range []time.Duration{time.Minute, time.Hour, time.Second, time.Hour} {
		b.none(b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref("a"), At: epoch.Add(after)}}}))
	}
	b.claimNone(epoch.Add(time.Second))
	if c := b.wake(ref("a")); c.Seq != 5 {
		t.Errorf("a wake that was called for 5 times has seq %d", c.Seq)
	}
	b.claimNone(zero)
}

func testDone(t *testing.T, db Database) {
	b := start(t, db)
	c := b.wake(ref("a"))
	b.none(b.commit(delivery.Change{Done: &c}))
	b.claimNone(zero)
	b.refuse(delivery.Change{Done: &c})
	b.wantKind(delivery.Conflict, b.PutOff(t.Context(), c, epoch, "late"))
}

// testWokenMeanwhile: a wake for what is being worked on is neither handed to a
// second worker nor lost.
func testWokenMeanwhile(t *testing.T, db Database) {
	b := start(t, db)
	c := b.wake(ref("a"))
	b.none(b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref("a")}}}))
	b.none(b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref("a"), At: epoch.Add(time.Hour)}}}))
	b.claimNone(zero)

	// What the worker decided before it saw the wakes does not put them off.
	again := b.single(b.commit(delivery.Change{Done: &c, Wakes: []delivery.Wake{{Ref: ref("a"), At: epoch.Add(time.Hour)}}}), ref("a"))
	if again.Seq <= c.Seq || again.Tries != 0 {
		t.Errorf("got %+v after %+v", again, c)
	}
	b.claimNone(zero)
	b.none(b.commit(delivery.Change{Done: &again}))
	b.claimNone(zero)
}

func testDoneAndAgain(t *testing.T, db Database) {
	b := start(t, db)
	c := b.wake(ref("a"))
	c = b.single(b.commit(delivery.Change{Done: &c, Wakes: []delivery.Wake{{Ref: ref("a")}}}), ref("a"))
	b.claimNone(zero)
	b.none(b.commit(delivery.Change{Done: &c, Wakes: []delivery.Wake{{Ref: ref("a"), At: epoch.Add(time.Minute)}}}))
	if !b.signaled() {
		t.Error("no signal came for the wake that was left")
	}
	b.claimNone(epoch.Add(time.Minute))
	b.wake(ref("a")) // free, so the next committer keeps it
}

func testPutOff(t *testing.T, db Database) {
	b := start(t, db)
	c := b.wake(ref("a"))
	for tries := range 3 {
		if c.Tries != tries {
			t.Errorf("claim says %d tries, want %d", c.Tries, tries)
		}
		b.must(b.PutOff(t.Context(), c, b.clock.Now().Add(time.Second), "the forge does not answer"))
		if !b.signaled() {
			t.Error("no signal came after PutOff")
		}
		b.claimNone(b.clock.Now().Add(time.Second))
		b.clock.advance(time.Second)
		claims, _ := b.claim(1)
		c = b.single(claims, ref("a"))
	}
	c = b.single(b.commit(delivery.Change{Done: &c, Wakes: []delivery.Wake{{Ref: ref("a")}}}), ref("a"))
	if c.Tries != 0 {
		t.Errorf("a completed claim left %d tries", c.Tries)
	}
}

func testPutOffMeanwhile(t *testing.T, db Database) {
	b := start(t, db)
	c := b.wake(ref("a"))
	b.none(b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref("a")}}}))
	b.must(b.PutOff(t.Context(), c, epoch.Add(time.Hour), "busy"))
	claims, _ := b.claim(1)
	b.single(claims, ref("a"))
}

func testClaimOrder(t *testing.T, db Database) {
	b := start(t, db)
	for _, s := range []int{3, 1, 2, 4} {
		b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref(fmt.Sprint(s)), At: epoch.Add(time.Duration(s) * time.Second)}}})
	}
	b.clock.advance(3 * time.Second)
	claims, next := b.claim(2)
	if len(claims) != 2 || claims[0].Ref != ref("1") || claims[1].Ref != ref("2") || !next.Equal(epoch.Add(3*time.Second)) {
		t.Errorf("got %v, next %v", claims, next)
	}
	claims, next = b.claim(2)
	b.single(claims, ref("3"))
	if !next.Equal(epoch.Add(4 * time.Second)) {
		t.Errorf("next is %v", next)
	}
}

// testNoneTwice: replicas that claim at once never get the same wake.
func testNoneTwice(t *testing.T, db Database) {
	a := start(t, db)
	b := a.other(db)
	const n = 60
	for i := range n {
		a.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref(fmt.Sprint(i)), At: epoch.Add(time.Second)}}})
	}
	a.clock.advance(time.Second)
	var mu sync.Mutex
	seen := map[delivery.Ref]int{}
	var all sync.WaitGroup
	for _, r := range []bench{a, b, a, b} {
		all.Go(func() {
			for {
				claims, _, err := r.Claim(t.Context(), 7)
				if err != nil {
					t.Error(err)
				}
				if len(claims) == 0 {
					return
				}
				mu.Lock()
				for _, c := range claims {
					seen[c.Ref]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for ref, times := range seen {
		if times != 1 {
			t.Errorf("%v was claimed %d times", ref, times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d wakes were claimed, want %d", len(seen), n)
	}
}

// testExclusive: whatever replicas wake, claim, put off and finish at once, a ref is
// worked on by one of them at a time, and none is forgotten.
func testExclusive(t *testing.T, db Database) {
	a := start(t, db)
	j := juggle{t: t, working: map[delivery.Ref]string{}}
	const rounds = 40
	var all sync.WaitGroup
	for i, r := range []bench{a, a.other(db)} {
		for w := range 3 {
			all.Go(func() { j.work(r, fmt.Sprintf("replica %d worker %d", i, w), rounds) })
		}
	}
	all.Wait()
	for {
		claims, next := a.claim(10)
		if len(claims) == 0 {
			if !next.IsZero() {
				t.Errorf("a wake is left that nobody may claim before %v", next)
			}
			return
		}
		for _, c := range claims {
			j.finish(a, "the end", c)
		}
	}
}

// juggle watches who works on what.
type juggle struct {
	t       *testing.T
	mu      sync.Mutex
	working map[delivery.Ref]string
}

func (j *juggle) begin(who string, c delivery.Claim) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if other := j.working[c.Ref]; other != "" {
		j.t.Errorf("%s got %v while %s works on it", who, c, other)
	}
	j.working[c.Ref] = who
}

func (j *juggle) end(c delivery.Claim) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.working, c.Ref)
}

// work wakes refs that others wake as well, and works on what it gets.
func (j *juggle) work(r bench, who string, rounds int) {
	for round := range rounds {
		c := delivery.Change{Wakes: []delivery.Wake{{Ref: ref(fmt.Sprint(round % 4))}, {Ref: ref(fmt.Sprint((round + 1) % 4))}}}
		claims, err := r.Commit(j.t.Context(), &c)
		if err != nil {
			j.t.Errorf("%s: %v", who, err)
		}
		due, _, err := r.Claim(j.t.Context(), 2)
		if err != nil {
			j.t.Errorf("%s: %v", who, err)
		}
		for i, c := range append(claims, due...) {
			if i == 0 && round%3 == 0 {
				j.begin(who, c)
				j.end(c)
				if err := r.PutOff(j.t.Context(), c, epoch, "busy"); err != nil {
					j.t.Errorf("%s puts off: %v", who, err)
				}
				continue
			}
			j.finish(r, who, c)
		}
	}
}

// finish works on a claim until nobody has woken it meanwhile.
func (j *juggle) finish(r bench, who string, c delivery.Claim) {
	for claims := []delivery.Claim{c}; len(claims) > 0; {
		j.begin(who, claims[0])
		j.end(claims[0]) // before the commit: afterwards it may be another's
		var err error
		if claims, err = r.Commit(j.t.Context(), &delivery.Change{Done: &claims[0]}); err != nil {
			j.t.Errorf("%s finishes: %v", who, err)
		}
	}
}
