package delivery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Window says when something may be done to Apps in Environments, or when not. Every
// time of it is what the clocks on the wall show in its Zone: an hour that summer time
// leaves out is never shown, and one that it repeats is shown twice.
type Window struct {
	Name string     `json:"name"`
	Kind WindowKind `json:"kind"`
	// Zone is an IANA name, such as Asia/Shanghai.
	Zone string `json:"zone"`
	// Weekly, Rrule or Once says when it is active; exactly one is set.
	Weekly []WeeklySpan `json:"weekly,omitempty"`
	Rrule  Recurrence   `json:"rrule,omitzero"`
	Once   []LocalSpan  `json:"once,omitempty"`
	// ValidFrom and ValidUntil bound all of it.
	ValidFrom  LocalTime `json:"validFrom,omitzero"`
	ValidUntil LocalTime `json:"validUntil,omitzero"`
	// Calendar names the Calendar that knows holidays and make-up workdays.
	Calendar string `json:"calendar,omitempty"`
	// OnlyOn and NotOn narrow the days that it begins on: all of OnlyOn must hold, and
	// none of NotOn.
	OnlyOn []DayCondition `json:"onlyOn,omitempty"`
	NotOn  []DayCondition `json:"notOn,omitempty"`
	// Makeup is the weekday that a make-up workday counts as, unless the Calendar says.
	Makeup *Weekday `json:"makeup,omitempty"`
	Scope  Selector `json:"scope,omitzero"`
	// Actions are what it is about; none are all.
	Actions []WindowAction `json:"actions,omitempty"`
	// Message is shown to whoever waits for it.
	Message string `json:"message,omitempty"`
	// Overrun is what becomes of a release that is under way when it closes; empty is
	// OverrunFinishRun.
	Overrun Overrun `json:"overrun,omitempty"`
}

// WindowKind says whether a Window opens or closes.
type WindowKind string

const (
	// WindowAllow lets things begin only while it, or another one of this kind, is active.
	WindowAllow WindowKind = "allow"
	// WindowDeny lets nothing begin while it is active, whatever others say.
	WindowDeny WindowKind = "deny"
)

// WindowAction is what a Window is about.
type WindowAction string

const (
	ActionDeploy WindowAction = "deploy"
	// ActionConfig brings another configuration to what runs already.
	ActionConfig  WindowAction = "config"
	ActionRestart WindowAction = "restart"
	ActionScale   WindowAction = "scale"
)

// WindowActions lists them all. A rollback is none of them: no Window holds it up.
func WindowActions() []WindowAction {
	return []WindowAction{ActionDeploy, ActionConfig, ActionRestart, ActionScale}
}

// Overrun is what becomes of a release that is under way when a Window closes.
type Overrun string

const (
	// OverrunFinishRun lets it go on to its end.
	OverrunFinishRun Overrun = "finish-run"
	// OverrunFinishBatch lets the batch under way end; the next one waits.
	OverrunFinishBatch Overrun = "finish-batch"
	// OverrunStop takes it back to the old version.
	OverrunStop Overrun = "stop"
)

// stricter returns the one of two that lets less go on.
func (o Overrun) stricter(p Overrun) Overrun {
	order := []Overrun{"", OverrunFinishRun, OverrunFinishBatch, OverrunStop}
	return order[max(slices.Index(order, o), slices.Index(order, p))]
}

// WeeklySpan is a span of the days of a week. Without Days it is of every day. An End
// that is not after Start is of the next day, so 00:00 to 00:00 is all day.
type WeeklySpan struct {
	Days  []Weekday `json:"days,omitempty"`
	Start Clock     `json:"start"`
	End   Clock     `json:"end"`
}

// Recurrence is a rule of RFC 5545 whose occurrences each last for a while.
type Recurrence struct {
	// Rule is like FREQ=MONTHLY;BYDAY=-1FR.
	Rule string `json:"rule"`
	// Start is the first occurrence, and what the rule counts from.
	Start    LocalTime `json:"start"`
	Duration Duration  `json:"duration"`
}

// LocalSpan is a span between two times. A date alone is the beginning of that day as
// From, and its end as Until.
type LocalSpan struct {
	From  LocalTime `json:"from"`
	Until LocalTime `json:"until"`
}

// Weekday reads and writes as mon … sun.
type Weekday time.Weekday

var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (d Weekday) String() string { return weekdays[d] }

func (d Weekday) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Weekday) UnmarshalText(text []byte) error {
	i := slices.Index(weekdays[:], string(text))
	if i < 0 {
		return E(Invalid, fmt.Sprintf("%q is not a weekday: write mon, tue, wed, thu, fri, sat or sun", clip(string(text), 40)))
	}
	*d = Weekday(i)
	return nil
}

// Clock is a time of day in minutes. It reads and writes as 09:30, up to 24:00.
type Clock int

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", c/60, c%60) }

func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c *Clock) UnmarshalText(text []byte) error {
	h, m, ok := strings.Cut(string(text), ":")
	hours, err := strconv.ParseUint(h, 10, 8)
	minutes, errMinutes := strconv.ParseUint(m, 10, 8)
	if v := Clock(hours*60 + minutes); ok && err == nil && errMinutes == nil && len(h) <= 2 && len(m) == 2 && minutes < 60 && v <= 24*60 {
		*c = v
		return nil
	}
	return E(Invalid, fmt.Sprintf("%q is not a time of day: write it like 09:30, up to 24:00", clip(string(text), 40)))
}

// LocalTime is a date, or a date and a time of day, of the zone of what it is a part of.
type LocalTime struct {
	wall int64 // seconds since 1970-01-01T00:00 on the wall
	day  bool  // a date alone
}

const (
	dateForm  = time.DateOnly
	localForm = "2006-01-02T15:04"
)

func (t LocalTime) String() string {
	if t.day {
		return time.Unix(t.wall, 0).UTC().Format(dateForm)
	}
	return time.Unix(t.wall, 0).UTC().Format(localForm)
}

func (t LocalTime) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func (t *LocalTime) UnmarshalText(text []byte) error {
	s := strings.Replace(string(text), " ", "T", 1)
	for _, form := range []string{dateForm, localForm} {
		if v, err := time.Parse(form, s); err == nil && v.Year() >= firstYear && v.Year() <= lastYear {
			*t = LocalTime{v.Unix(), form == dateForm}
			return nil
		}
	}
	return E(Invalid, fmt.Sprintf("%q is not a local time: write it like 2026-12-24 or 2026-12-24T18:00, of the years %d to %d and without a zone", clip(string(text), 40), firstYear, lastYear))
}

// The years that windows may be of.
const (
	firstYear = 2000
	lastYear  = 2199
)

// from is the first second of it.
func (t LocalTime) from() int64 { return t.wall }

// until is the first second that is not before it any more.
func (t LocalTime) until() int64 {
	if t.day {
		return t.wall + daySeconds
	}
	return t.wall
}

// Concerns tells whether the Window is about doing this to an App in an Environment.
func (w Window) Concerns(a App, env string, action WindowAction) bool {
	return (len(w.Actions) == 0 || slices.Contains(w.Actions, action)) && w.Scope.Matches(a, env)
}

// Before tells whether there is time between the beginning of t and the end of u.
func (t LocalTime) Before(u LocalTime) bool { return t.from() < u.until() }
