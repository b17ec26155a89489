package catalog

import (
	"fmt"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	maxYears = 100
	// maxHolidays bounds the entries of a year, longestHoliday the days of one.
	maxHolidays    = 100
	longestHoliday = 60
)

func checkCalendar(name string, c delivery.Calendar, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckLabel("a calendar", name))
	}
	if len(c.Years) == 0 || len(c.Years) > maxYears {
		bad("spec.years", fmt.Sprintf("write 1 to %d years", maxYears))
	}
	known, off := map[int]bool{}, map[delivery.Date]bool{}
	for i, y := range c.Years {
		field := fmt.Sprintf("spec.years[%d]", i)
		bad.within(field+".year", y.Year, 2000, 2199)
		if known[y.Year] {
			bad(field+".year", fmt.Sprintf("%d is there twice: remove one", y.Year))
		}
		known[y.Year] = true
		if strings.TrimSpace(y.Source) == "" || len(y.Source) > maxMessage || strings.ContainsAny(y.Source, "\n\x00") {
			bad(field+".source", "source is missing: write in a line where the days were published")
		}
		checkHolidays(field, y, off, bad)
	}
	for i, y := range c.Years {
		checkWorkdays(fmt.Sprintf("spec.years[%d]", i), y, off, bad)
	}
}

func checkHolidays(field string, y delivery.CalendarYear, off map[delivery.Date]bool, bad report) {
	if len(y.Holidays) > maxHolidays || len(y.Workdays) > maxHolidays {
		bad(field, fmt.Sprintf("a year has at most %d holidays, and as many workdays", maxHolidays))
		return
	}
	for i, h := range y.Holidays {
		at := fmt.Sprintf("%s.holidays[%d]", field, i)
		switch last := max(h.From, h.Until); {
		case h.From == 0:
			bad(at, "from is missing: write the first day, such as 2026-10-01")
		case h.Until != 0 && h.Until < h.From:
			bad(at+".until", fmt.Sprintf("it ends on %s, before it begins on %s", h.Until, h.From))
		case last-h.From >= longestHoliday:
			bad(at+".until", fmt.Sprintf("a holiday lasts at most %d days", longestHoliday))
		case h.From.Year() != y.Year && last.Year() != y.Year:
			bad(at+".from", fmt.Sprintf("%s is not of %d", h.From, y.Year))
		default:
			for d := h.From; d <= last; d++ {
				off[d] = true
			}
		}
	}
}

func checkWorkdays(field string, y delivery.CalendarYear, off map[delivery.Date]bool, bad report) {
	seen := map[delivery.Date]bool{}
	for i, m := range y.Workdays {
		at := fmt.Sprintf("%s.workdays[%d].date", field, i)
		wd := m.Date.Weekday()
		switch {
		case m.Date == 0:
			bad(strings.TrimSuffix(at, ".date"), "date is missing: write a day, such as 2026-10-10")
		case wd != time.Saturday && wd != time.Sunday:
			bad(at, fmt.Sprintf("%s is a %s, on which people work anyway: name a Saturday or Sunday", m.Date, wd))
		case off[m.Date]:
			bad(at, fmt.Sprintf("%s is a holiday too: remove one", m.Date))
		case seen[m.Date]:
			bad(at, fmt.Sprintf("%s is there twice: remove one", m.Date))
		case m.Date.Year() != y.Year:
			bad(at, fmt.Sprintf("%s is not of %d", m.Date, y.Year))
		}
		seen[m.Date] = true
	}
}
