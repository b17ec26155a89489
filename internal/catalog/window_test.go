package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func windowYAML(spec string) []byte {
	return []byte("apiVersion: shiplock/v1\nkind: Window\nmetadata: {name: w}\nspec:\n  " + strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n")
}

// Faults stand at their line, which counts from the document's first; the spec begins
// in line 5.
func TestBadWindowsAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ spec, want string }{
		"no kind":              {"zone: UTC\nweekly: [{start: '10:00', end: '11:00'}]", "w.yaml:5:3: kind is missing"},
		"another kind":         {"kind: freeze\nzone: UTC\nweekly: [{start: '10:00', end: '11:00'}]", `w.yaml:5:9: "freeze" is not known here`},
		"no zone":              {"kind: deny\nweekly: [{start: '10:00', end: '11:00'}]", "w.yaml:5:3: zone is missing"},
		"the machine's zone":   {"kind: deny\nzone: Local\nweekly: [{start: '10:00', end: '11:00'}]", "w.yaml:6:9: zone is missing"},
		"an unknown zone":      {"kind: deny\nzone: Asia/Bejing\nweekly: [{start: '10:00', end: '11:00'}]", `w.yaml:6:9: "Asia/Bejing" is not a time zone`},
		"a path as zone":       {"kind: deny\nzone: ../../etc/passwd\nweekly: [{start: '10:00', end: '11:00'}]", `is not a time zone`},
		"no times":             {"kind: deny\nzone: UTC", "w.yaml:5:3: nothing says when"},
		"empty weekly":         {"kind: deny\nzone: UTC\nweekly: []", "w.yaml:7:11: nothing says when"},
		"no time of day":       {"kind: deny\nzone: UTC\nweekly: [{start: '10', end: '11:00'}]", `w.yaml:7:20: "10" is not a time of day`},
		"25 o'clock":           {"kind: deny\nzone: UTC\nweekly: [{start: '10:00', end: '25:00'}]", `"25:00" is not a time of day`},
		"no day":               {"kind: deny\nzone: UTC\nweekly: [{days: [monday], start: '10:00', end: '11:00'}]", `w.yaml:7:20: "monday" is not a weekday`},
		"a day twice":          {"kind: deny\nzone: UTC\nweekly: [{days: [mon, mon], start: '10:00', end: '11:00'}]", "mon is there twice"},
		"no span":              {"kind: deny\nzone: UTC\nweekly: [{start: '10:00', end: '10:00'}]", "from 10:00 to 10:00 is no time"},
		"ends before it began": {"kind: deny\nzone: UTC\nonce: [{from: 2026-12-03, until: 2026-12-01}]", "w.yaml:7:36: it ends at 2026-12-01, before it begins at 2026-12-03"},
		"valid for no time":    {"kind: deny\nzone: UTC\nvalidFrom: 2026-12-03\nvalidUntil: 2026-12-01\nweekly: [{start: '10:00', end: '11:00'}]", "w.yaml:8:15: it ends at"},
		"an instant":           {"kind: deny\nzone: UTC\nonce: [{from: 2026-12-03T10:00:00Z, until: 2026-12-04}]", "is not a local time"},
		"no rule":              {"kind: deny\nzone: UTC\nrrule: {start: 2026-12-03, duration: 1h}", "rule is missing"},
		"a rule without end":   {"kind: deny\nzone: UTC\nrrule: {rule: FREQ=DAILY, start: 2026-12-03}", "duration is missing"},
		"too long":             {"kind: deny\nzone: UTC\nrrule: {rule: FREQ=YEARLY, start: 2026-12-03, duration: 32d}", "duration is whole minutes, at most 31d"},
		"two ways":             {"kind: deny\nzone: UTC\nweekly: [{start: '10:00', end: '11:00'}]\nonce: [{from: 2026-12-03, until: 2026-12-04}]", "keep one of them"},
		"no calendar":          {"kind: deny\nzone: UTC\nweekly: [{start: '10:00', end: '11:00'}]\nonlyOn: [workday]", "w.yaml:8:11: only a calendar knows"},
		"a contradiction":      {"kind: deny\nzone: UTC\ncalendar: china\nweekly: [{start: '10:00', end: '11:00'}]\nonlyOn: [workday]\nnotOn: [workday]", "w.yaml:10:11: workday is in onlyOn too"},
		"a rollback":           {"kind: deny\nzone: UTC\nweekly: [{start: '10:00', end: '11:00'}]\nactions: [rollback]", "w.yaml:8:13: a rollback waits for no window"},
		"an unknown action":    {"kind: deny\nzone: UTC\nweekly: [{start: '10:00', end: '11:00'}]\nactions: [deploys]", `did you mean "deploy"`},
		"an unknown field":     {"kind: deny\nzone: UTC\ntz: UTC\nweekly: [{start: '10:00', end: '11:00'}]", `unknown field "tz"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("w.yaml", windowYAML(tc.spec))
			if delivery.KindOf(err) != delivery.Invalid || !strings.Contains(fmt.Sprint(err), tc.want) {
				t.Errorf("got\n%v\nwant …%s…", err, tc.want)
			}
		})
	}
}

// What only the whole catalog shows is refused when it is applied.
func TestWindowsAreHeldToTheCatalog(t *testing.T) {
	for name, tc := range map[string]struct{ spec, want string }{
		"no such calendar":    {`{"kind":"deny","zone":"UTC","calendar":"chnia","weekly":[{"start":"10:00","end":"11:00"}]}`, `spec.calendar: there is no Calendar "chnia": did you mean "china"?`},
		"no such environment": {`{"kind":"deny","zone":"UTC","scope":{"environments":["prd"]},"weekly":[{"start":"10:00","end":"11:00"}]}`, `spec.scope.environments[0]: there is no Environment "prd"`},
		"never active":        {`{"kind":"deny","zone":"UTC","calendar":"china","onlyOn":["workday","holiday"],"weekly":[{"start":"10:00","end":"11:00"}]}`, "it would never be active"},
		"never by its rule":   {`{"kind":"deny","zone":"UTC","rrule":{"rule":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31","start":"2026-01-01","duration":"1h"}}`, "spec.rrule.rule: the rule cannot be worked out: it has no occurrence"},
		"no rule":             {`{"kind":"deny","zone":"UTC","rrule":{"rule":"every tuesday","start":"2026-01-01","duration":"1h"}}`, "spec.rrule.rule: the rule cannot be worked out"},
		"good":                {`{"kind":"deny","zone":"UTC","rrule":{"rule":"FREQ=WEEKLY;BYDAY=TU","start":"2026-01-01","duration":"1h"}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Plan(nil, []delivery.Document{{Kind: KindWindow, Name: "w", Spec: json.RawMessage(tc.spec)}}, "test", false)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got\n%v\nwant …%s…", err, tc.want)
			}
		})
	}
}

func TestACalendarInUseStays(t *testing.T) {
	cal := delivery.Document{Kind: KindCalendar, Name: "own", Manager: "test", Spec: json.RawMessage(`{"years":[{"year":2026,"source":"x"}]}`)}
	w := delivery.Document{Kind: KindWindow, Name: "w", Manager: "test", Spec: json.RawMessage(`{"kind":"deny","zone":"UTC","calendar":"own","weekly":[{"start":"10:00","end":"11:00"}]}`)}
	if _, err := Plan(nil, []delivery.Document{cal, w}, "test", false); err != nil {
		t.Fatal(err)
	}
	if _, err := Plan([]delivery.Document{cal, w}, []delivery.Document{w}, "test", true); err == nil || !strings.Contains(err.Error(), `there is no Calendar "own"`) {
		t.Errorf("a calendar in use is pruned: %v", err)
	}
}

func TestBadCalendarsAreRefused(t *testing.T) {
	for spec, want := range map[string]string{
		`years: []`:                        "write 1 to 100 years",
		`years: [{year: 2026}]`:            "source is missing",
		`years: [{year: 1926, source: x}]`: "1926 is out of range",
		`years: [{year: 2026, source: x}, {year: 2026, source: x}]`:                                                 "2026 is there twice",
		`years: [{year: 2026, source: x, holidays: [{name: a}]}]`:                                                   "from is missing",
		`years: [{year: 2026, source: x, holidays: [{name: a, from: 2026-10-03, until: 2026-10-01}]}]`:              "before it begins",
		`years: [{year: 2026, source: x, holidays: [{name: a, from: 2026-01-01, until: 2026-12-01}]}]`:              "at most 60 days",
		`years: [{year: 2026, source: x, holidays: [{name: a, from: 2024-01-01}]}]`:                                 "2024-01-01 is not of 2026",
		`years: [{year: 2026, source: x, workdays: [{date: 2026-10-08}]}]`:                                          "on which people work anyway",
		`years: [{year: 2026, source: x, holidays: [{name: a, from: 2026-10-10}], workdays: [{date: 2026-10-10}]}]`: "is a holiday too",
		`years: [{year: 2026, source: x, workdays: [{date: 2026-10-10}, {date: 2026-10-10}]}]`:                      "is there twice",
		`years: [{year: 2026, source: x, workdays: [{date: 2026-13-10}]}]`:                                          "is not a date",
	} {
		_, err := Parse("c.yaml", []byte("apiVersion: shiplock/v1\nkind: Calendar\nmetadata: {name: c}\nspec:\n  "+spec+"\n"))
		if delivery.KindOf(err) != delivery.Invalid || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: got %v, want …%s…", spec, err, want)
		}
	}
}

// The built-in calendar has as many days off and make-up workdays as the notices give.
func TestChinasCalendar(t *testing.T) {
	set, err := NewSet(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]string{}
	for _, y := range set.Calendars["china"].Years {
		off := 0
		for _, h := range y.Holidays {
			off += int(max(h.From, h.Until)-h.From) + 1
		}
		for _, m := range y.Workdays {
			if wd := m.Date.Weekday(); wd != time.Saturday && wd != time.Sunday {
				t.Errorf("%s is a %s", m.Date, wd)
			}
		}
		got[y.Year] = fmt.Sprintf("%d off, %d made up for", off, len(y.Workdays))
		if !strings.Contains(y.Source, fmt.Sprintf("国务院办公厅关于%d年部分节假日安排的通知", y.Year)) {
			t.Errorf("%d comes from %q", y.Year, y.Source)
		}
	}
	// 1+8+3+5+1+3+7, 1+8+3+5+3+8, 3+9+3+5+3+3+7
	for year, want := range map[int]string{2024: "28 off, 8 made up for", 2025: "28 off, 5 made up for", 2026: "33 off, 6 made up for"} {
		if got[year] != want {
			t.Errorf("%d has %s, want %s", year, got[year], want)
		}
	}
}

// Plan warns of a year that is missing, when it is asked at a time.
func TestApplyWarnsOfAMissingYear(t *testing.T) {
	w := delivery.Document{Kind: KindWindow, Name: "w", Spec: json.RawMessage(`{"kind":"deny","zone":"Asia/Shanghai","calendar":"china","onlyOn":["holiday"],"weekly":[{"start":"00:00","end":"24:00"}]}`)}
	diff, err := Plan(nil, []delivery.Document{w}, "test", false)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]int{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC): 0, time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC): 1} {
		warned, err := diff.Warn(at)
		if err != nil || len(warned.Warnings) != want {
			t.Errorf("at %s: %+v, %v", at, warned.Warnings, err)
		}
	}
}
