package engine

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// AskWindow asks what Windows say of an action. Without an App it is about what every
// App has to keep.
type AskWindow struct {
	App, Env string
	Action   delivery.WindowAction
}

// schedule finds the Windows and the App of a question.
func (e *Engine) schedule(ctx context.Context, p Principal, ask AskWindow) (*delivery.Windows, delivery.App, error) {
	if err := e.Allow(ctx, p, delivery.CmdRead, delivery.On(ask.App, ask.Env)); err != nil {
		return nil, delivery.App{}, err
	}
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return nil, delivery.App{}, err
	}
	app := delivery.App{}
	if ask.App != "" {
		if _, app, _, err = e.place(ctx, ask.App, ask.Env); err != nil {
			return nil, app, err
		}
	} else if err := known(set.Environments, ask.Env); err != nil {
		return nil, app, err
	}
	schedule, err := set.Schedule()
	return schedule, app, err
}

func known(all map[string]delivery.Environment, env string) error {
	if _, ok := all[env]; !ok {
		return delivery.E(delivery.NotFound, "there is no environment \""+env+"\": see `shiplock get environments`")
	}
	return nil
}

// CheckWindow tells what Windows say at a time, and the names of those that are about it.
func (e *Engine) CheckWindow(ctx context.Context, p Principal, ask AskWindow, at time.Time) (delivery.WindowStatus, []string, error) {
	schedule, app, err := e.schedule(ctx, p, ask)
	if err != nil {
		return delivery.WindowStatus{}, nil, err
	}
	return schedule.At(at, app, ask.Env, ask.Action), schedule.Concerning(app, ask.Env, ask.Action), nil
}

// WindowStretches tells what Windows say between two times.
func (e *Engine) WindowStretches(ctx context.Context, p Principal, ask AskWindow, from, until time.Time) ([]delivery.Stretch, error) {
	schedule, app, err := e.schedule(ctx, p, ask)
	if err != nil {
		return nil, err
	}
	return schedule.Between(from, until, app, ask.Env, ask.Action), nil
}

// WindowWarnings are of Calendars that do not have a year that Windows need from a time
// on.
func (e *Engine) WindowWarnings(ctx context.Context, at time.Time) ([]delivery.Cause, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return nil, err
	}
	schedule, err := set.Schedule()
	if err != nil {
		return nil, err
	}
	var all []delivery.Cause
	for _, m := range schedule.Missing(at) {
		all = append(all, m.Cause())
	}
	return all, nil
}
