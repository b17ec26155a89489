package storetest

import (
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func testTakenOver(t *testing.T, db Database) {
	a := start(t, db)
	claim := a.wake(ref("a"))
	a.clock.advance(5 * time.Second)
	b := a.other(db)
	b.claimNone(epoch.Add(10 * time.Second)) // when a's lease ends, unless it renews

	b.clock.advance(5 * time.Second)
	claims, _ := b.claim(10)
	taken := b.single(claims, ref("a"))

	// The old owner can do nothing any more, not even what it had not begun. Whoever
	// asked it may ask the other one.
	for _, c := range []delivery.Change{{Done: &claim}, {Runs: []*delivery.Run{NewRun(newID(), "shop", "dev")}}} {
		_, err := a.Commit(t.Context(), &c)
		a.wantKind(delivery.Unavailable, err)
	}
	a.wantKind(delivery.Unavailable, a.PutOff(t.Context(), claim, epoch, "late"))
	a.wantKind(delivery.Conflict, a.Renew(t.Context()))
	_, _, err := a.Claim(t.Context(), 1)
	a.wantKind(delivery.Unavailable, err)

	b.none(b.commit(delivery.Change{Done: &taken}))
}

func testRenewed(t *testing.T, db Database) {
	a := start(t, db)
	claim := a.wake(ref("a"))
	b := a.other(db)
	for range 5 {
		a.clock.advance(6 * time.Second)
		a.must(a.Renew(t.Context()))
		b.must(b.Renew(t.Context()))
		b.claimNone(a.clock.Now().Add(10 * time.Second))
	}
	// A wake that the other replica makes is still the owner's.
	b.none(b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref("a")}}}))
	a.single(a.commit(delivery.Change{Done: &claim}), ref("a"))

	// A lease that ended is not lost until somebody takes over.
	a.clock.advance(time.Hour)
	a.must(a.Renew(t.Context()))
}

func testClosedGivesBack(t *testing.T, db Database) {
	a := start(t, db)
	a.wake(ref("a"))
	b := a.other(db)
	a.must(a.Close())
	claims, _ := b.claim(1)
	b.single(claims, ref("a"))
}

// testEndedMeanwhile: while one replica takes over from another, nothing of the other
// comes through that is not seen by the one that takes over.
func testEndedMeanwhile(t *testing.T, db Database) {
	a := start(t, db)
	b := a.other(db)
	for range 3 {
		a.clock.advance(4 * time.Second)
		b.must(b.Renew(t.Context()))
	}
	written, took := make(chan delivery.RunID), make(chan struct{})
	// A database may be slow to let the other one in between so many writes, so at some
	// time they wait for it.
	const busy = 50
	go func() {
		defer close(written)
		for n := 0; n <= busy; n++ {
			if n == busy {
				<-took
			}
			r := NewRun(newID(), "shop", "dev")
			if _, err := a.Commit(t.Context(), &delivery.Change{Runs: []*delivery.Run{r}, Wakes: []delivery.Wake{{Ref: r.Ref()}}}); err != nil {
				a.wantKind(delivery.Unavailable, err)
				return
			}
			written <- r.ID
		}
		t.Error("who was taken over from writes on")
	}()
	wrote := map[string]bool{string(<-written): true} // it is at it
	var claims []delivery.Claim
	go func() {
		defer close(took)
		claims, _ = b.claim(2 * busy)
	}()
	for id := range written {
		wrote[string(id)] = true
	}
	<-took
	for _, c := range claims {
		delete(wrote, c.Ref.ID)
	}
	if len(wrote) > 0 {
		t.Errorf("%d wakes were written beside the take-over, and are nobody's", len(wrote))
	}
}

// testAwayForAll: a replica that could not renew its own lease does not hold it
// against others that theirs has ended as well.
func testAwayForAll(t *testing.T, db Database) {
	a := start(t, db)
	b := a.other(db)
	claim := a.wake(ref("a"))
	a.clock.advance(time.Minute) // the database was away
	claims, _ := b.claim(10)
	b.none(claims)
	b.must(b.Renew(t.Context()))
	b.claimNone(b.clock.Now().Add(10 * time.Second))
	a.must(a.Renew(t.Context()))
	a.none(a.commit(delivery.Change{Done: &claim}))

	a.wake(ref("b"))
	for range 3 { // a does not come back this time
		b.clock.advance(4 * time.Second)
		b.must(b.Renew(t.Context()))
	}
	claims, _ = b.claim(10)
	b.single(claims, ref("b"))
}
