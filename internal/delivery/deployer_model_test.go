package delivery_test

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// never is far beyond every limit of the machines.
const never = 1000 * time.Hour

// conduct is how one revision behaves once it is wished for.
type conduct struct {
	healthyAfter time.Duration
	// failsAfter, when set, is when the deployer gives it up.
	failsAfter time.Duration
}

// deployerModel is a deployer with the vices of real ones.
type deployerModel struct {
	conduct map[delivery.RevisionID]conduct
	// shownAfter is how late it shows a wish that it accepted.
	shownAfter time.Duration
	// away are the spans in which it does not answer.
	away []span
	// forgets are the instants at which it loses everything.
	forgets []time.Time

	wish, shown delivery.Desired
	accepted    time.Time
	since       map[delivery.RevisionID]time.Time
	highest     int64
	applies     int
}

type span struct{ from, to time.Time }

func (d *deployerModel) answers(now time.Time) bool {
	for _, s := range d.away {
		if !now.Before(s.from) && now.Before(s.to) {
			return false
		}
	}
	return true
}

// apply returns false for a generation below the highest seen, which a deployer
// refuses.
func (d *deployerModel) apply(now time.Time, w delivery.Desired) bool {
	d.applies++
	if w.Generation < d.highest {
		return false
	}
	if w.Generation == d.wish.Generation {
		return true
	}
	d.shown, d.wish, d.accepted, d.highest = d.showing(now), w, now, w.Generation
	since := map[delivery.RevisionID]time.Time{}
	for _, r := range revisions(w) {
		since[r] = now
		if at, ran := d.since[r]; ran {
			since[r] = at
		}
	}
	d.since = since
	return true
}

func (d *deployerModel) showing(now time.Time) delivery.Desired {
	if now.Before(d.accepted.Add(d.shownAfter)) {
		return d.shown
	}
	return d.wish
}

func (d *deployerModel) observe(now time.Time) delivery.Observed {
	w := d.showing(now)
	o := delivery.Observed{Generation: w.Generation, At: now}
	for _, id := range revisions(w) {
		v := delivery.ObservedVersion{Revision: id, Total: 1}
		since, runs := d.since[id]
		switch c := d.conduct[id]; {
		case !runs:
		case c.failsAfter > 0 && !now.Before(since.Add(c.failsAfter)):
			v.Failed, v.Cause = true, &delivery.Cause{Code: "app.crashed", Text: "exit 1"}
		case !now.Before(since.Add(c.healthyAfter)):
			v.Ready = 1
		}
		v.Asked = 100
		if w.Canary != nil && w.Canary.ID == id {
			v.Asked = w.Share
		} else if w.Canary != nil {
			v.Asked = 100 - w.Share
		}
		v.Effective = v.Asked
		o.Versions = append(o.Versions, v)
	}
	return o
}

// changes lists when a watch would say that something changed.
func (d *deployerModel) changes() []time.Time {
	times := append([]time.Time{d.accepted.Add(d.shownAfter)}, d.forgets...)
	for id, since := range d.since {
		c := d.conduct[id]
		times = append(times, since.Add(c.healthyAfter))
		if c.failsAfter > 0 {
			times = append(times, since.Add(c.failsAfter))
		}
	}
	for _, s := range d.away {
		times = append(times, s.from, s.to)
	}
	return times
}

// pass lets time go by.
func (d *deployerModel) pass(from, to time.Time) {
	for _, at := range d.forgets {
		if at.After(from) && !at.After(to) {
			d.wish, d.shown, d.since, d.accepted = delivery.Desired{}, delivery.Desired{}, nil, time.Time{}
		}
	}
}

func revisions(w delivery.Desired) (ids []delivery.RevisionID) {
	if w.Stable != nil {
		ids = append(ids, w.Stable.ID)
	}
	if w.Canary != nil {
		ids = append(ids, w.Canary.ID)
	}
	return ids
}
