package delivery

import (
	"fmt"
	"strings"
	"time"
)

// When says in short when a Window is active: "tue,thu 10:00–18:00".
func (w Window) When() string {
	var parts []string
	for _, s := range w.Weekly {
		days := make([]string, len(s.Days))
		for i, d := range s.Days {
			days[i] = d.String()
		}
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s–%s", strings.Join(days, ","), s.Start, s.End)))
	}
	for _, o := range w.Once {
		parts = append(parts, fmt.Sprintf("%s–%s", o.From, o.Until))
	}
	if w.Rrule.Rule != "" {
		parts = append(parts, fmt.Sprintf("%s %s+%s", w.Rrule.Rule, w.Rrule.Start, strings.TrimSuffix(w.Rrule.Duration.String(), "0s")))
	}
	if len(w.OnlyOn) > 0 {
		parts = append(parts, "on "+joinConditions(w.OnlyOn))
	}
	if len(w.NotOn) > 0 {
		parts = append(parts, "not on "+joinConditions(w.NotOn))
	}
	return strings.Join(parts, "; ")
}

func joinConditions(list []DayCondition) string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = string(c)
	}
	return strings.Join(words, ",")
}

// Says words a status in a line.
func (s WindowStatus) Says() Cause {
	args := Args{"window": s.Rule, "zone": s.location().String()}
	if s.Message != "" {
		args["message"] = s.Message
	}
	switch {
	case s.Closed && s.NextOpen.IsZero():
		return Because("window.is.frozen", args)
	case s.Closed:
		s.say(args)
		return Because("window.is.closed", args)
	case s.NextClose.IsZero():
		return Because("window.is.open", args)
	}
	s.NextOpen = s.NextClose
	s.say(args)
	return Because("window.is.open", args)
}

// Location is the zone of the status' rule, or UTC.
func (s WindowStatus) Location() *time.Location { return s.location() }
