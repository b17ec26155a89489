package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// windows is what Windows say of a release at a time.
func (e *Engine) windows(ctx context.Context, now time.Time, r delivery.Release, t delivery.Target) (delivery.WindowStatus, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return delivery.WindowStatus{}, err
	}
	schedule, err := set.Schedule()
	if err != nil {
		return delivery.WindowStatus{}, err
	}
	app := set.Apps[r.App]
	app.Name = r.App // it may have been deleted meanwhile
	return schedule.At(now, app, r.Env, r.WindowAction(t)), nil
}

// propose takes a new release into the draft, with what Windows say of it.
func (e *Engine) propose(ctx context.Context, d *draft, r delivery.Release) (delivery.Release, error) {
	t, err := d.target(ctx, r.App, r.Env)
	if err != nil {
		return r, err
	}
	said, err := e.windows(ctx, d.now, r, t.after)
	if err != nil {
		return r, err
	}
	r.Window = r.Decide(d.now, said)
	d.addRelease(r)
	return r, nil
}

// mayGoOn refuses a batch that a person asks for while Windows hold it up, and else
// returns what they say.
func (e *Engine) mayGoOn(ctx context.Context, d *draft, r delivery.Release) (*delivery.WindowDecision, error) {
	t, err := d.target(ctx, r.App, r.Env)
	if err != nil {
		return nil, err
	}
	said, err := e.windows(ctx, d.now, r, t.after)
	if err != nil {
		return nil, err
	}
	return r.Decide(d.now, said), r.MayGoOn(d.now, said)
}

// wakeOpenReleases has every release that is not over decided anew: what their
// decisions depend on was changed.
func (e *Engine) wakeOpenReleases(ctx context.Context, d *draft) error {
	open, err := e.store.OpenReleases(ctx)
	for _, r := range open {
		d.wake(r.Ref(), time.Time{})
	}
	return err
}

// placeOf is where a release that waits for an opening stands among the others that wait
// for the same one, in the order in which they will start. It is for people: the whole
// line is looked at.
func (e *Engine) placeOf(ctx context.Context, now time.Time, r delivery.Release, said delivery.WindowStatus) (delivery.Place, error) {
	mine := r.Decide(now, said)
	if mine == nil || mine.Waived || mine.StartsAt.IsZero() || !now.Before(mine.StartsAt) {
		return delivery.Place{}, nil
	}
	open, err := e.store.OpenReleases(ctx)
	if err != nil {
		return delivery.Place{}, err
	}
	line := []inLine{{r.ID, mine.StartsAt}}
	for _, other := range open {
		if other.ID == r.ID || other.State != delivery.ReleaseIsProposed {
			continue
		}
		theirs := other.Window // as it was decided last: each change of the catalog has them decide anew
		if theirs != nil && !theirs.Waived && now.Before(theirs.StartsAt) && sameOpening(*mine, *theirs) {
			line = append(line, inLine{other.ID, theirs.StartsAt})
		}
	}
	slices.SortFunc(line, func(a, b inLine) int { return cmp.Or(a.startsAt.Compare(b.startsAt), cmp.Compare(a.id, b.id)) })
	i := slices.IndexFunc(line, func(l inLine) bool { return l.id == r.ID })
	return delivery.Place{Number: i + 1, Of: len(line)}, nil
}

type inLine struct {
	id       delivery.ReleaseID
	startsAt time.Time
}

// sameOpening tells whether two releases wait for one opening, or both for their moment
// after one.
func sameOpening(a, b delivery.WindowDecision) bool {
	return a.Closed == b.Closed && a.NextOpen.Equal(b.NextOpen)
}

// Waiting is how a release waits for Windows.
type Waiting struct {
	Decision *delivery.WindowDecision
	Place    delivery.Place
}

// Waiting tells how a release waits for Windows now; its Decision is nil when they say
// nothing.
func (e *Engine) Waiting(ctx context.Context, r delivery.Release) (Waiting, error) {
	if r.State.Terminal() {
		return Waiting{}, nil
	}
	now := e.now()
	t, err := e.store.Target(ctx, r.App, r.Env)
	if err != nil {
		return Waiting{}, err
	}
	said, err := e.windows(ctx, now, r, t)
	if err != nil {
		return Waiting{}, err
	}
	w := Waiting{Decision: r.Decide(now, said)}
	if r.State == delivery.ReleaseIsProposed {
		w.Place, err = e.placeOf(ctx, now, r, said)
	}
	return w, err
}
