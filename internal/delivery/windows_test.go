package delivery_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// windowOf reads a window's spec, as JSON.
func windowOf(t testing.TB, name, spec string) delivery.Window {
	t.Helper()
	var w delivery.Window
	if err := json.Unmarshal([]byte(spec), &w); err != nil {
		t.Fatalf("%s: %v", spec, err)
	}
	w.Name = name
	return w
}

func calendarOf(t testing.TB, spec string) delivery.Calendar {
	t.Helper()
	var c delivery.Calendar
	if err := json.Unmarshal([]byte(spec), &c); err != nil {
		t.Fatal(err)
	}
	c.Name = "cal"
	return c
}

// compiled makes Windows of specs by name.
func compiled(t testing.TB, c delivery.Calendar, specs map[string]string) *delivery.Windows {
	t.Helper()
	all := map[string]delivery.Window{}
	for name, spec := range specs {
		all[name] = windowOf(t, name, spec)
	}
	ws, err := delivery.CompileWindows(all, map[string]delivery.Calendar{c.Name: c}, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func instantOf(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

var shop = delivery.App{Name: "shop", Team: "web", Labels: map[string]string{"tier": "core"}}

// shortStatus is "open by x until T" or "denied by x until T (strict)".
func shortStatus(s delivery.WindowStatus) string {
	form := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.Format("01-02T15:04Z")
	}
	if s.Closed {
		return fmt.Sprintf("%s %s opens %s closes %s %s", s.Reason, s.Rule, form(s.NextOpen), form(s.NextClose), s.Overrun)
	}
	return strings.TrimSpace(fmt.Sprintf("open %s since %s closes %s", s.Rule, form(s.OpenedAt), form(s.NextClose)))
}

const tueThu = `{"kind":"allow","zone":"Asia/Shanghai","weekly":[{"days":["tue","thu"],"start":"10:00","end":"18:00"}]}`

func TestWindowStatus(t *testing.T) {
	for name, tc := range map[string]struct {
		windows map[string]string
		at      string
		want    string
	}{
		"nothing is said":           {nil, "2026-12-02T00:00:00Z", "open  since never closes never"},
		"before an opening":         {map[string]string{"hours": tueThu}, "2026-12-02T00:00:00Z", "outside hours opens 12-03T02:00Z closes 12-03T10:00Z finish-run"},
		"at the opening":            {map[string]string{"hours": tueThu}, "2026-12-03T02:00:00Z", "open hours since 12-03T02:00Z closes 12-03T10:00Z"},
		"in it":                     {map[string]string{"hours": tueThu}, "2026-12-03T09:59:59.999Z", "open hours since 12-03T02:00Z closes 12-03T10:00Z"},
		"at the close":              {map[string]string{"hours": tueThu}, "2026-12-03T10:00:00Z", "outside hours opens 12-08T02:00Z closes 12-08T10:00Z finish-run"},
		"a freeze beats an opening": {map[string]string{"hours": tueThu, "freeze": `{"kind":"deny","zone":"UTC","once":[{"from":"2026-12-03","until":"2026-12-10"}],"overrun":"stop"}`}, "2026-12-03T03:00:00Z", "denied freeze opens 12-15T02:00Z closes 12-15T10:00Z stop"},
		"a date alone ends with it": {map[string]string{"freeze": `{"kind":"deny","zone":"UTC","once":[{"from":"2026-12-03","until":"2026-12-04"}]}`}, "2026-12-04T23:59:00Z", "denied freeze opens 12-05T00:00Z closes never finish-run"},
		"a freeze without a known end": {map[string]string{"freeze": `{"kind":"deny","zone":"UTC","weekly":[{"start":"00:00","end":"24:00"}]}`},
			"2026-12-03T03:00:00Z", "denied freeze opens never closes never finish-run"},
		"over midnight": {map[string]string{"night": `{"kind":"allow","zone":"Europe/Berlin","weekly":[{"days":["fri"],"start":"22:00","end":"02:00"}]}`},
			"2026-12-05T00:30:00Z", "open night since 12-04T21:00Z closes 12-05T01:00Z"},
		"over midnight, of another day": {map[string]string{"night": `{"kind":"allow","zone":"Europe/Berlin","weekly":[{"days":["fri"],"start":"22:00","end":"02:00"}]}`},
			"2026-12-04T00:30:00Z", "outside night opens 12-04T21:00Z closes 12-05T01:00Z finish-run"},
		"an hour that is left out": {map[string]string{"night": `{"kind":"allow","zone":"America/New_York","weekly":[{"start":"02:30","end":"03:30"}]}`},
			"2026-03-08T06:00:00Z", "outside night opens 03-08T07:00Z closes 03-08T07:30Z finish-run"},
		"an hour that comes twice": {map[string]string{"night": `{"kind":"deny","zone":"America/New_York","weekly":[{"days":["sun"],"start":"01:00","end":"02:00"}]}`},
			"2026-11-01T05:00:00Z", "denied night opens 11-01T07:00Z closes 11-08T06:00Z finish-run"},
		"until midnight joins the next day": {map[string]string{"w": `{"kind":"allow","zone":"UTC","weekly":[{"days":["sat"],"start":"12:00","end":"24:00"},{"days":["sun"],"start":"00:00","end":"12:00"}]}`},
			"2026-12-05T12:00:00Z", "open w since 12-05T12:00Z closes 12-06T12:00Z"},
		"from its first day": {map[string]string{"w": `{"kind":"allow","zone":"UTC","validFrom":"2026-12-05","validUntil":"2026-12-05","weekly":[{"start":"00:00","end":"24:00"}]}`},
			"2026-12-04T00:00:00Z", "outside w opens 12-05T00:00Z closes 12-06T00:00Z finish-run"},
		"a rule in its zone": {map[string]string{"w": `{"kind":"allow","zone":"Asia/Shanghai","rrule":{"rule":"FREQ=MONTHLY;BYDAY=-1FR","start":"2020-01-31T22:00","duration":"4h"}}`},
			"2026-12-01T00:00:00Z", "outside w opens 12-25T14:00Z closes 12-25T18:00Z finish-run"},
		"a rule that counts": {map[string]string{"w": `{"kind":"deny","zone":"UTC","rrule":{"rule":"FREQ=DAILY;COUNT=3","start":"2026-12-01T10:00","duration":"1h"}}`},
			"2026-12-03T10:30:00Z", "denied w opens 12-03T11:00Z closes never finish-run"},
		"the strictest of several": {map[string]string{"a": `{"kind":"deny","zone":"UTC","weekly":[{"start":"10:00","end":"11:00"}]}`, "b": `{"kind":"deny","zone":"UTC","overrun":"finish-batch","weekly":[{"start":"10:00","end":"12:00"}]}`},
			"2026-12-03T10:30:00Z", "denied a opens 12-03T12:00Z closes 12-04T10:00Z finish-batch"},
		"of another app":         {map[string]string{"w": `{"kind":"deny","zone":"UTC","scope":{"apps":["pay*"]},"weekly":[{"start":"00:00","end":"24:00"}]}`}, "2026-12-03T10:30:00Z", "open  since never closes never"},
		"of another environment": {map[string]string{"w": `{"kind":"deny","zone":"UTC","scope":{"environments":["pre"]},"weekly":[{"start":"00:00","end":"24:00"}]}`}, "2026-12-03T10:30:00Z", "open  since never closes never"},
		"of another action":      {map[string]string{"w": `{"kind":"deny","zone":"UTC","actions":["restart","scale"],"weekly":[{"start":"00:00","end":"24:00"}]}`}, "2026-12-03T10:30:00Z", "open  since never closes never"},
		"of its tier":            {map[string]string{"w": `{"kind":"deny","zone":"UTC","scope":{"tiers":["core"]},"weekly":[{"start":"00:00","end":"24:00"}]}`}, "2026-12-03T10:30:00Z", "denied w opens never closes never finish-run"},
	} {
		t.Run(name, func(t *testing.T) {
			ws := compiled(t, delivery.Calendar{}, tc.windows)
			if got := shortStatus(ws.At(instantOf(t, tc.at), shop, "prod", delivery.ActionDeploy)); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// china2026 is a part of a year with holidays and days that make up for them.
const china2026 = `{"years":[{"year":2026,"source":"x","holidays":[{"name":"National Day","from":"2026-10-01","until":"2026-10-07"}],
	"workdays":[{"date":"2026-09-20"},{"date":"2026-10-10","as":"thu"}]}]}`

func TestWindowDays(t *testing.T) {
	for name, tc := range map[string]struct {
		more string // of an allow window of all day
		days string // on which it is active, from 2026-09-18 to 2026-10-12
	}{
		"weekdays are workdays":         {`"weekly":[{"days":["thu"]}]`, "09-24 10-08 10-10"},
		"a make-up day counts as":       {`"weekly":[{"days":["thu"]}],"makeup":"thu"`, "09-20 09-24 10-08 10-10"},
		"a weekend that is worked":      {`"weekly":[{"days":["sat","sun"]}]`, "09-19 09-26 09-27 10-03 10-04 10-11"},
		"workdays":                      {`"weekly":[{}],"onlyOn":["workday"],"notOn":["makeup-workday"]`, "09-18 09-21 09-22 09-23 09-24 09-25 09-28 09-29 09-30 10-08 10-09 10-12"},
		"the last workday of the week":  {`"weekly":[{}],"onlyOn":["last-workday-of-week"]`, "09-20 09-25 09-30 10-10"},
		"the first of the week":         {`"weekly":[{}],"onlyOn":["first-workday-of-week"]`, "09-21 09-28 10-08 10-12"},
		"the last workday of the month": {`"weekly":[{}],"onlyOn":["last-workday-of-month"]`, "09-30"},
		"the first of the month":        {`"weekly":[{}],"onlyOn":["first-workday-of-month"]`, "10-08"},
		"before a holiday":              {`"weekly":[{}],"onlyOn":["before-holiday","workday"]`, "09-30"},
		"not before a holiday":          {`"weekly":[{"days":["wed"]}],"notOn":["before-holiday"]`, "09-23"},
		"holidays":                      {`"weekly":[{}],"onlyOn":["holiday"]`, "10-01 10-02 10-03 10-04 10-05 10-06 10-07"},
		"days off":                      {`"weekly":[{}],"onlyOn":["day-off"],"notOn":["holiday"]`, "09-19 09-26 09-27 10-11"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := strings.ReplaceAll(tc.more, "[{}]", `[{"start":"00:00","end":"24:00"}]`)
			spec = strings.ReplaceAll(spec, `]}]`, `],"start":"00:00","end":"24:00"}]`)
			ws := compiled(t, calendarOf(t, china2026), map[string]string{"w": `{"kind":"allow","zone":"Asia/Shanghai","calendar":"cal",` + spec + `}`})
			var days []string
			for d := instantOf(t, "2026-09-18T12:00:00+08:00"); d.Before(instantOf(t, "2026-10-13T00:00:00+08:00")); d = d.AddDate(0, 0, 1) {
				if !ws.At(d, shop, "prod", delivery.ActionDeploy).Closed {
					days = append(days, d.Format("01-02"))
				}
			}
			if got := strings.Join(days, " "); got != tc.days {
				t.Errorf("active on %s\nwant      %s", got, tc.days)
			}
		})
	}
}

// In 2011 Samoa had no 30th of December: nobody saw that Friday.
func TestADayThatNobodySaw(t *testing.T) {
	ws := compiled(t, delivery.Calendar{}, map[string]string{"w": `{"kind":"allow","zone":"Pacific/Apia","weekly":[{"days":["fri"],"start":"00:00","end":"24:00"}]}`})
	s := ws.At(instantOf(t, "2011-12-29T12:00:00Z"), shop, "prod", delivery.ActionDeploy)
	if want := "outside w opens 01-05T10:00Z closes 01-06T10:00Z finish-run"; shortStatus(s) != want {
		t.Errorf("got %s, want %s", shortStatus(s), want)
	}
}

func TestMissingYears(t *testing.T) {
	ws := compiled(t, calendarOf(t, china2026), map[string]string{
		"a": `{"kind":"allow","zone":"Asia/Shanghai","calendar":"cal","weekly":[{"start":"10:00","end":"18:00"}]}`,
		"b": `{"kind":"deny","zone":"Asia/Shanghai","calendar":"cal","onlyOn":["holiday"],"weekly":[{"start":"00:00","end":"24:00"}]}`,
		"c": `{"kind":"allow","zone":"Asia/Shanghai","calendar":"cal","validUntil":"2026-06-01","weekly":[{"start":"10:00","end":"18:00"}]}`,
		"d": tueThu,
	})
	for at, want := range map[string]string{
		"2026-09-01T00:00:00Z": "[]",
		"2026-11-26T00:00:00Z": "[{cal 2027 a, b}]",
		"2027-12-01T00:00:00Z": "[{cal 2027 a, b} {cal 2028 a, b}]",
	} {
		if got := fmt.Sprint(ws.Missing(instantOf(t, at))); got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
	c := (delivery.MissingYear{Calendar: "cal", Year: 2027, Windows: "a, b"}).Cause()
	if c.Text == "" || c.Next == "" {
		t.Errorf("the cause says %+v", c)
	}
}

func TestStretches(t *testing.T) {
	ws := compiled(t, delivery.Calendar{}, map[string]string{"hours": tueThu, "freeze": `{"kind":"deny","zone":"UTC","once":[{"from":"2026-12-03T04:00","until":"2026-12-03T05:00"}]}`})
	var got []string
	for _, s := range ws.Between(instantOf(t, "2026-12-03T00:00:00Z"), instantOf(t, "2026-12-04T00:00:00Z"), shop, "prod", delivery.ActionDeploy) {
		got = append(got, fmt.Sprintf("%s-%s %v %s", s.From.Format("15:04"), s.Until.Format("15:04"), s.Closed, s.Rule))
	}
	want := "00:00-02:00 true hours, 02:00-04:00 false hours, 04:00-05:00 true freeze, 05:00-10:00 false hours, 10:00-00:00 true hours"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func TestNeverActive(t *testing.T) {
	cal := calendarOf(t, china2026)
	for spec, active := range map[string]bool{
		tueThu: true,
		`{"zone":"America/New_York","once":[{"from":"2026-03-08T02:10","until":"2026-03-08T02:50"}]}`:                                      false,
		`{"zone":"UTC","validFrom":"2026-12-01","validUntil":"2026-12-02","weekly":[{"days":["fri"],"start":"10:00","end":"11:00"}]}`:      false,
		`{"zone":"UTC","validFrom":"2020-12-01","validUntil":"2020-12-30","weekly":[{"days":["fri"],"start":"10:00","end":"11:00"}]}`:      true,
		`{"zone":"UTC","rrule":{"rule":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30","start":"2026-01-01T10:00","duration":"1h"}}`:                 false,
		`{"zone":"UTC","rrule":{"rule":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29","start":"2026-01-01T10:00","duration":"1h"}}`:                 true,
		`{"zone":"UTC","rrule":{"rule":"FREQ=YEARLY;INTERVAL=97;BYMONTH=2;BYMONTHDAY=29","start":"2026-01-01T10:00","duration":"1h"}}`:     true,
		`{"zone":"UTC","calendar":"cal","onlyOn":["workday","day-off"],"weekly":[{"start":"10:00","end":"11:00"}]}`:                        false,
		`{"zone":"UTC","calendar":"cal","onlyOn":["holiday"],"weekly":[{"days":["mon"],"start":"10:00","end":"11:00"}]}`:                   false,
		`{"zone":"UTC","calendar":"cal","onlyOn":["holiday"],"weekly":[{"start":"10:00","end":"11:00"}]}`:                                  true,
		`{"zone":"UTC","rrule":{"rule":"FREQ=HOURLY;INTERVAL=2;BYHOUR=1","start":"2026-01-01T00:00","duration":"1h"}}`:                     false,
		`{"zone":"UTC","rrule":{"rule":"FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6;BYMINUTE=0,10,20,30","start":"2026-01-01T00:00","duration":"5m"}}`: false,
		`{"zone":"UTC","rrule":{"rule":"FREQ=DAILY;COUNT=100000","start":"2026-01-01T00:00","duration":"5m"}}`:                             false,
		`{"zone":"UTC","rrule":{"rule":"BYDAY=MO","start":"2026-01-01T00:00","duration":"5m"}}`:                                            false,
	} {
		w := windowOf(t, "w", spec)
		loc, err := time.LoadLocation(w.Zone)
		if err != nil {
			t.Fatal(err)
		}
		c := delivery.Calendar{}
		if w.Calendar != "" {
			c = cal
		}
		began := time.Now()
		err = w.CheckActive(loc, c)
		if (err == nil) != active || err != nil && delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%s: %v", spec, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %s", spec, took)
		}
	}
}

func TestWindowTexts(t *testing.T) {
	for in, want := range map[string]string{"9:30": "09:30", "00:00": "00:00", "24:00": "24:00", "24:01": "", "12:60": "", "1200": "", "-1:00": "", "": "", "12:5": ""} {
		var c delivery.Clock
		if err := c.UnmarshalText([]byte(in)); (err == nil) != (want != "") || err == nil && c.String() != want {
			t.Errorf("the clock %q reads as %s, %v", in, c, err)
		}
	}
	for in, want := range map[string]string{
		"2026-12-24": "2026-12-24", "2026-12-24T18:00": "2026-12-24T18:00", "2026-12-24 18:00": "2026-12-24T18:00",
		"2026-12-24T18:00Z": "", "2026-13-01": "", "1970-01-01": "", "9999-01-01": "", "tomorrow": "",
	} {
		var lt delivery.LocalTime
		if err := lt.UnmarshalText([]byte(in)); (err == nil) != (want != "") || err == nil && lt.String() != want {
			t.Errorf("the time %q reads as %s, %v", in, lt, err)
		}
	}
	for in, ok := range map[string]bool{"mon": true, "sun": true, "Mon": false, "monday": false, "": false} {
		var d delivery.Weekday
		if err := d.UnmarshalText([]byte(in)); (err == nil) != ok || ok && d.String() != in {
			t.Errorf("the weekday %q reads as %s, %v", in, d, err)
		}
	}
}

// manyWindows is an installation of 200 windows, half of which concern every app.
func manyWindows(b testing.TB) (*delivery.Windows, []delivery.App) {
	specs := map[string]string{}
	for i := range 200 {
		scope := fmt.Sprintf(`{"environments":["prod"],"apps":["app-%d*"]}`, i%50)
		if i%2 == 0 {
			scope = `{"environments":["prod","pre"]}`
		}
		kind := []string{"allow", "deny", "allow", "deny"}[i%4]
		start := fmt.Sprintf("%02d:%02d", i%23, i%60)
		end := fmt.Sprintf("%02d:%02d", i%23+1, i%60)
		specs[fmt.Sprintf("w%03d", i)] = fmt.Sprintf(`{"kind":%q,"zone":"Asia/Shanghai","calendar":"cal","notOn":["before-holiday"],"scope":%s,"weekly":[{"days":["tue","thu","fri"],"start":%q,"end":%q}]}`, kind, scope, start, end)
	}
	var apps []delivery.App
	for i := range 500 {
		apps = append(apps, delivery.App{Name: fmt.Sprintf("app-%d", i)})
	}
	return compiled(b, calendarOf(b, china2026), specs), apps
}

func BenchmarkWindowDecision(b *testing.B) {
	ws, apps := manyWindows(b)
	now := instantOf(b, "2026-12-03T02:00:00Z")
	for _, a := range apps {
		ws.At(now, a, "prod", delivery.ActionDeploy)
	}
	i := 0
	for b.Loop() {
		ws.At(now.Add(time.Duration(i%86400)*time.Second), apps[i%len(apps)], "prod", delivery.ActionDeploy)
		i++
	}
}

// BenchmarkWindowFirst is the first decision after a window was edited.
func BenchmarkWindowFirst(b *testing.B) {
	now := instantOf(b, "2026-12-03T02:00:00Z")
	for b.Loop() {
		b.StopTimer()
		ws, apps := manyWindows(b)
		b.StartTimer()
		ws.At(now, apps[0], "prod", delivery.ActionDeploy)
	}
}

// UNTIL is of UTC with a Z, of the wall's clock without, and a day is all of it.
func TestUntil(t *testing.T) {
	for until, last := range map[string]string{
		"20261203T100000":  "2026-12-03T02:00:00Z",
		"20261203T020000Z": "2026-12-03T02:00:00Z",
		"20261203T015959Z": "2026-12-02T02:00:00Z",
		"20261203":         "2026-12-03T02:00:00Z",
	} {
		ws := compiled(t, delivery.Calendar{}, map[string]string{"w": `{"kind":"deny","zone":"Asia/Shanghai","rrule":{"rule":"FREQ=DAILY;UNTIL=` + until + `","start":"2026-12-01T10:00","duration":"1h"}}`})
		at := instantOf(t, last)
		if !ws.At(at, shop, "prod", delivery.ActionDeploy).Closed || ws.At(at.Add(24*time.Hour), shop, "prod", delivery.ActionDeploy).Closed {
			t.Errorf("UNTIL=%s: the last one is not %s", until, last)
		}
	}
}

// Whatever a rule says, it is worked out within bounds or refused.
func FuzzRule(f *testing.F) {
	for _, rule := range []string{
		"FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;WKST=SU", "FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYYEARDAY=-366;INTERVAL=1000", "FREQ=DAILY;COUNT=1000;BYHOUR=1,2,3", "FREQ=WEEKLY;BYDAY=2TU",
		"FREQ=MONTHLY;BYDAY=10FR;BYSETPOS=1", "FREQ=YEARLY;BYMONTH=12;BYDAY=10FR", "FREQ=YEARLY;BYDAY=-53MO", "FREQ=MONTHLY;BYDAY=-5MO,5SU",
	} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		w := delivery.Window{Name: "w", Kind: delivery.WindowDeny, Zone: "UTC"}
		w.Rrule.Rule, w.Rrule.Duration = rule, delivery.Duration(time.Hour)
		if err := w.Rrule.Start.UnmarshalText([]byte("2020-01-31T10:00")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err := w.CheckActive(time.UTC, delivery.Calendar{})
		if err != nil && delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v", rule, err)
		}
		if err == nil {
			ws, err := delivery.CompileWindows(map[string]delivery.Window{"w": w}, nil, func(string) (*time.Location, error) { return time.UTC, nil })
			if err != nil {
				t.Fatal(err)
			}
			for _, year := range []int{2019, 2020, 2026, 2032, 2199} {
				ws.At(time.Date(year, 12, 20, 0, 0, 0, 0, time.UTC), shop, "prod", delivery.ActionDeploy)
			}
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%q took %s", rule, took)
		}
	})
}
