package delivery

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Bounds on the work that a rule of recurrence can make.
const (
	maxRuleLength = 200
	maxRuleCount  = 1000
	// maxRuleTimes bounds the occurrences of one day.
	maxRuleTimes    = 24
	maxRuleInterval = 1000
	// maxNth is how often a month may have a weekday.
	maxNth = 5
	// MaxRecurrence is the longest that one occurrence may last.
	MaxRecurrence = 31 * day
)

// recurrence finds the occurrences of a rule, as times on the wall. The rule is worked
// out with UTC's clock, which has no jumps.
type recurrence struct {
	rule   rrule.ROption
	start  int64
	length int64
	// counted are all occurrences of a rule with a COUNT; others are found when asked for.
	counted []int64
	// first is the first occurrence.
	first int64
	// quiet has no occurrence begin in it: a rule with long pauses is not asked again.
	quiet span
}

func newRecurrence(r Recurrence, loc *time.Location) (*recurrence, error) {
	o, err := parseRule(r.Rule, loc)
	if err != nil {
		return nil, err
	}
	o.Dtstart = time.Unix(r.Start.from(), 0).UTC()
	if len(o.Byhour) == 0 {
		o.Byhour = []int{o.Dtstart.Hour()}
	}
	if len(o.Byminute) == 0 {
		o.Byminute = []int{o.Dtstart.Minute()}
	}
	if len(o.Byhour)*len(o.Byminute) > maxRuleTimes {
		return nil, fmt.Errorf("it begins %d times a day, and may %d times: name fewer hours or minutes", len(o.Byhour)*len(o.Byminute), maxRuleTimes)
	}
	built, err := rrule.NewRRule(o)
	if err != nil {
		return nil, err
	}
	count := o.Count
	o = built.Options // with what it takes from its start written out
	c := &recurrence{rule: o, start: r.Start.from(), length: int64(r.Duration.Std() / time.Second)}
	first, ok := built.Iterator()()
	if !ok {
		return nil, errors.New("it has no occurrence")
	}
	c.first = first.Unix()
	if count > 0 {
		for next := built.Iterator(); len(c.counted) < count; {
			t, ok := next()
			if !ok {
				break
			}
			c.counted = append(c.counted, t.Unix())
		}
	}
	return c, nil
}

// parseRule refuses what is no rule, and what would be costly or is said elsewhere.
func parseRule(s string, loc *time.Location) (rrule.ROption, error) {
	if len(s) > maxRuleLength || strings.ContainsAny(s, "\r\n") {
		return rrule.ROption{}, fmt.Errorf("a rule is one line of at most %d characters", maxRuleLength)
	}
	parsed, err := rrule.StrToROptionInLocation(s, time.UTC)
	if err != nil {
		return rrule.ROption{}, err
	}
	o := *parsed
	switch {
	case !o.Dtstart.IsZero():
		err = errors.New("DTSTART belongs into start")
	case o.Freq > rrule.DAILY:
		err = errors.New("FREQ is DAILY, WEEKLY, MONTHLY or YEARLY: several times a day are written with BYHOUR")
	case len(o.Bysecond) > 0 || len(o.Byeaster) > 0:
		err = errors.New("BYSECOND and BYEASTER are not known here")
	case slices.ContainsFunc(o.Byweekday, func(d rrule.Weekday) bool { return max(d.N(), -d.N()) > maxNth }) && (o.Freq == rrule.MONTHLY || len(o.Bymonth) > 0):
		err = fmt.Errorf("a month has no weekday more than %d times", maxNth) // and the library panics
	case o.Freq > rrule.MONTHLY && slices.ContainsFunc(o.Byweekday, func(d rrule.Weekday) bool { return d.N() != 0 }):
		err = errors.New("only MONTHLY and YEARLY count the weekdays of BYDAY")
	case o.Count < 0 || o.Count > maxRuleCount:
		err = fmt.Errorf("COUNT is at most %d: use validUntil", maxRuleCount)
	case o.Interval < 0 || o.Interval > maxRuleInterval:
		err = fmt.Errorf("INTERVAL is at most %d", maxRuleInterval)
	}
	switch until := untilOf(s); {
	case strings.HasSuffix(until, "Z"): // of UTC, and not of the wall
		o.Until = time.Unix(wallOf(o.Until.Unix(), loc), 0).UTC()
	case len(until) == len(rrule.DateFormat): // a day is all of it
		o.Until = o.Until.Add(day - time.Second)
	}
	o.Bysecond = []int{0}
	return o, err
}

// untilOf is what a rule's UNTIL says.
func untilOf(rule string) string {
	_, after, _ := strings.Cut(rule, "UNTIL=")
	until, _, _ := strings.Cut(after, ";")
	return until
}

// spans calls add with every occurrence that is there between two times on the wall.
func (r *recurrence) spans(from, until int64, add func(begin, end int64)) {
	if r.rule.Count > 0 {
		i, _ := slices.BinarySearch(r.counted, from-r.length)
		for ; i < len(r.counted) && r.counted[i] < until; i++ {
			add(r.counted[i], r.counted[i]+r.length)
		}
		return
	}
	low := from - r.length
	if r.quiet.begin <= low && until <= r.quiet.end {
		return
	}
	built, err := rrule.NewRRule(r.nearer(low))
	if err != nil {
		return // it was good with another start
	}
	for next := built.Iterator(); ; {
		t, ok := next()
		at := t.Unix()
		if !ok {
			at = math.MaxInt64
		}
		if at >= until {
			r.quiet = span{low, at}
			return
		}
		if at >= r.start && at > low {
			low = at
			add(at, at+r.length)
		}
	}
}

// nearer moves the start of a rule by whole intervals to shortly before a time, so that
// an old rule is no more work than a new one. What it takes from its start is written
// out in it.
func (r *recurrence) nearer(from int64) rrule.ROption {
	o := r.rule
	start, to := o.Dtstart, time.Unix(from, 0).UTC()
	n := max(o.Interval, 1)
	midnight := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC)
	days := int(floorDiv(to.Unix()-midnight.Unix(), daySeconds))
	steps := func(periods int) int { return max(periods/n-1, 0) * n }
	switch o.Freq {
	case rrule.DAILY:
		o.Dtstart = midnight.AddDate(0, 0, steps(days))
	case rrule.WEEKLY:
		first := (int(start.Weekday()) + 6 - o.Wkst.Day()) % 7 // days since the week began
		o.Dtstart = midnight.AddDate(0, 0, -first+7*steps(days/7))
	case rrule.MONTHLY:
		months := (to.Year()-start.Year())*12 + int(to.Month()-start.Month())
		o.Dtstart = time.Date(start.Year(), start.Month()+time.Month(steps(months)), 1, 0, 0, 0, 0, time.UTC)
	case rrule.YEARLY:
		o.Dtstart = time.Date(start.Year()+steps(to.Year()-start.Year()), 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return o
}
