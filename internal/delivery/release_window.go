package delivery

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"
)

// WindowDecision is what Windows said of a Release at a time. It is kept, so that people
// can see later why something began, or waited.
type WindowDecision struct {
	At     time.Time    `json:"at"`
	Closed bool         `json:"closed"`
	Reason WindowReason `json:"reason,omitempty"`
	Rule   string       `json:"rule,omitempty"`
	Zone   string       `json:"zone,omitempty"`
	// Overrun is what a release under way does while it is closed.
	Overrun   Overrun   `json:"overrun,omitempty"`
	NextOpen  time.Time `json:"nextOpen,omitzero"`
	NextClose time.Time `json:"nextClose,omitzero"`
	// StartsAt is when the release, or its next batch, begins after it had to wait.
	StartsAt time.Time `json:"startsAt,omitzero"`
	// Waived says that it was not heeded: a rollback, or the emergency lane.
	Waived bool `json:"waived,omitempty"`
	// Cause says what it holds up, if anything.
	Cause *Cause `json:"cause,omitempty"`
}

// What waits for an opening begins within a time after it, each release at a moment of
// its own, so that not all begin at once.
const (
	// OpeningSpread is that time; it is at most half of the time that it is open.
	OpeningSpread = 2 * time.Minute
	// EditSpread is the same after a Window was edited, or a server was late.
	EditSpread = 10 * time.Second
)

// frozenCheck is how often a release looks again that has no opening in sight.
const frozenCheck = 30 * day

// Place is where a release stands among those that wait for the same opening.
type Place struct {
	Number int `json:"number"`
	Of     int `json:"of"`
}

// Heeds tells whether the release waits for Windows.
func (r Release) Heeds() bool { return r.Kind != ReleaseRollback && r.Emergency == nil }

// WindowAction is what the release does, as Windows see it.
func (r Release) WindowAction(t Target) WindowAction {
	switch r.Kind {
	case ReleaseRestart:
		return ActionRestart
	case ReleaseScale:
		return ActionScale
	}
	base := r.Base
	if running := t.Running(); r.State == ReleaseIsProposed && running != nil {
		base = &running.Revision
	}
	if base != nil && base.ID != r.Revision.ID && base.Artifact == r.Revision.Artifact {
		return ActionConfig
	}
	return ActionDeploy
}

// Decide is what Windows mean for the release now; nil when they say nothing.
func (r Release) Decide(now time.Time, s WindowStatus) *WindowDecision {
	if s.Rule == "" && !s.Closed && r.Window == nil {
		return nil
	}
	d := r.decide(now, s)
	if r.State == ReleaseIsProposed && d.waits(now) {
		c := d.cause("window", s, r.windowArgs(ReleaseFacts{}))
		d.Cause = &c
	}
	return &d
}

func (r Release) decide(now time.Time, s WindowStatus) WindowDecision {
	d := WindowDecision{
		At: now, Closed: s.Closed, Reason: s.Reason, Rule: s.Rule, Zone: s.Zone, Overrun: s.Overrun,
		NextOpen: s.NextOpen, NextClose: s.NextClose, Waived: !r.Heeds(),
	}
	switch {
	case d.Waived || s.Closed && s.NextOpen.IsZero():
	case s.Closed:
		d.StartsAt = s.NextOpen.Add(r.jitter(OpeningSpread, s.NextOpen, s.NextClose))
	case r.Window == nil:
	case !r.Window.Closed:
		d.StartsAt = r.Window.StartsAt
	default:
		d.StartsAt = r.opened(now, s)
	}
	return d
}

// opened is when a release begins that finds open what it knew as closed.
func (r Release) opened(now time.Time, s WindowStatus) time.Time {
	start := s.OpenedAt.Add(r.jitter(OpeningSpread, s.OpenedAt, s.NextClose))
	if s.OpenedAt.After(r.Window.At) && now.Before(start) {
		return start
	}
	return now.Add(r.jitter(EditSpread, now, s.NextClose))
}

// jitter is a part of a spread that follows from the release's id. It leaves half of the
// time until a close.
func (r Release) jitter(spread time.Duration, opens, closes time.Time) time.Duration {
	if !closes.IsZero() {
		spread = min(spread, closes.Sub(opens)/2)
	}
	h := fnv.New64a()
	h.Write([]byte(r.ID))
	const parts = 1 << 16 // the lowest bits of an FNV hash differ well, the highest less
	sum := h.Sum64()
	return (spread * time.Duration((sum^sum>>32)%parts) / parts).Truncate(time.Millisecond)
}

// same tells whether there is nothing new in a decision.
func (d *WindowDecision) same(e WindowDecision) bool {
	return d != nil && d.Closed == e.Closed && d.Reason == e.Reason && d.Rule == e.Rule && d.Zone == e.Zone && d.Overrun == e.Overrun &&
		d.Waived == e.Waived && d.Cause.Same(e.Cause) && d.StartsAt.Equal(e.StartsAt) && (!d.Closed || d.NextOpen.Equal(e.NextOpen))
}

// waits tells whether a decision holds something up now.
func (d WindowDecision) waits(now time.Time) bool {
	return !d.Waived && (d.Closed || now.Before(d.StartsAt))
}

// again is when a decision that holds something up is to be looked at again.
func (d WindowDecision) again(now time.Time) time.Time {
	switch {
	case !d.Closed:
		return d.StartsAt
	case d.NextOpen.IsZero():
		return now.Add(frozenCheck)
	}
	return d.NextOpen
}

// windowEdge is when Windows say something else to a release that is under way.
func (r Release) windowEdge(s WindowStatus) time.Time {
	switch {
	case !r.Heeds():
		return time.Time{}
	case s.Closed:
		return s.NextOpen
	}
	return s.NextClose
}

// soonest returns the earlier of two times, of which zero is never.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// windowBlocker says that the release waits for Windows, if it does.
func (r Release) windowBlocker(now time.Time, f ReleaseFacts) *Cause {
	d := r.decide(now, f.Windows)
	if !d.waits(now) {
		return nil
	}
	c := d.cause("window", f.Windows, r.windowArgs(f))
	return &c
}

func (r Release) windowArgs(f ReleaseFacts) Args {
	args := Args{"app": r.App, "env": r.Env}
	if f.Place.Number > 0 {
		args["place"], args["of"] = fmt.Sprint(f.Place.Number), fmt.Sprint(f.Place.Of)
	}
	return args
}

// cause words a decision that holds something up. what is the beginning of its code.
func (d WindowDecision) cause(what string, s WindowStatus, args Args) Cause {
	args["window"] = s.Rule
	if s.Message != "" {
		args["message"] = s.Message
	}
	switch {
	case !d.Closed:
		local := d.StartsAt.In(s.location())
		args["time"], args["zone"] = local.Format(time.TimeOnly), s.location().String()
		return Because(what+".opening", args)
	case d.NextOpen.IsZero():
		return Because(what+".frozen", args)
	}
	s.say(args)
	return Because(what+".closed", args)
}

// say writes the next opening into arguments, as the clock of its zone shows it.
func (s WindowStatus) say(args Args) {
	local := s.NextOpen.In(s.location())
	args["day"], args["time"], args["zone"] = local.Format("Mon"), local.Format("2006-01-02 15:04"), s.location().String()
}

func (s WindowStatus) location() *time.Location {
	if s.loc == nil {
		return time.UTC
	}
	return s.loc
}

// MayGoOn refuses a next batch that a person asks for while Windows hold it up.
func (r Release) MayGoOn(now time.Time, s WindowStatus) error {
	if d := r.decide(now, s); !r.active() || r.Ending != nil || d.Waived || !d.Closed || d.Overrun == OverrunFinishRun {
		return nil
	}
	if s.NextOpen.IsZero() {
		return E(Conflict, fmt.Sprintf("cannot continue: closed by Window/%s, with no known end; the batch under way stays as it is, or abort it", s.Rule))
	}
	args := Args{}
	s.say(args)
	return E(Conflict, fmt.Sprintf("cannot continue: closed by Window/%s until %s %s %s; the batch under way stays as it is until then, or abort it", s.Rule, args["day"], args["time"], args["zone"]))
}

// holdBatch says whether the next batch has to wait, what to record of it, and when to
// look again.
func (r Release) holdBatch(now time.Time, f ReleaseFacts) (held []Action, again time.Time, waits bool) {
	d := r.decide(now, f.Windows)
	if !d.waits(now) || d.Closed && d.Overrun == OverrunFinishRun {
		return nil, time.Time{}, false
	}
	cause := d.cause("window.held", f.Windows, r.windowArgs(ReleaseFacts{}))
	if !r.Window.same(d) || !r.Cause.Same(&cause) {
		held = []Action{Record{r.Ref(), BatchHeld{Batch: r.Batch, Cause: cause, Window: d, At: now}}}
	}
	return held, d.again(now), true
}

// stopByWindow takes a release back whose Windows have closed and say so.
func (r Release) stopByWindow(now time.Time, s WindowStatus) []Action {
	if !r.Heeds() || !s.Closed || s.Overrun != OverrunStop {
		return nil
	}
	cause := Because("window.stopped", Args{"window": s.Rule})
	return []Action{Record{r.Ref(), AbortRequested{By: Cancellation{By: System(), At: now}, Cause: &cause, Window: r.Decide(now, s)}}}
}

// ofWindow tells whether a Cause is that of a wait for Windows.
func (c *Cause) ofWindow() bool { return c != nil && strings.HasPrefix(c.Code, "window.held.") }
