package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

func (s *Server) listWindows(ctx context.Context, _ *nothing) (api.Page[api.Window], error) {
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[api.Window]{}, err
	}
	all := []api.Window{}
	for _, name := range v.windows() {
		w := v.set.Windows[name]
		all = append(all, api.Window{Window: w, When: w.When(), Manager: v.set.Manager(catalog.KindWindow, name)})
	}
	return api.Page[api.Window]{Items: all}, nil
}

// windows names those that are about what may be seen.
func (v sight) windows() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(v.set.Windows)), func(name string) bool { return !v.selects(v.set.Windows[name].Scope) })
}

// listCalendars shows the calendars that come with Shiplock, and those of windows that
// the reader may see.
func (s *Server) listCalendars(ctx context.Context, _ *nothing) (api.Page[api.Calendar], error) {
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[api.Calendar]{}, err
	}
	windows, all := v.windows(), []api.Calendar{}
	for _, name := range slices.Sorted(maps.Keys(v.set.Calendars)) {
		cal := api.Calendar{Calendar: v.set.Calendars[name], Manager: v.set.Manager(catalog.KindCalendar, name), Windows: []string{}}
		for _, w := range windows {
			if v.set.Windows[w].Calendar == name {
				cal.Windows = append(cal.Windows, w)
			}
		}
		if v.all() || len(cal.Windows) > 0 || cal.Manager == catalog.BuiltinManager {
			all = append(all, cal)
		}
	}
	return api.Page[api.Calendar]{Items: all}, nil
}

type windowCheckInput struct {
	TargetPath
	At     time.Time `query:"at" doc:"now, when it is left out"`
	Action string    `query:"action" enum:"deploy,config,restart,scale" default:"deploy"`
}

// checkWindow says whether something may begin at a time, and why.
func (s *Server) checkWindow(ctx context.Context, in *windowCheckInput) (api.WindowCheck, error) {
	at := in.At.UTC()
	if in.At.IsZero() {
		at = s.cfg.Now().UTC()
	}
	if y := at.Year(); y < 2000 || y > 2199 {
		return api.WindowCheck{}, delivery.E(delivery.Invalid, fmt.Sprintf("the year %d is too far away: name a time of 2000 to 2199", y))
	}
	ask := engine.AskWindow{App: in.App, Env: in.Env, Action: delivery.WindowAction(in.Action)}
	said, windows, err := s.cfg.Engine.CheckWindow(ctx, principal(ctx), ask, at)
	if err != nil {
		return api.WindowCheck{}, err
	}
	warnings, err := s.cfg.Engine.WindowWarnings(ctx, at)
	return api.WindowCheck{
		App: in.App, Env: in.Env, Action: ask.Action, At: at, WindowStatus: said, Says: said.Says(), Windows: orEmpty(windows), Warnings: warnings,
	}, err
}

type windowMonthInput struct {
	Month  string `query:"month" required:"true" doc:"like 2026-12"`
	Env    string `query:"env" required:"true"`
	App    string `query:"app" doc:"without it, what every app has to keep"`
	Action string `query:"action" enum:"deploy,config,restart,scale" default:"deploy"`
	Zone   string `query:"zone" doc:"whose clock is shown; the first window's, when it is left out"`
}

// windowMonth shows a month day by day.
func (s *Server) windowMonth(ctx context.Context, in *windowMonthInput) (api.WindowMonth, error) {
	month, err := time.Parse("2006-01", in.Month)
	if err != nil || month.Year() < 2000 || month.Year() > 2199 {
		return api.WindowMonth{}, delivery.E(delivery.Invalid, fmt.Sprintf("%q is not a month: write it like 2026-12", in.Month))
	}
	ask := engine.AskWindow{App: in.App, Env: in.Env, Action: delivery.WindowAction(in.Action)}
	said, windows, err := s.cfg.Engine.CheckWindow(ctx, principal(ctx), ask, month)
	if err != nil {
		return api.WindowMonth{}, err
	}
	loc, err := s.zoneOf(ctx, in.Zone, said, windows)
	if err != nil {
		return api.WindowMonth{}, err
	}
	from := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, loc)
	until := time.Date(month.Year(), month.Month()+1, 1, 0, 0, 0, 0, loc)
	stretches, err := s.cfg.Engine.WindowStretches(ctx, principal(ctx), ask, from.UTC(), until.UTC())
	if err != nil {
		return api.WindowMonth{}, err
	}
	warnings, err := s.cfg.Engine.WindowWarnings(ctx, from.UTC())
	return api.WindowMonth{
		Month: in.Month, App: in.App, Env: in.Env, Action: ask.Action, Zone: loc.String(),
		Days: daysOf(from, until, stretches), Windows: orEmpty(windows), Warnings: warnings,
	}, err
}

// zoneOf is the zone that a month is shown in.
func (s *Server) zoneOf(ctx context.Context, name string, said delivery.WindowStatus, windows []string) (*time.Location, error) {
	if name == "" && len(windows) > 0 {
		c, err := s.catalog.current(ctx)
		if err != nil {
			return nil, err
		}
		name = c.set.Windows[windows[0]].Zone
	}
	return catalog.Zone(cmp.Or(name, said.Zone, "UTC"))
}

// daysOf cuts stretches into the days of a clock.
func daysOf(from, until time.Time, stretches []delivery.Stretch) []api.WindowDay {
	var days []api.WindowDay
	for day := from; day.Before(until); {
		next := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, day.Location())
		d := api.WindowDay{Date: day.Format(time.DateOnly), Open: []api.OpenSpan{}}
		for _, st := range stretches {
			if !st.From.Before(next) || !st.Until.After(day) {
				continue
			}
			if st.Closed {
				if !slices.Contains(d.Rules, st.Rule) {
					d.Rules = append(d.Rules, st.Rule)
				}
				continue
			}
			d.Open = append(d.Open, openSpan(st, day, next))
		}
		days = append(days, joined(d))
		day = next
	}
	return days
}

func openSpan(st delivery.Stretch, day, next time.Time) api.OpenSpan {
	span := api.OpenSpan{From: "00:00", Until: "24:00"}
	if st.From.After(day) {
		span.From = st.From.In(day.Location()).Format("15:04")
	}
	if st.Until.Before(next) {
		span.Until = st.Until.In(day.Location()).Format("15:04")
	}
	return span
}

// joined makes one of spans that touch: another window allows from there on.
func joined(d api.WindowDay) api.WindowDay {
	open := []api.OpenSpan{}
	for _, s := range d.Open {
		if n := len(open); n > 0 && open[n-1].Until == s.From {
			open[n-1].Until = s.Until
			continue
		}
		open = append(open, s)
	}
	d.Open = open
	return d
}
