package delivery

import (
	"cmp"
	"slices"
	"time"
)

// timeline is what some Windows say together, part of time by part.
type timeline struct {
	rules  []*windowRule // by name
	allows bool          // one of them allows
	// outside is what a release under way does while none allows: the strictest.
	outside Overrun
	chunks  map[int64]*timelineChunk
}

// timelineChunk is one part of time: what is said from each point on, and when it is
// open. The first point is the beginning of the part.
type timelineChunk struct {
	points []point
	open   []span
}

type point struct {
	at     int64
	closed bool
	rule   int // that denies or allows; -1 is none
	// overrun is the strictest of those that deny.
	overrun Overrun
}

// lookAhead is how many parts of time are looked at for an opening: a good year.
const lookAhead = 8

func newTimeline(rules []*windowRule) *timeline {
	t := &timeline{rules: rules, chunks: map[int64]*timelineChunk{}}
	for _, r := range rules {
		if r.Kind == WindowAllow {
			t.allows, t.outside = true, t.outside.stricter(cmp.Or(r.Overrun, OverrunFinishRun))
		}
	}
	return t
}

func (t *timeline) chunk(n int64) *timelineChunk {
	if known, ok := t.chunks[n]; ok {
		return known
	}
	if len(t.chunks) >= maxChunks {
		clear(t.chunks)
	}
	c := t.workOut(n)
	t.chunks[n] = c
	return c
}

// turn is a Window that becomes active, or ends.
type turn struct {
	at   int64
	rule int
	on   bool
}

func (t *timeline) workOut(n int64) *timelineChunk {
	begin, end := n*chunkSeconds, (n+1)*chunkSeconds
	var turns []turn
	for i, r := range t.rules {
		for _, s := range r.active(n) {
			turns = append(turns, turn{s.begin, i, true}, turn{s.end, i, false})
		}
	}
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	c := &timelineChunk{}
	active := make([]bool, len(t.rules))
	for i, at := 0, begin; ; {
		for ; i < len(turns) && turns[i].at <= at; i++ {
			active[turns[i].rule] = turns[i].on
		}
		c.add(t.judge(at, active))
		if i == len(turns) || turns[i].at >= end {
			break
		}
		at = turns[i].at
	}
	c.findOpen(end)
	return c
}

// judge says what a set of active Windows means.
func (t *timeline) judge(at int64, active []bool) point {
	p := point{at: at, closed: t.allows, rule: -1}
	for i, on := range active {
		switch {
		case !on:
		case t.rules[i].Kind == WindowDeny:
			if p.overrun == "" {
				p.rule = i
			}
			p.closed, p.overrun = true, p.overrun.stricter(cmp.Or(t.rules[i].Overrun, OverrunFinishRun))
		case p.overrun == "" && p.rule < 0:
			p.closed, p.rule = false, i
		}
	}
	return p
}

func (c *timelineChunk) add(p point) {
	if n := len(c.points); n > 0 {
		last := c.points[n-1]
		last.at = p.at
		if last == p {
			return
		}
	}
	c.points = append(c.points, p)
}

func (c *timelineChunk) findOpen(end int64) {
	var open []span
	for i, p := range c.points {
		until := end
		if i+1 < len(c.points) {
			until = c.points[i+1].at
		}
		if !p.closed {
			open = append(open, span{p.at, until})
		}
	}
	c.open = merged(open)
}

func (c *timelineChunk) point(at int64) (point, int) {
	i, found := slices.BinarySearchFunc(c.points, at, func(p point, at int64) int { return cmp.Compare(p.at, at) })
	if !found {
		i--
	}
	return c.points[i], i
}

// change is when something else is said, and 0 when the same is said for long.
func (t *timeline) change(at int64) int64 {
	n := chunkOf(at)
	_, i := t.chunk(n).point(at)
	if points := t.chunk(n).points; i+1 < len(points) {
		return points[i+1].at
	}
	return (n + 1) * chunkSeconds
}

// next finds the first time from at on when it is open, or closed; 0 when it is not
// within a good year.
func (t *timeline) next(at int64, open bool) int64 {
	first := chunkOf(at)
	for n := first; n <= first+lookAhead; n++ {
		c, end := t.chunk(n), (n+1)*chunkSeconds
		from := max(at, n*chunkSeconds)
		switch i := c.ending(from); {
		case open && i < len(c.open):
			return max(from, c.open[i].begin)
		case open:
		case i == len(c.open) || from < c.open[i].begin:
			return from
		case c.open[i].end < end:
			return c.open[i].end
		}
	}
	return 0
}

// since finds when the time in which it is open at a time began, or one long before.
func (t *timeline) since(at int64) int64 {
	n := chunkOf(at)
	began := t.chunk(n).openAt(at)
	if before := t.chunk(n - 1).open; began == n*chunkSeconds && len(before) > 0 && before[len(before)-1].end == began {
		return before[len(before)-1].begin
	}
	return began
}

// openAt is the beginning of the span in which it is open at a time.
func (c *timelineChunk) openAt(at int64) int64 {
	if i := c.ending(at); i < len(c.open) {
		return c.open[i].begin
	}
	return at
}

// ending finds the first span that ends after a time.
func (c *timelineChunk) ending(at int64) int {
	i, _ := slices.BinarySearchFunc(c.open, at, func(s span, at int64) int {
		if s.end <= at {
			return -1
		}
		return 1
	})
	return i
}

func (t *timeline) at(now time.Time) WindowStatus {
	if len(t.rules) == 0 {
		return WindowStatus{}
	}
	at := now.Unix()
	p, _ := t.chunk(chunkOf(at)).point(at)
	s := WindowStatus{Closed: p.closed}
	if !p.closed {
		s.NextClose = instant(t.next(at, false))
		s.OpenedAt = instant(t.since(at))
		if p.rule >= 0 {
			s.Reason = WindowAllowed
			s.by(t.rules[p.rule])
		}
		return s
	}
	opens := t.next(at, true)
	s.NextOpen = instant(opens)
	if opens != 0 {
		s.NextClose = instant(t.next(opens, false))
	}
	if p.rule >= 0 {
		s.Reason, s.Overrun = WindowDenied, p.overrun
		s.by(t.rules[p.rule])
		return s
	}
	s.Reason, s.Overrun = WindowOutside, t.outside
	s.by(t.opener(opens))
	return s
}

// opener is the Window that opens at a time, or the first that would.
func (t *timeline) opener(at int64) *windowRule {
	if at != 0 {
		if p, _ := t.chunk(chunkOf(at)).point(at); p.rule >= 0 {
			return t.rules[p.rule]
		}
	}
	i := slices.IndexFunc(t.rules, func(r *windowRule) bool { return r.Kind == WindowAllow })
	return t.rules[i]
}

func (s *WindowStatus) by(r *windowRule) {
	s.Rule, s.Zone, s.Message, s.loc = r.Name, r.Zone, r.Message, r.loc
}

func instant(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}
