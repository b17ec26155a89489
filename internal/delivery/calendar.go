package delivery

import (
	"fmt"
	"slices"
	"time"
)

// Calendar knows the holidays of some years, and the days off that are made up for by
// work. Of a year that it does not know, Saturdays and Sundays are off.
type Calendar struct {
	Name  string         `json:"name"`
	Years []CalendarYear `json:"years"`
}

// CalendarYear is what one notice says.
type CalendarYear struct {
	Year int `json:"year"`
	// Source is where it was published.
	Source   string    `json:"source"`
	Holidays []Holiday `json:"holidays,omitempty"`
	// Workdays are days of a weekend on which people work.
	Workdays []MakeupDay `json:"workdays,omitempty"`
}

// Holiday is a day off, or several in a row.
type Holiday struct {
	Name string `json:"name"`
	From Date   `json:"from"`
	// Until is the last one; empty is From.
	Until Date `json:"until,omitzero"`
}

// MakeupDay is a day of a weekend on which people work.
type MakeupDay struct {
	Date Date `json:"date"`
	// As is the weekday that it counts as, if that is known.
	As *Weekday `json:"as,omitempty"`
}

// Date is a day, counted from 1970-01-01. It reads and writes as 2026-12-24.
type Date int

const daySeconds = 24 * 60 * 60

func (d Date) time() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

func (d Date) String() string { return d.time().Format(dateForm) }

// Year returns its year.
func (d Date) Year() int { return d.time().Year() }

// Weekday returns its weekday.
func (d Date) Weekday() time.Weekday { return d.time().Weekday() }

func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Date) UnmarshalText(text []byte) error {
	v, err := time.Parse(dateForm, string(text))
	if err != nil || v.Year() < firstYear || v.Year() > lastYear {
		return E(Invalid, fmt.Sprintf("%q is not a date: write it like 2026-12-24, of the years %d to %d", clip(string(text), 40), firstYear, lastYear))
	}
	*d = dateOf(v.Unix())
	return nil
}

// dateOf is the day of a time on the wall.
func dateOf(wall int64) Date { return Date(floorDiv(wall, daySeconds)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// DayCondition is true of some days.
type DayCondition string

const (
	DayWorkday DayCondition = "workday"
	DayOff     DayCondition = "day-off"
	DayHoliday DayCondition = "holiday"
	// DayMakeup is a day of a weekend on which people work.
	DayMakeup DayCondition = "makeup-workday"
	// DayBeforeHoliday is a day whose next days off have a holiday among them.
	DayBeforeHoliday DayCondition = "before-holiday"
	DayFirstOfWeek   DayCondition = "first-workday-of-week"
	// DayLastOfWeek has no workday after it up to Sunday.
	DayLastOfWeek   DayCondition = "last-workday-of-week"
	DayFirstOfMonth DayCondition = "first-workday-of-month"
	DayLastOfMonth  DayCondition = "last-workday-of-month"
)

// DayConditions lists them all.
func DayConditions() []DayCondition {
	return []DayCondition{
		DayWorkday, DayOff, DayHoliday, DayMakeup, DayBeforeHoliday, DayFirstOfWeek, DayLastOfWeek, DayFirstOfMonth, DayLastOfMonth,
	}
}

// Knows tells whether the Calendar has a year.
func (c Calendar) Knows(year int) bool {
	return slices.ContainsFunc(c.Years, func(y CalendarYear) bool { return y.Year == year })
}

// dayBook answers what a day is.
type dayBook struct {
	holidays map[Date]bool
	makeups  map[Date]*Weekday
}

func newDayBook(c Calendar) *dayBook {
	b := &dayBook{holidays: map[Date]bool{}, makeups: map[Date]*Weekday{}}
	for _, y := range c.Years {
		for _, h := range y.Holidays {
			for d := h.From; d <= max(h.From, h.Until); d++ {
				b.holidays[d] = true
			}
		}
		for _, m := range y.Workdays {
			b.makeups[m.Date] = m.As
		}
	}
	return b
}

func (b *dayBook) makeup(d Date) bool { _, ok := b.makeups[d]; return ok }

func (b *dayBook) workday(d Date) bool { return b.makeup(d) || !b.holidays[d] && !weekend(d) }

func weekend(d Date) bool { wd := d.Weekday(); return wd == time.Saturday || wd == time.Sunday }

// counts tells whether a day counts as a weekday. A make-up workday counts as what it
// stands for, and a holiday as none, unless that is off in every week.
func (b *dayBook) counts(d Date, as Weekday, makeup *Weekday) bool {
	if b.makeup(d) {
		if own := b.makeups[d]; own != nil {
			makeup = own
		}
		return makeup != nil && *makeup == as
	}
	return Weekday(d.Weekday()) == as && (weekend(d) || !b.holidays[d])
}

func (b *dayBook) is(d Date, c DayCondition) bool {
	switch c {
	case DayWorkday:
		return b.workday(d)
	case DayOff:
		return !b.workday(d)
	case DayHoliday:
		return b.holidays[d]
	case DayMakeup:
		return b.makeup(d)
	case DayBeforeHoliday:
		return b.beforeHoliday(d)
	case DayFirstOfWeek:
		return b.workday(d) && !b.worksBetween(monday(d), d-1)
	case DayLastOfWeek:
		return b.workday(d) && !b.worksBetween(d+1, monday(d)+6)
	case DayFirstOfMonth:
		return b.workday(d) && !b.worksBetween(d-Date(d.time().Day())+1, d-1)
	case DayLastOfMonth:
		return b.workday(d) && !b.worksBetween(d+1, endOfMonth(d))
	}
	return false
}

func (b *dayBook) beforeHoliday(d Date) bool {
	const most = 60 // no break is longer
	for n := d + 1; n <= d+most && !b.workday(n); n++ {
		if b.holidays[n] {
			return true
		}
	}
	return false
}

func (b *dayBook) worksBetween(first, last Date) bool {
	for d := first; d <= last; d++ {
		if b.workday(d) {
			return true
		}
	}
	return false
}

func monday(d Date) Date { return d - Date((int(d.Weekday())+6)%7) }

func endOfMonth(d Date) Date {
	t := d.time()
	return dateOf(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Unix())
}
