package delivery

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Windows answers whether something may be done to an App in an Environment. It works
// out parts of time when they are asked for, and remembers them; it may be used by many
// at once.
type Windows struct {
	rules     []*windowRule // by name
	calendars map[string]Calendar

	mu        sync.Mutex
	places    map[place]*timeline
	timelines map[string]*timeline // by the rules that they are of
}

// place is what a decision is about.
type place struct {
	app, env string
	action   WindowAction
}

// maxPlaces bounds the places that are remembered.
const maxPlaces = 1 << 16

// CompileWindows works Windows out. zone finds time zones, which a pure package does not.
func CompileWindows(all map[string]Window, calendars map[string]Calendar, zone func(name string) (*time.Location, error)) (*Windows, error) {
	ws := &Windows{calendars: calendars, places: map[place]*timeline{}, timelines: map[string]*timeline{}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w := all[name]
		loc, err := zone(w.Zone)
		if err != nil {
			return nil, Wrap(Internal, "Window "+name, err)
		}
		r, err := newWindowRule(w, loc, calendars[w.Calendar])
		if err != nil {
			return nil, Wrap(Internal, "Window "+name, err)
		}
		ws.rules = append(ws.rules, r)
	}
	return ws, nil
}

// WindowStatus is what Windows say at a time. It is advice: admission decides.
type WindowStatus struct {
	Closed bool         `json:"closed"`
	Reason WindowReason `json:"reason,omitempty"`
	// Rule is the Window that the Reason is about: the one that denies, that opens next, or
	// that allows; empty when nothing is said.
	Rule string `json:"rule,omitempty"`
	// Zone is the Rule's.
	Zone    string `json:"zone,omitempty"`
	Message string `json:"message,omitempty"`
	// Overrun is what a release under way does while it is closed.
	Overrun Overrun `json:"overrun,omitempty"`
	// NextOpen is when it opens; it has none when it is open, or no end is known.
	NextOpen time.Time `json:"nextOpen,omitzero"`
	// NextClose is when it closes, and while it is closed, when it closes after NextOpen.
	NextClose time.Time `json:"nextClose,omitzero"`
	// OpenedAt is since when it is open, if that is not long ago.
	OpenedAt time.Time `json:"openedAt,omitzero"`

	loc *time.Location
}

// WindowReason says why Windows are closed, or open.
type WindowReason string

const (
	// WindowDenied says that a Window that denies is active.
	WindowDenied WindowReason = "denied"
	// WindowOutside says that there are Windows that allow, and none is active.
	WindowOutside WindowReason = "outside"
	// WindowAllowed says that one is.
	WindowAllowed WindowReason = "allowed"
)

// At says what the Windows say of an action on an App in an Environment.
func (ws *Windows) At(now time.Time, a App, env string, action WindowAction) WindowStatus {
	if ws == nil || len(ws.rules) == 0 {
		return WindowStatus{}
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.timeline(a, env, action).at(now)
}

// Stretch is a time in which Windows say the same.
type Stretch struct {
	From   time.Time    `json:"from"`
	Until  time.Time    `json:"until"`
	Closed bool         `json:"closed"`
	Rule   string       `json:"rule,omitempty"`
	Reason WindowReason `json:"reason,omitempty"`
}

// MaxStretches bounds how long Between looks.
const MaxStretches = 400 * day

// Between lists what the Windows say between two times, at most MaxStretches apart.
func (ws *Windows) Between(from, until time.Time, a App, env string, action WindowAction) []Stretch {
	if most := from.Add(MaxStretches); until.After(most) {
		until = most
	}
	var out []Stretch
	for at := from; at.Before(until); {
		s, end := WindowStatus{}, until
		if ws != nil && len(ws.rules) > 0 {
			ws.mu.Lock()
			t := ws.timeline(a, env, action)
			s = t.at(at)
			if change := t.change(at.Unix()); change != 0 && change < until.Unix() {
				end = time.Unix(change, 0).UTC()
			}
			ws.mu.Unlock()
		}
		if n := len(out); n > 0 && out[n-1].Closed == s.Closed && out[n-1].Rule == s.Rule && out[n-1].Reason == s.Reason {
			out[n-1].Until = end
		} else {
			out = append(out, Stretch{From: at, Until: end, Closed: s.Closed, Rule: s.Rule, Reason: s.Reason})
		}
		at = end
	}
	return out
}

// Concerning names the Windows about an action on an App in an Environment.
func (ws *Windows) Concerning(a App, env string, action WindowAction) []string {
	if ws == nil {
		return nil
	}
	var names []string
	for _, r := range ws.rules {
		if r.Concerns(a, env, action) {
			names = append(names, r.Name)
		}
	}
	return names
}

// Missing names the years of Calendars in use that are not known and are needed soon:
// those of now and of two months later.
func (ws *Windows) Missing(now time.Time) []MissingYear {
	if ws == nil {
		return nil
	}
	used := map[MissingYear][]string{}
	for _, r := range ws.rules {
		c, ok := ws.calendars[r.Calendar]
		if !ok {
			continue
		}
		for _, at := range []time.Time{now, now.Add(60 * day)} {
			year := at.In(r.loc).Year()
			if u := r.ValidUntil; c.Knows(year) || u != (LocalTime{}) && u.until() <= wallOf(now.Unix(), r.loc) {
				continue
			}
			key := MissingYear{Calendar: c.Name, Year: year}
			if !slices.Contains(used[key], r.Name) {
				used[key] = append(used[key], r.Name)
			}
		}
	}
	var all []MissingYear
	for m, windows := range used {
		m.Windows = strings.Join(windows, ", ")
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b MissingYear) int {
		return cmp.Or(cmp.Compare(a.Calendar, b.Calendar), cmp.Compare(a.Year, b.Year))
	})
	return all
}

// MissingYear is a year that Windows need of a Calendar that does not have it.
type MissingYear struct {
	Calendar string
	Year     int
	Windows  string
}

// Cause says what that means, and what to do.
func (m MissingYear) Cause() Cause {
	return Because("calendar.missing", Args{"calendar": m.Calendar, "year": fmt.Sprint(m.Year), "windows": m.Windows})
}

// timeline finds the one of a place. Places that the same Windows are about share it.
func (ws *Windows) timeline(a App, env string, action WindowAction) *timeline {
	at := place{a.Name, env, action}
	if t, ok := ws.places[at]; ok {
		return t
	}
	if len(ws.places) >= maxPlaces {
		clear(ws.places)
	}
	var rules []*windowRule
	var key []byte
	for i, r := range ws.rules {
		if r.Concerns(a, env, action) {
			rules, key = append(rules, r), fmt.Appendf(key, "%d,", i)
		}
	}
	t, ok := ws.timelines[string(key)]
	if !ok {
		t = newTimeline(rules)
		ws.timelines[string(key)] = t
	}
	ws.places[at] = t
	return t
}
