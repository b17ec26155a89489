package delivery_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // so that nothing is left out where the machine has no zones

	"github.com/shiplock/shiplock/internal/delivery"
)

// The oracle knows a window by what a person would check at any one minute: what the
// clock on the wall and the calendar beside it show. It shares no code with what it
// judges, works nothing out ahead, and knows no spans.
type oracle struct {
	windows []oracleWindow
	book    oracleBook
}

type oracleWindow struct {
	deny     bool
	loc      *time.Location
	weekly   []oracleSpan
	rule     *oracleRule
	once     [][2]string // local times, "2006-01-02T15:04"
	from     string      // "" or a local time
	until    string
	calendar bool
	only     []string
	not      []string
	makeup   string
}

type oracleSpan struct {
	days       []string
	start, end int // minutes
}

type oracleRule struct {
	freq       string
	interval   int
	days       []string // MO, or 2TU, or -1FR
	monthdays  []int
	months     []int
	hours      []int
	minute     int
	start      time.Time // on the wall, as UTC
	until      string
	minutesFor int
}

type oracleBook struct {
	holidays map[string]bool
	makeups  map[string]string // the weekday that it counts as, or ""
}

// open tells whether anything may begin at an instant.
func (o oracle) open(at time.Time) bool {
	allows, allowed := false, false
	for _, w := range o.windows {
		active := w.active(at, o.book)
		if w.deny && active {
			return false
		}
		allows = allows || !w.deny
		allowed = allowed || !w.deny && active
	}
	return allowed || !allows
}

func (w oracleWindow) active(at time.Time, book oracleBook) bool {
	wall := at.In(w.loc)
	if !w.calendar {
		book = oracleBook{}
	}
	shown := wall.Format("2006-01-02T15:04")
	if w.from != "" && shown < w.from || w.until != "" && shown >= w.until {
		return false
	}
	today := time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC)
	minute := wall.Hour()*60 + wall.Minute()
	for _, s := range w.once {
		if s[0] <= shown && shown < s[1] {
			return true
		}
	}
	for _, s := range w.weekly {
		if s.end > s.start {
			if s.start <= minute && minute < s.end && w.of(today, s, book) {
				return true
			}
			continue
		}
		if minute >= s.start && w.of(today, s, book) || minute < s.end && w.of(today.AddDate(0, 0, -1), s, book) {
			return true
		}
	}
	return w.rule != nil && w.recurs(today, minute, book)
}

func (w oracleWindow) recurs(today time.Time, minute int, book oracleBook) bool {
	for back := 0; back <= w.rule.minutesFor/1440+1; back++ {
		day := today.AddDate(0, 0, -back)
		if !w.rule.on(day) || !w.conditions(day, book) {
			continue
		}
		for _, hour := range w.rule.hours {
			begun := back*1440 + minute - (hour*60 + w.rule.minute)
			began := day.Add(time.Duration(hour*60+w.rule.minute) * time.Minute)
			late := w.rule.until != "" && began.Format("2006-01-02T15:04") > w.rule.until
			if begun >= 0 && begun < w.rule.minutesFor && !began.Before(w.rule.start) && !late {
				return true
			}
		}
	}
	return false
}

func (r oracleRule) on(day time.Time) bool {
	first := time.Date(r.start.Year(), r.start.Month(), r.start.Day(), 0, 0, 0, 0, time.UTC)
	if day.Before(first) {
		return false
	}
	days := func(a, b time.Time) int { return int(b.Sub(a).Hours()) / 24 }
	month := func(t time.Time) int { return t.Year()*12 + int(t.Month()) }
	periods := map[string]int{
		"DAILY":   days(first, day),
		"WEEKLY":  days(mondayOf(first), mondayOf(day)) / 7,
		"MONTHLY": month(day) - month(first),
		"YEARLY":  day.Year() - first.Year(),
	}[r.freq]
	if periods%r.interval != 0 || len(r.months) > 0 && !slices.Contains(r.months, int(day.Month())) {
		return false
	}
	if len(r.days) == 0 && len(r.monthdays) == 0 {
		return r.freq == "DAILY"
	}
	last := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	for _, m := range r.monthdays {
		if m == day.Day() || m < 0 && last+1+m == day.Day() {
			return true
		}
	}
	name := strings.ToUpper(day.Format("Mon"))[:2]
	for _, d := range r.days {
		nth := strings.TrimSuffix(d, name)
		if nth == d {
			continue
		}
		if nth == "" || nth == fmt.Sprint((day.Day()+6)/7) || nth == fmt.Sprint(-((last-day.Day())/7+1)) {
			return true
		}
	}
	return false
}

func mondayOf(t time.Time) time.Time { return t.AddDate(0, 0, -((int(t.Weekday()) + 6) % 7)) }

func (w oracleWindow) of(day time.Time, s oracleSpan, book oracleBook) bool {
	if !w.conditions(day, book) {
		return false
	}
	if len(s.days) == 0 {
		return true
	}
	key, name := day.Format("2006-01-02"), strings.ToLower(day.Format("Mon"))
	if as, makeup := book.makeups[key]; makeup {
		name = cmp.Or(as, w.makeup, "none")
	} else if book.holidays[key] && name != "sat" && name != "sun" {
		return false
	}
	return slices.Contains(s.days, name)
}

func (w oracleWindow) conditions(day time.Time, book oracleBook) bool {
	for _, c := range w.only {
		if !book.is(day, c) {
			return false
		}
	}
	for _, c := range w.not {
		if book.is(day, c) {
			return false
		}
	}
	return true
}

func (b oracleBook) works(day time.Time) bool {
	key := day.Format("2006-01-02")
	if _, makeup := b.makeups[key]; makeup {
		return true
	}
	return !b.holidays[key] && day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

func (b oracleBook) is(day time.Time, condition string) bool {
	key := day.Format("2006-01-02")
	next := func(n int) time.Time { return day.AddDate(0, 0, n) }
	switch condition {
	case "workday":
		return b.works(day)
	case "day-off":
		return !b.works(day)
	case "holiday":
		return b.holidays[key]
	case "makeup-workday":
		_, ok := b.makeups[key]
		return ok
	case "before-holiday":
		for n := 1; !b.works(next(n)); n++ {
			if b.holidays[next(n).Format("2006-01-02")] {
				return true
			}
		}
		return false
	case "last-workday-of-week", "first-workday-of-week", "last-workday-of-month", "first-workday-of-month":
		step := 1
		if strings.HasPrefix(condition, "first") {
			step = -1
		}
		for n := step; ; n += step {
			same := mondayOf(next(n)).Equal(mondayOf(day))
			if strings.HasSuffix(condition, "month") {
				same = next(n).Month() == day.Month()
			}
			if !same {
				return b.works(day)
			}
			if b.works(next(n)) {
				return false
			}
		}
	}
	panic(condition)
}

// spec writes the window as a document would say it.
func (w oracleWindow) spec(name string) delivery.Window {
	m := map[string]any{"kind": "allow", "zone": w.loc.String()}
	if w.deny {
		m["kind"] = "deny"
	}
	clock := func(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }
	var weekly, once []any
	for _, s := range w.weekly {
		weekly = append(weekly, map[string]any{"days": s.days, "start": clock(s.start), "end": clock(s.end)})
	}
	for _, s := range w.once {
		once = append(once, map[string]any{"from": s[0], "until": s[1]})
	}
	if w.from != "" {
		m["validFrom"] = w.from
	}
	if w.until != "" {
		m["validUntil"] = w.until
	}
	m["weekly"], m["once"], m["onlyOn"], m["notOn"] = weekly, once, w.only, w.not
	if w.makeup != "" {
		m["makeup"] = w.makeup
	}
	if w.calendar {
		m["calendar"] = "cal"
	}
	if w.rule != nil {
		m["rrule"] = map[string]any{
			"rule": w.rule.text(), "start": w.rule.start.Format("2006-01-02T15:04"), "duration": fmt.Sprintf("%dm", w.rule.minutesFor),
		}
	}
	raw, _ := json.Marshal(m)
	var out delivery.Window
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(string(raw) + ": " + err.Error())
	}
	out.Name = name
	return out
}

func (r oracleRule) text() string {
	ints := func(list []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]") }
	parts := []string{"FREQ=" + r.freq, fmt.Sprintf("INTERVAL=%d", r.interval), "BYHOUR=" + ints(r.hours)}
	if len(r.days) > 0 {
		parts = append(parts, "BYDAY="+strings.Join(r.days, ","))
	}
	if len(r.monthdays) > 0 {
		parts = append(parts, "BYMONTHDAY="+ints(r.monthdays))
	}
	if len(r.months) > 0 {
		parts = append(parts, "BYMONTH="+ints(r.months))
	}
	if r.until != "" {
		parts = append(parts, "UNTIL="+strings.NewReplacer("-", "", ":", "").Replace(r.until)+"00")
	}
	return strings.Join(parts, ";")
}

// chance makes up what is tested.
type chance struct {
	*rand.Rand
	around time.Time // the month that it is about
}

func (c chance) one(list ...string) string { return list[c.IntN(len(list))] }

func (c chance) some(list ...string) []string {
	var out []string
	for _, s := range list {
		if c.IntN(3) == 0 {
			out = append(out, s)
		}
	}
	return out
}

func (c chance) localTime(days int) string {
	t := c.around.AddDate(0, 0, c.IntN(days)-5).Truncate(24 * time.Hour)
	return t.Add(time.Duration(c.IntN(96)*15) * time.Minute).Format("2006-01-02T15:04")
}

func (c chance) minutes() int { return c.IntN(96) * 15 }

func (c chance) window(loc *time.Location) oracleWindow {
	w := oracleWindow{deny: c.IntN(3) == 0, loc: loc, calendar: c.IntN(2) == 0}
	switch c.IntN(4) {
	case 0, 1:
		for range 1 + c.IntN(3) {
			s := oracleSpan{days: c.some("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start: c.minutes(), end: c.minutes()}
			switch c.IntN(5) {
			case 0:
				s.end = 24 * 60
			case 1: // around the jumps of clocks
				s.start, s.end = c.IntN(16)*15, c.IntN(16)*15
			}
			w.weekly = append(w.weekly, s)
		}
	case 2:
		w.rule = c.rule()
	case 3:
		for range 1 + c.IntN(3) {
			a, b := c.localTime(30), c.localTime(30)
			if a == b {
				b += ":" // never equal, and not before it
				b = a[:10] + "T23:59"
			}
			w.once = append(w.once, [2]string{min(a, b), max(a, b)})
		}
	}
	if c.IntN(4) == 0 {
		w.from = c.localTime(20)
	}
	if c.IntN(4) == 0 {
		w.until = c.localTime(40)
	}
	if w.calendar && w.once == nil {
		conditions := []string{"workday", "day-off", "holiday", "makeup-workday", "before-holiday", "first-workday-of-week", "last-workday-of-week", "first-workday-of-month", "last-workday-of-month"}
		if c.IntN(3) == 0 {
			w.only = []string{c.one(conditions...)}
		}
		if c.IntN(3) == 0 {
			w.not = []string{c.one(conditions...)}
		}
		if c.IntN(3) == 0 {
			w.makeup = c.one("mon", "thu", "fri")
		}
	}
	return w
}

func (c chance) rule() *oracleRule {
	r := &oracleRule{freq: c.one("DAILY", "WEEKLY", "MONTHLY", "YEARLY"), interval: 1 + c.IntN(3), minutesFor: 15 * (1 + c.IntN(200))}
	start := c.around.AddDate(0, 0, -c.IntN(900)).Truncate(24 * time.Hour)
	r.hours, r.minute = []int{c.IntN(24)}, c.IntN(4)*15
	if c.IntN(3) == 0 && r.hours[0] < 23 {
		r.hours = append(r.hours, r.hours[0]+1)
	}
	r.start = start.Add(time.Duration(r.hours[0]*60+r.minute) * time.Minute)
	weekdays := []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}
	switch r.freq {
	case "WEEKLY":
		r.days = append(c.some(weekdays...), "WE")
	case "MONTHLY":
		if c.IntN(2) == 0 {
			r.days = []string{c.one("1", "2", "-1", "-2", "3") + c.one(weekdays...)}
		} else {
			r.monthdays = []int{[]int{1, 15, 31, -1, -3, 29}[c.IntN(6)]}
		}
	case "YEARLY":
		r.interval = 1
		r.months, r.monthdays = []int{int(c.around.Month())}, []int{1 + c.IntN(28), 1 + c.IntN(28)}
	}
	if c.IntN(4) == 0 {
		r.until = c.localTime(30)
	}
	return r
}

func (c chance) book() (oracleBook, delivery.Calendar) {
	book := oracleBook{holidays: map[string]bool{}, makeups: map[string]string{}}
	year := map[string]any{"year": c.around.Year(), "source": "chance"}
	var holidays, makeups []any
	for range 3 {
		first := c.around.AddDate(0, 0, c.IntN(35)-5).Truncate(24 * time.Hour)
		last := first.AddDate(0, 0, c.IntN(6))
		for d := first; !d.After(last); d = d.AddDate(0, 0, 1) {
			book.holidays[d.Format("2006-01-02")] = true
		}
		holidays = append(holidays, map[string]any{"name": "h", "from": first.Format("2006-01-02"), "until": last.Format("2006-01-02")})
	}
	for range 3 {
		d := mondayOf(c.around.AddDate(0, 0, c.IntN(35)-5).Truncate(24*time.Hour)).AddDate(0, 0, 5+c.IntN(2))
		key, as := d.Format("2006-01-02"), c.one("", "tue", "thu")
		if _, twice := book.makeups[key]; twice || book.holidays[key] {
			continue
		}
		book.makeups[key] = as
		m := map[string]any{"date": key}
		if as != "" {
			m["as"] = as
		}
		makeups = append(makeups, m)
	}
	year["holidays"], year["workdays"] = holidays, makeups
	raw, _ := json.Marshal(map[string]any{"years": []any{year}})
	var cal delivery.Calendar
	if err := json.Unmarshal(raw, &cal); err != nil {
		panic(err)
	}
	cal.Name = "cal"
	return book, cal
}

// jump finds a time shortly before clocks in a zone jump, if they do within a year.
func jump(loc *time.Location, from time.Time) time.Time {
	if _, end := from.In(loc).ZoneBounds(); !end.IsZero() && end.Sub(from) < 366*24*time.Hour {
		return end.UTC()
	}
	return from
}

func oracleZones(t *testing.T) []*time.Location {
	t.Helper()
	var zones []*time.Location
	for _, name := range []string{
		"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Shanghai", "Pacific/Apia", "UTC", "Asia/Kolkata",
		"America/Sao_Paulo", "Africa/Casablanca", "Pacific/Chatham", "America/St_Johns",
	} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, loc)
	}
	return zones
}

const (
	oracleCases = 48
	oracleDays  = 14
	// Each case decides every minute of twice as many days as it looks ahead.
	wantDecisions = 1_000_000
	wantNextOpen  = 10_000
)

func TestWindowsAgreeWithTheClockOnTheWall(t *testing.T) {
	zones := oracleZones(t)
	decisions, nexts, open := 0, 0, 0
	for seed := range uint64(oracleCases) {
		c := chance{Rand: rand.New(rand.NewPCG(seed, 6))}
		home := zones[int(seed)%len(zones)]
		year := 2024 + c.IntN(4)
		if home.String() == "Pacific/Apia" && c.IntN(2) == 0 {
			year = 2011 // which left out a day
		}
		c.around = jump(home, time.Date(year, time.Month(1+c.IntN(12)), 1+c.IntN(28), 0, 0, 0, 0, time.UTC)).AddDate(0, 0, -c.IntN(2*oracleDays))
		o, ws := c.world(t, home, zones)
		d, n, up := agree(t, c, o, ws)
		decisions, nexts, open = decisions+d, nexts+n, open+up
		if t.Failed() {
			t.Fatalf("seed %d, %s around %s", seed, home, c.around)
		}
	}
	if decisions < wantDecisions || nexts < wantNextOpen || open < decisions/10 || open > decisions*9/10 {
		t.Errorf("%d decisions, of which %d open, and %d next openings: too few of something", decisions, open, nexts)
	}
	t.Logf("%d decisions (%d open) and %d next openings agree", decisions, open, nexts)
}

func (c chance) world(t *testing.T, home *time.Location, zones []*time.Location) (oracle, *delivery.Windows) {
	t.Helper()
	book, cal := c.book()
	o, specs := oracle{book: book}, map[string]delivery.Window{}
	for i := range 1 + c.IntN(4) {
		loc := home
		if c.IntN(4) == 0 {
			loc = zones[c.IntN(len(zones))]
		}
		w := c.window(loc)
		o.windows = append(o.windows, w)
		name := fmt.Sprintf("w%d", i)
		specs[name] = w.spec(name)
	}
	ws, err := delivery.CompileWindows(specs, map[string]delivery.Calendar{"cal": cal}, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	return o, ws
}

// agree compares every minute of four weeks, and looks ahead from some of them.
func agree(t *testing.T, c chance, o oracle, ws *delivery.Windows) (decisions, nexts, open int) {
	t.Helper()
	shop := delivery.App{Name: "shop"}
	first := c.around.Truncate(time.Minute)
	const minutes = 2 * oracleDays * 24 * 60
	truth := make([]bool, minutes)
	for i := range truth {
		at := first.Add(time.Duration(i) * time.Minute)
		truth[i] = o.open(at)
		if truth[i] {
			open++
		}
		if s := ws.At(at.Add(time.Duration(c.IntN(60))*time.Second), shop, "prod", delivery.ActionDeploy); s.Closed == truth[i] {
			t.Errorf("%s: closed %v, and the clock on the wall says open %v: %+v", at, s.Closed, truth[i], s)
			return decisions, nexts, open
		}
		decisions++
	}
	for range 400 {
		i := c.IntN(minutes / 2)
		at := first.Add(time.Duration(i) * time.Minute)
		s := ws.At(at, shop, "prod", delivery.ActionDeploy)
		next, want := s.NextClose, !truth[i]
		if s.Closed {
			next = s.NextOpen
			nexts++
		}
		k := i
		for k < minutes && truth[k] != want {
			k++
		}
		expected := first.Add(time.Duration(k) * time.Minute)
		if k < minutes && !next.Equal(expected) || k == minutes && !next.IsZero() && next.Before(expected) {
			t.Errorf("%s: changes at %s, and the clock on the wall says %s: %+v", at, next, expected, s)
			return decisions, nexts, open
		}
	}
	return decisions, nexts, open
}
