package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// announce owes channels the draft's news, so that they are owed exactly what is
// committed.
func (e *Engine) announce(ctx context.Context, d *draft) error {
	news := d.news()
	if len(news) == 0 && len(d.asked) == 0 {
		return nil
	}
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return err
	}
	for _, n := range news {
		d.owe(listeners(set, n), n)
	}
	for _, n := range d.asked {
		if err := e.askOnce(ctx, d, listeners(set, n), n); err != nil {
			return err
		}
	}
	return nil
}

// news lists what people are told of, in the order in which its subjects were made.
func (d *draft) news() []delivery.News {
	var all []delivery.News
	for _, l := range byKey(d.runs) {
		if l.changed {
			all = append(all, l.after.NewsOf(l.before)...)
		}
	}
	for _, l := range byKey(d.releases) {
		if l.changed {
			all = append(all, l.after.NewsOf(l.before)...)
		}
	}
	return all
}

func byKey[K cmp.Ordered, V any](m map[K]V) []V {
	all := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[k])
	}
	return all
}

// listeners are the channels that are told of an event, by name.
func listeners(set *catalog.Set, n delivery.News) []string {
	app, ok := set.Apps[n.Note.App]
	if !ok { // it was deleted meanwhile
		app.Name = n.Note.App
	}
	var names []string
	for _, c := range byKey(set.Channels) {
		if c.Tells(n.Event, app, n.Note.Env) {
			names = append(names, c.Name)
		}
	}
	return names
}

func (d *draft) owe(channels []string, n delivery.News) {
	for _, name := range channels {
		d.extra.Messages = append(d.extra.Messages, delivery.NewMessage(name, n, d.now))
		d.wake(delivery.OutboxRef(name), d.now)
	}
}

// askOnce owes channels what is found anew at every look, unless they were told.
func (e *Engine) askOnce(ctx context.Context, d *draft, channels []string, n delivery.News) error {
	for _, name := range channels {
		known, err := e.store.MessageKnown(ctx, delivery.MessageID(name, n.On, n.Event, n.Part))
		if err != nil {
			return err
		}
		if !known {
			d.owe([]string{name}, n)
		}
	}
	return nil
}
