package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) windowCommand() *cobra.Command {
	return group(&cobra.Command{Use: "window", Short: "When releases may begin", Long: "When releases may begin. Windows are documents: see `shiplock get windows`, and change them with `shiplock apply`."},
		c.windowCheck(),
		c.windowCalendar(),
	)
}

func (c *console) windowCheck() *cobra.Command {
	var at, action string
	cmd := &cobra.Command{
		Use: "check APP ENV", Short: "Whether something may begin there at a time, and why", Args: exactly(2),
		Long: "Whether something may begin there at a time, and why: now, or --at a time like 2026-12-03T10:00:00+08:00. It ends with 1 when it is closed.",
	}
	cmd.Flags().StringVar(&at, "at", "", "the time, with its offset from UTC (default: now)")
	actionFlag(cmd, &action)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkTime(cmd, at); err != nil {
			return err
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		w, err := cl.CheckWindow(cmd.Context(), args[0], args[1], at, action)
		if err != nil {
			return err
		}
		if err := c.print(w, func(out io.Writer) { printLines(out, c.windowLines(w)) }); err != nil {
			return err
		}
		return goodIf(!w.Closed)
	}
	return c.completingTarget(cmd)
}

func actionFlag(cmd *cobra.Command, action *string) {
	cmd.Flags().StringVar(action, "action", "deploy", "deploy, config, restart or scale")
}

func checkTime(cmd *cobra.Command, at string) error {
	if at == "" {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, at); err != nil {
		return usageOf(cmd, fmt.Sprintf("--at %s: write a time with its offset from UTC, like 2026-12-03T10:00:00+08:00 or 2026-12-03T02:00:00Z", at))
	}
	return nil
}

func (c *console) windowLines(w api.WindowCheck) []string {
	local := c.clock(w.At, w.Zone)
	out := []string{word(fmt.Sprintf("%s/%s  %s  %s", w.App, w.Env, c.in(string(w.Action)), local)), word("  " + w.Says.Text)}
	if w.Closed {
		out = append(out, c.say("Next: %s", word(w.Says.Next)))
	}
	return append(out, c.aboutWindows(w.Windows, w.Warnings)...)
}

// aboutWindows names the windows that were asked, and what is to be known of them.
func (c *console) aboutWindows(windows []string, warnings []delivery.Cause) []string {
	out := []string{c.say("No window is about it.")}
	if len(windows) > 0 {
		out = []string{c.say("Windows about it: %s", word(strings.Join(windows, ", ")))}
	}
	return append(out, c.warningLines(warnings)...)
}

func (c *console) warningLines(warnings []delivery.Cause) (out []string) {
	for _, w := range warnings {
		out = append(out, c.say("Warning: %s", word(w.Text)), c.say("Next: %s", word(w.Next)))
	}
	return out
}

// clock shows a time on the wall of a zone, which is named.
func (c *console) clock(t time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "" {
		loc = time.UTC
	}
	local := t.In(loc)
	return fmt.Sprintf("%s %s %s", c.in(local.Format("Mon")), local.Format("2006-01-02 15:04:05"), loc)
}

func (c *console) windowCalendar() *cobra.Command {
	var month, env, app, action, zone string
	cmd := &cobra.Command{
		Use: "calendar --env ENV", Short: "A month with the times at which something may begin", Args: exactly(0),
		Long: "A month with the times at which something may begin: of one app, or without --app, by the windows that are for every app.",
	}
	f := cmd.Flags()
	f.StringVar(&month, "month", "", "the month, like 2026-12 (default: this one)")
	f.StringVar(&env, "env", "prod", "the environment")
	f.StringVar(&app, "app", "", "of this app")
	f.StringVar(&zone, "zone", "", "show the clock of this time zone (default: the first window's)")
	actionFlag(cmd, &action)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		m, err := cl.WindowMonth(cmd.Context(), cmp.Or(month, c.Now().Format("2006-01")), env, app, action, zone)
		if err != nil {
			return err
		}
		return c.print(m, func(w io.Writer) { printLines(w, c.monthLines(m)) })
	}
	c.complete(cmd)
	return cmd
}

// cellWidth is a day's; seven fit on a narrow terminal. cellLines are the most spans that
// one day shows.
const (
	cellWidth = 11
	cellLines = 3
)

// monthLines draw a month, week by week from Monday.
func (c *console) monthLines(m api.WindowMonth) []string {
	first, err := time.Parse("2006-01", m.Month)
	if err != nil || len(m.Days) == 0 {
		return nil
	}
	what := c.say("every app")
	if m.App != "" {
		what = m.App
	}
	out := []string{word(fmt.Sprintf("%s  %s → %s, %s  %s", first.Format("2006-01"), what, m.Env, c.in(string(m.Action)), m.Zone)), ""}
	var head []string
	for i := range 7 {
		head = append(head, c.in(time.Weekday((i + 1) % 7).String()[:3]))
	}
	out = append(out, gridLine(head))
	week := make([]*api.WindowDay, 7)
	for i, d := range m.Days {
		at := (int(first.AddDate(0, 0, i).Weekday()) + 6) % 7
		week[at] = &d
		if at == 6 || i == len(m.Days)-1 {
			out = append(out, c.weekLines(week)...)
			week = make([]*api.WindowDay, 7)
		}
	}
	out = append(out, "", c.say("· is closed all day; else the times at which something may begin."))
	return append(out, c.aboutWindows(m.Windows, m.Warnings)...)
}

func (c *console) weekLines(week []*api.WindowDay) []string {
	cells, most := make([][]string, 7), 0
	for i, d := range week {
		if d != nil {
			cells[i] = append([]string{strings.TrimPrefix(d.Date[len(d.Date)-2:], "0")}, c.dayLines(d.Open)...)
			most = max(most, len(cells[i]))
		}
	}
	var out []string
	for line := range most {
		row := make([]string, 7)
		for i, cell := range cells {
			if line < len(cell) {
				row[i] = cell[line]
			}
		}
		out = append(out, gridLine(row))
	}
	return out
}

// dayLines are the spans of a day, as few characters as they need.
func (c *console) dayLines(open []api.OpenSpan) []string {
	switch {
	case len(open) == 0:
		return []string{"·"}
	case open[0] == api.OpenSpan{From: "00:00", Until: "24:00"}:
		return []string{c.say("all day")}
	}
	var out []string
	for i, s := range open {
		if i == cellLines-1 && len(open) > cellLines {
			return append(out, fmt.Sprintf("+%d", len(open)-i))
		}
		out = append(out, shortClock(s.From)+"–"+shortClock(s.Until))
	}
	return out
}

// shortClock leaves out the minutes of a full hour.
func shortClock(s string) string {
	return strings.TrimSuffix(s, ":00")
}

func gridLine(cells []string) string {
	var b strings.Builder
	for _, cell := range cells {
		b.WriteString(cell + strings.Repeat(" ", max(cellWidth-width(cell), 1)))
	}
	return strings.TrimRight(b.String(), " ")
}

// startLines say when a release that waits for an opening starts.
func (c *console) startLines(r api.Release) []string {
	if r.Place == nil || r.Window == nil {
		return nil
	}
	return []string{c.say("Starts by itself at %s, number %d of %d in line.", c.clock(r.StartsAt, r.Window.Zone), r.Place.Number, r.Place.Of)}
}

func windowRow(w api.Window, _ time.Time) []string {
	return []string{w.Name, string(w.Kind), w.When, w.Zone, scopeOf(w.Scope), string(cmp.Or(w.Overrun, delivery.OverrunFinishRun)), w.Manager}
}

// scopeOf is what a selector chooses, in short.
func scopeOf(s delivery.Selector) string {
	var parts []string
	for _, list := range []struct {
		name string
		of   []string
	}{{"env", s.Environments}, {"app", s.Apps}, {"team", s.Teams}, {"tier", s.Tiers}} {
		if len(list.of) > 0 {
			parts = append(parts, list.name+"="+strings.Join(list.of, ","))
		}
	}
	return strings.Join(parts, " ")
}

func calendarRow(cal api.Calendar, _ time.Time) []string {
	years := make([]string, len(cal.Years))
	for i, y := range cal.Years {
		years[i] = fmt.Sprint(y.Year)
	}
	return []string{cal.Name, strings.Join(years, ","), strings.Join(cal.Windows, ","), cal.Manager}
}
