package manifest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// cluster is a model of one Target in a cluster: what applying a shape does, and how
// pods become ready.
type cluster struct {
	stable, canary *halfModel
	serving        bool
	serve          Track
}

type halfModel struct {
	revision delivery.RevisionID
	replicas int
	// ready are pods of the revision; before are ready ones of the revision before it,
	// which stay until the new ones are ready.
	ready, before int
}

func (c *cluster) live() Live {
	return Live{Stable: c.stable.live(), Canary: c.canary.live(), Serving: c.serving, Serve: c.serve}
}

func (h *halfModel) live() *LiveHalf {
	if h == nil {
		return nil
	}
	return &LiveHalf{Revision: h.revision, Replicas: h.replicas, Ready: h.ready, Answering: h.ready + h.before, Complete: h.ready == h.replicas && h.before == 0}
}

func (c *cluster) apply(s Shape) {
	c.stable = c.stable.become(s.Stable)
	if !s.KeepCanary {
		c.canary = c.canary.become(s.Canary)
	}
	c.serving, c.serve = c.serving || s.Stable != nil, s.Serve
}

func (h *halfModel) become(want *Half) *halfModel {
	switch {
	case want == nil:
		return nil
	case h == nil:
		return &halfModel{revision: want.Revision.ID, replicas: want.Replicas}
	case h.revision != want.Revision.ID:
		return &halfModel{revision: want.Revision.ID, replicas: want.Replicas, before: h.before + h.ready}
	}
	next := *h
	next.replicas = want.Replicas
	next.ready = min(next.ready, next.replicas)
	return &next
}

// pods has one more pod become ready, if one is to.
func (h *halfModel) pods() {
	if h == nil {
		return
	}
	h.ready = min(h.ready+1, h.replicas)
	if h.ready == h.replicas {
		h.before = 0
	}
}

// lose takes a Deployment away, or its pods, or the Service.
func (c *cluster) lose(random *rand.Rand) {
	switch h := []*halfModel{c.stable, c.canary}[random.IntN(2)]; {
	case random.IntN(3) == 0:
		c.serving, c.serve = false, TrackBoth
	case h != nil && random.IntN(2) == 0:
		h.ready, h.before = 0, 0
	case random.IntN(2) == 0:
		c.canary = nil
	default:
		c.stable = nil
	}
}

// pods counts all that could take traffic.
func (c *cluster) pods() int {
	n := 0
	for _, h := range []*halfModel{c.stable, c.canary} {
		if h != nil {
			n += h.ready + h.before
		}
	}
	return n
}

// endpoints counts the pods that take traffic.
func (c *cluster) endpoints() int {
	n := 0
	for track, h := range map[Track]*halfModel{TrackStable: c.stable, TrackCanary: c.canary} {
		if h != nil && (c.serve == TrackBoth || c.serve == track) {
			n += h.ready + h.before
		}
	}
	return n
}

func version(n, replicas int) *delivery.Revision {
	return &delivery.Revision{ID: delivery.RevisionID(fmt.Sprint("r", n)), Config: delivery.Config{Replicas: replicas}}
}

// Whatever is wished in whatever order, and whenever, and whatever others take away:
// while there is a pod that answers it is asked, the steps come to an end, and that is
// what was wished.
func TestRolloutNeverStopsServing(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 0))
		var c cluster
		wish := delivery.Desired{Canary: version(0, 1+random.IntN(4)), Share: 100}
		check := func(did string) {
			if c.pods() > 0 && c.endpoints() == 0 && c.serving {
				t.Fatalf("seed %d: nobody answers after %s: %+v, wish %+v", seed, did, c.live(), wish)
			}
		}
		for step := range 60 {
			switch random.IntN(6) {
			case 0:
				wish = anyWish(random, wish)
			case 5:
				if random.IntN(8) == 0 {
					c.lose(random)
					c.apply(Next(wish, c.live()))
					check(fmt.Sprint("loss ", step))
				}
			case 1, 2:
				c.apply(Next(wish, c.live()))
				check(fmt.Sprint("step ", step))
			default:
				c.stable.pods()
				c.canary.pods()
				check(fmt.Sprint("pods ", step))
			}
		}
		for range 40 { // nothing is wished any more
			c.apply(Next(wish, c.live()))
			check("the end")
			c.stable.pods()
			c.canary.pods()
		}
		wantEnd(t, seed, wish, c)
	}
}

func anyWish(random *rand.Rand, last delivery.Desired) delivery.Desired {
	d := delivery.Desired{Generation: last.Generation + 1, Stable: version(random.IntN(4), 1+random.IntN(4)), Warm: random.IntN(3) > 0}
	if random.IntN(3) > 0 {
		d.Canary, d.Share = version(random.IntN(4), 1+random.IntN(4)), []int{0, 10, 50, 90, 100}[random.IntN(5)]
	}
	if d.Share > 0 && d.Share < 100 {
		d.Warm = true
	}
	return d
}

func wantEnd(t *testing.T, seed uint64, d delivery.Desired, c cluster) {
	t.Helper()
	stable, serve, canary := d.Stable, TrackStable, (*delivery.Revision)(nil)
	if d.Canary != nil && (d.Stable == nil || d.Canary.ID != d.Stable.ID) {
		switch {
		case d.Stable == nil || !d.Warm && d.Share == 100:
			stable = d.Canary
		case d.Warm && d.Share == 100:
			serve, canary = TrackCanary, d.Canary
		case d.Share > 0:
			serve, canary = TrackBoth, d.Canary
		}
	}
	if c.stable == nil || c.stable.revision != stable.ID || c.serve != serve {
		t.Fatalf("seed %d: %+v (serves %q) is not what was wished: %+v", seed, c.stable, c.serve, d)
	}
	if (canary == nil) != (c.canary == nil) && d.Share > 0 || canary != nil && c.canary.revision != canary.ID {
		t.Fatalf("seed %d: the canary is %+v, wished was %+v", seed, c.canary, d)
	}
}

func TestCanarySize(t *testing.T) {
	for _, c := range []struct{ stable, share, want int }{
		{9, 10, 1}, {4, 10, 1}, {4, 50, 4}, {4, 25, 1}, {10, 25, 3}, {4, 75, 12}, {4, 90, 12}, {1, 1, 1}, {1, 50, 1}, {1, 99, 3},
	} {
		d := delivery.Desired{Stable: version(1, c.stable), Canary: version(2, c.stable), Share: c.share, Warm: true}
		s := Next(d, Live{Stable: &LiveHalf{Revision: "r1", Replicas: c.stable, Ready: c.stable, Complete: true}, Serving: true, Serve: TrackStable})
		if s.Canary == nil || s.Canary.Replicas != c.want || s.Stable.Replicas != c.stable {
			t.Errorf("%d %% beside %d pods: %+v", c.share, c.stable, s.Canary)
		}
	}
}

// A rollback within the bake is a switch of the Service, and nothing else.
func TestRollbackInBakeIsASwitch(t *testing.T) {
	d := delivery.Desired{Stable: version(1, 3), Canary: version(2, 3), Share: 0, Warm: true}
	s := Next(d, Live{
		Stable:  &LiveHalf{Revision: "r1", Replicas: 3, Ready: 3, Complete: true},
		Canary:  &LiveHalf{Revision: "r2", Replicas: 3, Ready: 3, Complete: true},
		Serving: true, Serve: TrackCanary,
	})
	if s.Serve != TrackStable || s.Stable.Replicas != 3 || s.Stable.Revision.ID != "r1" || s.Canary.Replicas != 3 || s.Canary.Revision.ID != "r2" {
		t.Errorf("%+v", s)
	}
}

// A new release that comes while the last one's canary serves, as in its bake, waits
// until the version that serves has moved into the stable Deployment.
func TestBusyCanaryIsFreedFirst(t *testing.T) {
	d := delivery.Desired{Stable: version(2, 3), Canary: version(3, 3), Share: 50, Warm: true}
	l := Live{
		Stable:  &LiveHalf{Revision: "r1", Replicas: 3, Ready: 3, Complete: true},
		Canary:  &LiveHalf{Revision: "r2", Replicas: 3, Ready: 3, Complete: true},
		Serving: true, Serve: TrackCanary,
	}
	if s := Next(d, l); s.Canary != nil || !s.KeepCanary || s.Serve != TrackCanary || s.Stable.Revision.ID != "r2" {
		t.Errorf("first the stable half takes over: %+v", s)
	}
	l.Stable = &LiveHalf{Revision: "r2", Replicas: 3, Ready: 3, Complete: true}
	if s := Next(d, l); !s.KeepCanary || s.Serve != TrackStable {
		t.Errorf("then the traffic goes there: %+v", s)
	}
	l.Serve = TrackStable
	if s := Next(d, l); s.Canary == nil || s.Canary.Revision.ID != "r3" || s.Serve != TrackBoth {
		t.Errorf("then the canary is free: %+v", s)
	}
}

// The command before a release keeps the new version away until it has succeeded, and is
// asked for no more once the version is there.
func TestPrepareComesFirst(t *testing.T) {
	d := delivery.Desired{Stable: version(1, 2), Canary: version(2, 2), Share: 50, Warm: true, Prepare: "release-1"}
	l := Live{Stable: &LiveHalf{Revision: "r1", Replicas: 2, Ready: 2, Answering: 2, Complete: true}, Serving: true, Serve: TrackStable}
	if s := Next(d, l); s.Prepare != "release-1" || s.For.ID != "r2" || s.Canary != nil || s.Stable.Revision.ID != "r1" || s.Serve != TrackStable {
		t.Errorf("before it has succeeded: %+v", s)
	}
	l.Prepared = true
	if s := Next(d, l); s.Prepare != "" || s.Canary == nil {
		t.Errorf("once it has: %+v", s)
	}
	l.Prepared, l.Canary = false, &LiveHalf{Revision: "r2", Replicas: 2}
	if s := Next(d, l); s.Prepare != "" || s.Canary == nil {
		t.Errorf("its Job was removed while the version runs: %+v", s)
	}
	first := delivery.Desired{Canary: version(2, 2), Share: 100, Prepare: "release-1"}
	if s := Next(first, Live{}); s.Prepare == "" || s.Stable != nil || s.Canary != nil {
		t.Errorf("before the first release: %+v", s)
	}
}
