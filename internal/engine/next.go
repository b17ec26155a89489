package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Limits on one effect. Whatever takes longer is tried again.
const (
	forgeTimeout    = 15 * time.Second
	executorTimeout = 30 * time.Second
	deployerTimeout = 30 * time.Second
)

// gone tells that the aggregate was deleted, so that nothing is due.
func gone(err error) bool { return delivery.KindOf(err) == delivery.NotFound }

// pure carries out actions that touch nothing outside.
func (e *Engine) pure(ctx context.Context, d *draft, actions ...delivery.Action) error {
	for _, a := range actions {
		switch a := a.(type) {
		case delivery.Record:
			if err := d.record(ctx, a.On, a.Event); err != nil {
				return err
			}
		case delivery.Wake:
			d.wake(a.Ref, a.At)
		default:
			return fmt.Errorf("no way to do %T here", a)
		}
	}
	return nil
}

// admit gives free places to the jobs that wait, those of the draft's new runs among
// them.
func (e *Engine) admit(ctx context.Context, d *draft) error {
	l, err := d.admission(ctx)
	if err != nil {
		return err
	}
	active, waiting, err := e.store.Slots(ctx, d.now, e.cfg.Capacity)
	if err != nil {
		return err
	}
	facts := delivery.AdmissionFacts{Capacity: e.cfg.Capacity, Active: active, Waiting: append(waiting, d.queued()...)}
	return e.pure(ctx, d, l.after.Next(d.now, facts)...)
}

func (e *Engine) nextTarget(ctx context.Context, d *draft, key string) (time.Time, error) {
	app, env, _ := strings.Cut(key, "/")
	l, err := d.target(ctx, app, env)
	if err != nil {
		return time.Time{}, err
	}
	waiting, err := e.store.WaitingReleases(ctx, app, env)
	if err != nil {
		return time.Time{}, err
	}
	if err := e.wakeRequiring(ctx, d, app, env); err != nil {
		return time.Time{}, err
	}
	t := l.after
	actions, again := t.Next(d.now, delivery.TargetFacts{Waiting: waiting})
	for _, a := range actions {
		switch a := a.(type) {
		case delivery.ApplyDesired:
			err = e.applyDesired(ctx, d, t)
		case delivery.ObserveTarget:
			err = e.observeTarget(ctx, d, t)
		default:
			err = e.pure(ctx, d, a)
		}
		if err != nil {
			return time.Time{}, err
		}
	}
	return again, nil
}

func (e *Engine) applyDesired(ctx context.Context, d *draft, t delivery.Target) error {
	ctx, cancel := context.WithTimeout(ctx, deployerTimeout)
	defer cancel()
	err := e.cfg.Deployer.Apply(ctx, t.App, t.Env, t.Desired)
	if delivery.KindOf(err) == delivery.Conflict { // a fence, and no race to win by trying again at once
		err = delivery.Wrap(delivery.Unavailable, "the deployer saw a newer wish than this server's: see that no other one changes "+t.Key(), err)
	}
	if err != nil {
		return fmt.Errorf("apply generation %d of %s: %w", t.Desired.Generation, t.Key(), err)
	}
	return d.record(ctx, t.Ref(), delivery.DesiredApplied{Generation: t.Desired.Generation, At: d.now})
}

func (e *Engine) observeTarget(ctx context.Context, d *draft, t delivery.Target) error {
	ctx, cancel := context.WithTimeout(ctx, deployerTimeout)
	defer cancel()
	seen, err := e.cfg.Deployer.Observe(ctx, t.App, t.Env, t.Desired)
	if err != nil {
		return fmt.Errorf("observe %s: %w", t.Key(), err)
	}
	seen.At = d.now
	return d.record(ctx, t.Ref(), delivery.TargetObserved{Observed: seen})
}

func (e *Engine) nextRelease(ctx context.Context, d *draft, id delivery.ReleaseID) (time.Time, error) {
	l, err := d.release(ctx, id)
	if gone(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	facts, err := e.releaseFacts(ctx, d, l.after)
	if err != nil {
		return time.Time{}, err
	}
	if err := e.wakeOlder(ctx, d, l.after); err != nil {
		return time.Time{}, err
	}
	actions, again := l.after.Next(d.now, facts)
	if err := e.pure(ctx, d, actions...); err != nil {
		return again, err
	}
	if l.after.State == delivery.ReleaseIsProposed {
		if asks, ok := l.after.ApprovalNews(l.after.Blockers(d.now, facts)); ok {
			d.asked = append(d.asked, asks)
		}
	}
	return again, nil
}

// wakeOlder has the releases that wait longer see that this one waits too, so that
// it replaces them at once and not only when the Target is free.
func (e *Engine) wakeOlder(ctx context.Context, d *draft, r delivery.Release) error {
	if r.State != delivery.ReleaseIsProposed {
		return nil
	}
	waiting, err := e.store.WaitingReleases(ctx, r.App, r.Env)
	for _, id := range waiting {
		if id < r.ID {
			d.wake(delivery.Ref{Kind: delivery.KindRelease, ID: string(id)}, time.Time{})
		}
	}
	return err
}

func (e *Engine) releaseFacts(ctx context.Context, d *draft, r delivery.Release) (delivery.ReleaseFacts, error) {
	t, err := d.target(ctx, r.App, r.Env)
	if err != nil {
		return delivery.ReleaseFacts{}, err
	}
	facts := delivery.ReleaseFacts{Target: t.after}
	if facts.Windows, err = e.windows(ctx, d.now, r, t.after); err != nil {
		return facts, err
	}
	if r.State == delivery.ReleaseIsProposed {
		if facts.Approval, err = e.approvalFacts(ctx, r); err != nil {
			return facts, err
		}
		if facts.Required, err = e.requirementFacts(ctx, d, r); err != nil {
			return facts, err
		}
		facts.NewerWaiting, err = e.replacement(ctx, d, r, facts.Approval)
	}
	return facts, err
}

// replacement returns the newest release that takes the place of r, which waits; ""
// when there is none. Only some kinds replace each other, and one that people have
// consented to stays until they have to the newer one too.
func (e *Engine) replacement(ctx context.Context, d *draft, r delivery.Release, f delivery.ApprovalFacts) (delivery.ReleaseID, error) {
	waiting, err := e.store.WaitingReleases(ctx, r.App, r.Env)
	if err != nil {
		return "", err
	}
	for _, id := range slices.Backward(waiting) {
		if id <= r.ID {
			break
		}
		newer, err := d.release(ctx, id)
		if err != nil {
			return "", err
		}
		if !newer.after.Kind.Replaces(r.Kind) || r.Emergency != nil && newer.after.Emergency == nil {
			continue
		}
		theirs, err := e.approvalFacts(ctx, newer.after)
		if err != nil {
			return "", err
		}
		if !r.Granted(f) || newer.after.Granted(theirs) {
			return id, nil
		}
	}
	return "", nil
}

func (e *Engine) nextNotification(ctx context.Context, d *draft, id string) (time.Time, error) {
	l, err := d.notification(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	_, subject, _ := strings.Cut(id, "/")
	run, err := d.run(ctx, delivery.RunID(subject))
	if gone(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	for _, a := range l.after.Next(d.now, run.after) {
		if send, ok := a.(delivery.SendStatus); ok {
			err = e.sendStatus(ctx, d, id, run.after, send.Status)
		} else {
			err = e.pure(ctx, d, a)
		}
		if err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}

// sendStatus tells the forge. What it will never take is recorded as refused; the
// rest is tried again.
func (e *Engine) sendStatus(ctx context.Context, d *draft, id string, run delivery.Run, s delivery.CommitStatus) error {
	ctx, cancel := context.WithTimeout(ctx, forgeTimeout)
	defer cancel()
	s.URL, s.Description = e.cfg.PublicURL+"/runs/"+string(run.ID), run.Headline(e.cfg.Lang)
	ref := delivery.Ref{Kind: delivery.KindNotification, ID: id}
	err := e.cfg.Forge.SetStatus(ctx, s)
	switch kind := delivery.KindOf(err); {
	case errors.Is(err, ErrNoForge):
		return d.record(ctx, ref, delivery.NotificationRefused{Why: err.Error()})
	case err != nil && (kind == delivery.Denied || kind == delivery.NotFound || kind == delivery.Invalid):
		e.cfg.Log.Error("commit status refused", "run", run.Name(), "err", err)
		return d.record(ctx, ref, delivery.NotificationRefused{Why: err.Error()})
	}
	if err != nil {
		return fmt.Errorf("set the commit status of %s: %w", run.Name(), err)
	}
	return d.record(ctx, ref, delivery.NotificationSent{State: s.State, At: e.now()})
}
