package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// windowRule is a Window that can be worked out.
type windowRule struct {
	Window
	loc   *time.Location
	days  *dayBook // of its Calendar, or one without holidays
	recur *recurrence
	// chunks are the spans in which it is active, by part of time.
	chunks map[int64][]span
}

// span is a time in seconds, its end left out.
type span struct{ begin, end int64 }

// chunkSeconds is how long a part of time is that is worked out at once.
const chunkSeconds = 56 * daySeconds

func chunkOf(t int64) int64 { return floorDiv(t, chunkSeconds) }

func newWindowRule(w Window, loc *time.Location, c Calendar) (*windowRule, error) {
	r := &windowRule{Window: w, loc: loc, days: newDayBook(c), chunks: map[int64][]span{}}
	if w.Rrule.Rule == "" {
		return r, nil
	}
	var err error
	r.recur, err = newRecurrence(w.Rrule, loc)
	return r, err
}

// maxChunks bounds what is remembered of one Window.
const maxChunks = 64

// active returns the spans of a part of time in which the Window is active, in order
// and apart from each other.
func (r *windowRule) active(chunk int64) []span {
	if known, ok := r.chunks[chunk]; ok {
		return known
	}
	if len(r.chunks) >= maxChunks {
		clear(r.chunks)
	}
	spans := r.between(chunk*chunkSeconds, (chunk+1)*chunkSeconds)
	r.chunks[chunk] = spans
	return spans
}

// between works out the spans between two instants. The clock on the wall runs evenly
// between two of its jumps, so each stretch without one is worked out by itself.
func (r *windowRule) between(from, until int64) []span {
	var spans []span
	for from < until {
		at := time.Unix(from, 0).In(r.loc)
		_, offset := at.Zone()
		stretch := until
		if _, end := at.ZoneBounds(); !end.IsZero() && end.Unix() < stretch {
			stretch = end.Unix()
		}
		shift := int64(offset)
		low, high := r.valid(from+shift, stretch+shift)
		r.onWall(low, high, func(begin, end int64) {
			if begin, end = max(begin, low), min(end, high); begin < end {
				spans = append(spans, span{begin - shift, end - shift})
			}
		})
		from = stretch
	}
	return merged(spans)
}

// valid cuts a stretch of the wall's time to when the Window is valid.
func (r *windowRule) valid(from, until int64) (int64, int64) {
	if f := r.ValidFrom; f != (LocalTime{}) {
		from = max(from, f.from())
	}
	if u := r.ValidUntil; u != (LocalTime{}) {
		until = min(until, u.until())
	}
	return from, until
}

// onWall calls add with every span that touches a stretch of the wall's time.
func (r *windowRule) onWall(from, until int64, add func(begin, end int64)) {
	if from >= until {
		return
	}
	for _, o := range r.Once {
		add(o.From.from(), o.Until.until())
	}
	if r.recur != nil {
		r.recur.spans(from, until, func(begin, end int64) {
			if r.dayFits(dateOf(begin)) {
				add(begin, end)
			}
		})
	}
	if len(r.Weekly) == 0 {
		return
	}
	for d := dateOf(from) - 1; d <= dateOf(until-1); d++ { // one of the day before may last past midnight
		if !r.dayFits(d) {
			continue
		}
		for _, s := range r.Weekly {
			if begin := int64(d) * daySeconds; r.isOf(s, d) {
				add(begin+int64(s.Start)*60, begin+s.lasts())
			}
		}
	}
}

// lasts is when a span ends, in seconds since its day began.
func (s WeeklySpan) lasts() int64 {
	if s.End <= s.Start {
		return int64(s.End)*60 + daySeconds
	}
	return int64(s.End) * 60
}

func (r *windowRule) isOf(s WeeklySpan, d Date) bool {
	return len(s.Days) == 0 || slices.ContainsFunc(s.Days, func(w Weekday) bool { return r.days.counts(d, w, r.Makeup) })
}

func (r *windowRule) dayFits(d Date) bool {
	is := func(c DayCondition) bool { return r.days.is(d, c) }
	for _, c := range r.OnlyOn {
		if !is(c) {
			return false
		}
	}
	return !slices.ContainsFunc(r.NotOn, is)
}

// wallOf is what the clock on the wall shows at an instant.
func wallOf(at int64, loc *time.Location) int64 {
	_, offset := time.Unix(at, 0).In(loc).Zone()
	return at + int64(offset)
}

func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.begin <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, s.end)
			continue
		}
		out = append(out, s)
	}
	return out
}

// opensWithin is how far a Window is looked ahead for a time at which it is active.
const opensWithin = 8 * 366 * daySeconds

// CheckActive refuses a Window that is never active, or whose rule cannot be worked out.
// from is the time that it is looked at from, if that is later than its own beginning.
func (w Window) CheckActive(loc *time.Location, c Calendar) error {
	r, err := newWindowRule(w, loc, c)
	if err != nil {
		return E(Invalid, fmt.Sprintf("the rule cannot be worked out: %v", err))
	}
	begin := r.begins()
	for chunk := chunkOf(begin - daySeconds); chunk <= chunkOf(begin+opensWithin); chunk++ {
		if len(r.between(chunk*chunkSeconds, (chunk+1)*chunkSeconds)) > 0 {
			return nil
		}
	}
	return E(Invalid, "it would never be active: no time fits all that it says")
}

// begins is a time on the wall before which the Window is never active.
func (r *windowRule) begins() int64 {
	const early, year = 19723 * daySeconds, 366 * daySeconds // 2024-01-01: no more is needed of what has no beginning
	switch {
	case r.recur != nil:
		return max(r.recur.first, r.ValidFrom.from())
	case len(r.Once) > 0:
		first := slices.MinFunc(r.Once, func(a, b LocalSpan) int { return cmp.Compare(a.From.from(), b.From.from()) })
		return max(first.From.from(), r.ValidFrom.from())
	case r.ValidFrom != (LocalTime{}):
		return r.ValidFrom.from()
	case r.ValidUntil != (LocalTime{}):
		return min(early, r.ValidUntil.until()-year)
	}
	return early
}
