package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	maxSpans   = 100
	maxMessage = 300
)

func checkWindow(name string, w delivery.Window, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckLabel("a window", name))
	}
	if w.Kind == "" {
		bad("spec.kind", "kind is missing: write allow, or deny for a freeze")
	}
	bad.oneOf("spec.kind", string(w.Kind), string(delivery.WindowAllow), string(delivery.WindowDeny))
	bad.oneOf("spec.overrun", string(w.Overrun), string(delivery.OverrunFinishRun), string(delivery.OverrunFinishBatch), string(delivery.OverrunStop))
	checkZone(w.Zone, bad)
	checkTimes(w, bad)
	checkWeekly(w.Weekly, bad)
	checkRecurrence(w.Rrule, bad)
	for i, o := range w.Once {
		bad.ordered(fmt.Sprintf("spec.once[%d]", i), ".from", ".until", o.From, o.Until)
	}
	if w.ValidFrom != (delivery.LocalTime{}) && w.ValidUntil != (delivery.LocalTime{}) {
		bad.ordered("spec", ".validFrom", ".validUntil", w.ValidFrom, w.ValidUntil)
	}
	checkConditions(w, bad)
	bad.selector("spec.scope", w.Scope)
	actions := make([]string, len(delivery.WindowActions()))
	for i, a := range delivery.WindowActions() {
		actions[i] = string(a)
	}
	for i, a := range w.Actions {
		field := fmt.Sprintf("spec.actions[%d]", i)
		if a == "rollback" {
			bad(field, "a rollback waits for no window: remove it")
			continue
		}
		bad.oneOf(field, string(a), actions...)
	}
	if len(w.Message) > maxMessage || strings.ContainsAny(w.Message, "\n\x00") {
		bad("spec.message", fmt.Sprintf("a message is one line of at most %d characters", maxMessage))
	}
}

// findZone finds a time zone by its IANA name.
func findZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, delivery.E(delivery.Invalid, "zone is missing: write an IANA name, such as Asia/Shanghai")
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, delivery.E(delivery.Invalid, fmt.Sprintf("%q is not a time zone: write an IANA name, such as Asia/Shanghai", clip(name)))
	}
	return loc, nil
}

// Zone finds a time zone by its IANA name.
func Zone(name string) (*time.Location, error) { return findZone(name) }

func checkZone(name string, bad report) {
	_, err := findZone(name)
	bad.err("spec.zone", err)
}

// checkTimes wants exactly one way of saying when.
func checkTimes(w delivery.Window, bad report) {
	ways := 0
	for _, set := range []bool{len(w.Weekly) > 0, w.Rrule != (delivery.Recurrence{}), len(w.Once) > 0} {
		if set {
			ways++
		}
	}
	field := "spec.weekly"
	switch {
	case len(w.Once) > 0:
		field = "spec.once"
	case w.Rrule != (delivery.Recurrence{}):
		field = "spec.rrule"
	}
	switch {
	case ways == 0:
		bad(field, "nothing says when: write one of weekly, rrule and once")
	case ways > 1:
		bad(field, "weekly, rrule and once are ways of saying when: keep one of them, and make a window of each other one")
	case len(w.Weekly) > maxSpans || len(w.Once) > maxSpans:
		bad(field, fmt.Sprintf("there are %d spans, and may be %d", max(len(w.Weekly), len(w.Once)), maxSpans))
	}
}

func checkWeekly(spans []delivery.WeeklySpan, bad report) {
	for i, s := range spans {
		field := fmt.Sprintf("spec.weekly[%d]", i)
		if s.Start == s.End && s.Start != 0 || s.Start == 24*60 {
			bad(field+".end", fmt.Sprintf("from %s to %s is no time: for a whole day write 00:00 and 24:00", s.Start, s.End))
		}
		for k, d := range s.Days {
			if slices.Contains(s.Days[:k], d) {
				bad(fmt.Sprintf("%s.days[%d]", field, k), fmt.Sprintf("%s is there twice: remove one", d))
			}
		}
	}
}

func checkRecurrence(r delivery.Recurrence, bad report) {
	switch d := r.Duration.Std(); {
	case r == (delivery.Recurrence{}):
	case r.Rule == "":
		bad("spec.rrule", "rule is missing: write it like FREQ=MONTHLY;BYDAY=-1FR")
	case r.Start == (delivery.LocalTime{}):
		bad("spec.rrule", "start is missing: write the first time that the rule counts from, such as 2026-01-30T22:00")
	case d == 0:
		bad("spec.rrule", "duration is missing: write how long it lasts each time, such as 4h")
	case d%time.Minute != 0 || d > delivery.MaxRecurrence:
		bad("spec.rrule.duration", fmt.Sprintf("duration is whole minutes, at most %s", delivery.Duration(delivery.MaxRecurrence)))
	}
}

// ordered refuses a time that ends before it begins.
func (bad report) ordered(field, first, last string, from, until delivery.LocalTime) {
	switch {
	case from == (delivery.LocalTime{}):
		bad(field, strings.TrimPrefix(first, ".")+" is missing: write a local time, such as 2026-12-24 or 2026-12-24T18:00")
	case until == (delivery.LocalTime{}):
		bad(field, strings.TrimPrefix(last, ".")+" is missing: write a local time, such as 2026-12-24 or 2026-12-24T18:00")
	case !from.Before(until):
		bad(field+last, fmt.Sprintf("it ends at %s, before it begins at %s", until, from))
	}
}

func checkConditions(w delivery.Window, bad report) {
	known := make([]string, len(delivery.DayConditions()))
	for i, c := range delivery.DayConditions() {
		known[i] = string(c)
	}
	for _, list := range []struct {
		field      string
		conditions []delivery.DayCondition
	}{{"spec.onlyOn", w.OnlyOn}, {"spec.notOn", w.NotOn}} {
		switch {
		case len(list.conditions) > 0 && w.Calendar == "":
			bad(list.field, "only a calendar knows workdays and holidays: name one with calendar, such as china")
		case len(list.conditions) > 0 && len(w.Once) > 0:
			bad(list.field, "once names its days itself: remove the condition")
		}
		for i, c := range list.conditions {
			field := fmt.Sprintf("%s[%d]", list.field, i)
			bad.oneOf(field, string(c), known...)
			if list.field == "spec.notOn" && slices.Contains(w.OnlyOn, c) {
				bad(field, fmt.Sprintf("%s is in onlyOn too, so no day fits: remove one", c))
			}
		}
	}
	if w.Makeup != nil && (w.Calendar == "" || len(w.Weekly) == 0) {
		bad("spec.makeup", "makeup says which weekday of weekly a make-up workday of the calendar counts as: it needs both")
	}
}

// selector refuses what can choose nothing.
func (bad report) selector(field string, s delivery.Selector) {
	for i, p := range s.Apps {
		bad.branchPattern(fmt.Sprintf("%s.apps[%d]", field, i), p)
	}
	for name, list := range map[string][]string{"environments": s.Environments, "teams": s.Teams, "tiers": s.Tiers} {
		for i, v := range list {
			if v == "" || len(v) > 255 || strings.ContainsAny(v, "*\n\x00") {
				bad(fmt.Sprintf("%s.%s[%d]", field, name, i), fmt.Sprintf("%q is not a name: write it in full", clip(v)))
			}
		}
	}
}

// checkWindows holds Windows to what they name, and to being active at some time.
func (s *Set) checkWindows(of func(kind, name string) report) {
	for _, name := range sorted(s.Windows) {
		w, bad := s.Windows[name], of(KindWindow, name)
		c, known := s.Calendars[w.Calendar]
		if w.Calendar != "" && !known {
			bad("spec.calendar", fmt.Sprintf("there is no Calendar %q%s", clip(w.Calendar), DidYouMean(w.Calendar, keys(s.Calendars))))
			continue
		}
		s.checkScope(w.Scope, bad)
		loc, err := findZone(w.Zone)
		if err == nil {
			err = w.CheckActive(loc, c)
		}
		field := "spec"
		if w.Rrule.Rule != "" {
			field = "spec.rrule.rule"
		}
		bad.err(field, err)
	}
}
