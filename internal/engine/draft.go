package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// draft is a unit of work: what was loaded, and what became of it. Facts are
// folded into it one by one; nothing is written before change is committed.
type draft struct {
	store Aggregates
	now   time.Time
	actor delivery.Actor

	runs          map[delivery.RunID]*loaded[delivery.Run]
	targets       map[string]*loaded[delivery.Target]
	releases      map[delivery.ReleaseID]*loaded[delivery.Release]
	hooks         map[string]*loaded[delivery.Hook]
	notifications map[string]*loaded[delivery.Notification]
	outboxes      map[string]*loaded[delivery.Outbox]
	admitted      *loaded[delivery.Admission]

	history []delivery.HistoryEntry
	extra   delivery.Change // artifacts, audit, wakes, messages and documents
	asked   []delivery.News // beside those that follow from what changed
}

// loaded is an aggregate with its state before and after.
type loaded[A any] struct {
	before, after A
	changed       bool
}

func newDraft(store Aggregates, now time.Time, actor delivery.Actor) *draft {
	return &draft{
		store: store, now: now, actor: actor,
		runs:          map[delivery.RunID]*loaded[delivery.Run]{},
		targets:       map[string]*loaded[delivery.Target]{},
		releases:      map[delivery.ReleaseID]*loaded[delivery.Release]{},
		hooks:         map[string]*loaded[delivery.Hook]{},
		notifications: map[string]*loaded[delivery.Notification]{},
		outboxes:      map[string]*loaded[delivery.Outbox]{},
	}
}

func (d *draft) run(ctx context.Context, id delivery.RunID) (*loaded[delivery.Run], error) {
	return once(d.runs, id, func() (delivery.Run, error) { return d.store.Run(ctx, id) })
}

func (d *draft) release(ctx context.Context, id delivery.ReleaseID) (*loaded[delivery.Release], error) {
	return once(d.releases, id, func() (delivery.Release, error) { return d.store.Release(ctx, id) })
}

func (d *draft) target(ctx context.Context, app, env string) (*loaded[delivery.Target], error) {
	return once(d.targets, delivery.TargetKey(app, env), func() (delivery.Target, error) { return d.store.Target(ctx, app, env) })
}

func (d *draft) hook(ctx context.Context, id string) (*loaded[delivery.Hook], error) {
	return once(d.hooks, id, func() (delivery.Hook, error) { return d.store.Hook(ctx, id) })
}

func (d *draft) notification(ctx context.Context, id string) (*loaded[delivery.Notification], error) {
	return once(d.notifications, id, func() (delivery.Notification, error) { return d.store.Notification(ctx, id) })
}

func (d *draft) outbox(ctx context.Context, channel string) (*loaded[delivery.Outbox], error) {
	return once(d.outboxes, channel, func() (delivery.Outbox, error) { return d.store.Outbox(ctx, channel) })
}

func (d *draft) admission(ctx context.Context) (*loaded[delivery.Admission], error) {
	if d.admitted == nil {
		a, err := d.store.Admission(ctx)
		if err != nil {
			return nil, err
		}
		d.admitted = &loaded[delivery.Admission]{before: a, after: a}
	}
	return d.admitted, nil
}

func once[K comparable, A any](m map[K]*loaded[A], key K, load func() (A, error)) (*loaded[A], error) {
	if l, ok := m[key]; ok {
		return l, nil
	}
	a, err := load()
	if err != nil {
		return nil, err
	}
	l := &loaded[A]{before: a, after: a}
	m[key] = l
	return l, nil
}

// record folds a fact into the aggregate that it is about.
func (d *draft) record(ctx context.Context, on delivery.Ref, ev delivery.Event) error {
	switch on.Kind {
	case delivery.KindRun:
		l, err := d.run(ctx, delivery.RunID(on.ID))
		return fold(d, on, ev, l, err, delivery.Run.Apply)
	case delivery.KindRelease:
		l, err := d.release(ctx, delivery.ReleaseID(on.ID))
		return fold(d, on, ev, l, err, delivery.Release.Apply)
	case delivery.KindTarget:
		app, env, _ := strings.Cut(on.ID, "/")
		l, err := d.target(ctx, app, env)
		return fold(d, on, ev, l, err, delivery.Target.Apply)
	case delivery.KindHook:
		l, err := d.hook(ctx, on.ID)
		return fold(d, on, ev, l, err, delivery.Hook.Apply)
	case delivery.KindNotification:
		l, err := d.notification(ctx, on.ID)
		return fold(d, on, ev, l, err, delivery.Notification.Apply)
	case delivery.KindOutbox:
		l, err := d.outbox(ctx, on.ID)
		return fold(d, on, ev, l, err, delivery.Outbox.Apply)
	case delivery.KindAdmission:
		l, err := d.admission(ctx)
		return fold(d, on, ev, l, err, delivery.Admission.Apply)
	}
	return fmt.Errorf("record %s on %s: no such kind", ev.Name(), on)
}

// fold applies ev, and remembers it when it changed anything.
func fold[A any](d *draft, on delivery.Ref, ev delivery.Event, l *loaded[A], loadErr error, apply func(A, delivery.Event) (A, error)) error {
	if loadErr != nil {
		return loadErr
	}
	next, err := apply(l.after, ev)
	if err != nil {
		return err
	}
	if reflect.DeepEqual(next, l.after) {
		return nil
	}
	l.after, l.changed = next, true
	d.note(on, ev)
	return nil
}

// note keeps a fact for the history; change fills its version in.
func (d *draft) note(on delivery.Ref, ev delivery.Event) {
	data, err := json.Marshal(ev)
	if err != nil {
		panic("engine: a fact cannot be encoded: " + err.Error()) // our own plain types only
	}
	d.history = append(d.history, delivery.HistoryEntry{Ref: on, Name: ev.Name(), Actor: d.actor, At: d.now, Data: data})
}

// wake asks for an aggregate to be looked at once the draft is committed.
func (d *draft) wake(ref delivery.Ref, at time.Time) {
	d.extra.Wakes = append(d.extra.Wakes, delivery.Wake{Ref: ref, At: at})
}

// addRun and addRelease take new aggregates into the draft.
func (d *draft) addRun(r delivery.Run) { d.runs[r.ID] = &loaded[delivery.Run]{after: r, changed: true} }
func (d *draft) addRelease(r delivery.Release) {
	d.releases[r.ID] = &loaded[delivery.Release]{after: r, changed: true}
}

// queued are the places that the draft's new runs wait for.
func (d *draft) queued() []delivery.Slot {
	var slots []delivery.Slot
	for _, l := range d.runs {
		if r := l.after; l.before.ID == "" {
			for _, j := range r.Jobs {
				slots = append(slots, delivery.Slot{Run: r.ID, Job: j.Name, Team: r.Team, Lane: r.Lane, Since: r.CreatedAt})
			}
		}
	}
	return slots
}

// change turns the draft into what is committed, together with the wakes that
// follow from what changed.
func (d *draft) change() *delivery.Change {
	c := d.extra
	versions := map[delivery.Ref]int64{}
	for _, l := range d.runs {
		if l.changed {
			c.Runs = append(c.Runs, &l.after)
			versions[l.after.Ref()] = l.after.Version
			wakeForRun(&c, l.before, l.after)
		}
	}
	slices.SortFunc(c.Runs, func(a, b *delivery.Run) int { return cmp.Compare(a.ID, b.ID) }) // numbered as they were made
	for _, l := range d.releases {
		if l.changed {
			c.Releases = append(c.Releases, &l.after)
			versions[l.after.Ref()] = l.after.Version
			c.Wakes = append(c.Wakes, delivery.Wake{Ref: l.after.Ref()})
		}
	}
	for _, l := range d.targets {
		if l.changed {
			c.Targets = append(c.Targets, &l.after)
			versions[l.after.Ref()] = l.after.Version
			c.Wakes = append(c.Wakes, delivery.Wake{Ref: l.after.Ref()})
		}
	}
	for _, l := range d.hooks {
		if l.changed {
			c.Hooks = append(c.Hooks, &l.after)
			versions[l.after.Ref()] = l.after.Version
		}
	}
	for id, l := range d.notifications {
		if l.changed {
			c.Notifications = append(c.Notifications, &l.after)
			versions[delivery.Ref{Kind: delivery.KindNotification, ID: id}] = l.after.Version
		}
	}
	for _, l := range d.outboxes {
		if l.changed {
			c.Outboxes = append(c.Outboxes, &l.after)
			versions[l.after.Ref()] = l.after.Version
		}
	}
	if d.admitted != nil && d.admitted.changed {
		c.Admission = &d.admitted.after
		versions[delivery.AdmissionRef] = d.admitted.after.Version
	}
	for _, h := range d.history {
		h.Version = versions[h.Ref] + 1
		c.History = append(c.History, h)
	}
	c.Wakes = mergeWakes(c.Wakes)
	return &c
}

// mergeWakes keeps the earliest wake of each aggregate; a zero time is at once.
func mergeWakes(wakes []delivery.Wake) []delivery.Wake {
	var merged []delivery.Wake
	at := map[delivery.Ref]int{}
	for _, w := range wakes {
		i, ok := at[w.Ref]
		if !ok {
			at[w.Ref] = len(merged)
			merged = append(merged, w)
		} else if w.At.Before(merged[i].At) {
			merged[i].At = w.At
		}
	}
	return merged
}

// wakeForRun adds what a run's change sets in motion: its own next look, its
// commit status, and the queue when it asks for a place or frees one.
func wakeForRun(c *delivery.Change, before, after delivery.Run) {
	if after.Artifact != nil && before.Artifact == nil {
		c.Artifacts = append(c.Artifacts, *after.Artifact)
	}
	from, to := before.State(), after.State()
	fresh := before.ID == ""
	if !fresh && from == to && slices.EqualFunc(before.Jobs, after.Jobs, sameJobState) && before.Cancel == after.Cancel {
		return // only steps moved: nobody decides on those
	}
	c.Wakes = append(c.Wakes, delivery.Wake{Ref: after.Ref()})
	if fresh || from != to {
		if after.Repo.ProjectID != "" {
			c.Wakes = append(c.Wakes, delivery.Wake{Ref: delivery.Ref{Kind: delivery.KindNotification, ID: delivery.StatusID(after.ID)}})
		}
	}
	if to == delivery.RunQueued || to.Terminal() || slices.ContainsFunc(after.Jobs, func(j delivery.Job) bool { return j.State == delivery.JobQueued }) {
		c.Wakes = append(c.Wakes, delivery.Wake{Ref: delivery.AdmissionRef})
	}
}

func sameJobState(a, b delivery.Job) bool { return a.State == b.State && a.Attempt == b.Attempt }
