package engine

import (
	"context"
	"errors"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// chatTimeout limits one message to a channel.
const chatTimeout = 15 * time.Second

// nextOutbox sends what is due to one channel, one call per look: what a crash may
// send twice is the last one.
func (e *Engine) nextOutbox(ctx context.Context, d *draft, channel string) (time.Time, error) {
	l, err := d.outbox(ctx, channel)
	if err != nil {
		return time.Time{}, err
	}
	facts, err := e.outboxFacts(ctx, channel, d.now)
	if err != nil {
		return time.Time{}, err
	}
	actions, again := l.after.Next(d.now, facts)
	for _, a := range actions {
		var happened delivery.Event
		switch a := a.(type) {
		case delivery.SendMessages:
			if happened, err = e.sendMessages(ctx, a); err != nil {
				return time.Time{}, err
			}
		case delivery.Record:
			happened = a.Event
		}
		if err := d.record(ctx, l.after.Ref(), happened); err != nil {
			return time.Time{}, err
		}
		d.endMessages(happened)
		again = d.now // for those behind, or to see when to try again
	}
	return again, nil
}

func (e *Engine) outboxFacts(ctx context.Context, channel string, now time.Time) (f delivery.OutboxFacts, err error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return f, err
	}
	if c, ok := set.Channels[channel]; ok {
		f.Channel, f.QuietUntil = &c, quietUntil(c.Quiet, now)
	}
	f.Owed, err = e.store.Owed(ctx, channel, delivery.OwedLimit)
	return f, err
}

// quietUntil is zero in a zone that this machine does not know: better told at night
// than never.
func quietUntil(q delivery.QuietHours, now time.Time) time.Time {
	if q.Zone == "" {
		return time.Time{}
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return time.Time{}
	}
	return q.Until(now.In(zone)).UTC()
}

// sendMessages returns what became of it. An error says that nothing is known, as the
// server is ending.
func (e *Engine) sendMessages(ctx context.Context, send delivery.SendMessages) (delivery.Event, error) {
	limits := send.Channel.Vendor.Limits()
	ids := make([]string, len(send.Messages))
	for i, m := range send.Messages {
		ids[i] = m.ID
	}
	limited, cancel := context.WithTimeout(ctx, chatTimeout)
	defer cancel()
	err := e.cfg.Chat.Send(limited, send.Channel, send.Messages)
	at := e.now()
	switch {
	case err == nil:
		return delivery.MessagesSent{IDs: ids, Limits: limits, At: at}, nil
	case ctx.Err() != nil:
		return nil, err
	case refusedForGood(err):
		e.cfg.Log.Error("message refused", "channel", send.Channel.Name, "message", ids[0], "messages", len(ids), "err", err)
		return delivery.MessagesRefused{IDs: ids, Why: err.Error(), Limits: limits, At: at}, nil
	}
	e.cfg.Log.Warn("message not sent", "channel", send.Channel.Name, "message", ids[0], "messages", len(ids), "err", err)
	return delivery.SendingFailed{Why: err.Error(), After: retryAfter(err), Limits: limits, At: at}, nil
}

func refusedForGood(err error) bool {
	kind := delivery.KindOf(err)
	return kind == delivery.Denied || kind == delivery.NotFound || kind == delivery.Invalid
}

// retryAfter is how long the other side asks to be left alone.
func retryAfter(err error) time.Duration {
	var wait interface{ RetryAfter() time.Duration }
	if errors.As(err, &wait) {
		return wait.RetryAfter()
	}
	return 0
}

// endMessages ends the messages that something happened to.
func (d *draft) endMessages(happened delivery.Event) {
	end := func(ids []string, state delivery.MessageState, why string, at time.Time) {
		for _, id := range ids {
			d.extra.Messages = append(d.extra.Messages, delivery.Message{ID: id, State: state, Why: why, EndedAt: at})
		}
	}
	switch h := happened.(type) {
	case delivery.MessagesSent:
		end(h.IDs, delivery.MessageSent, "", h.At)
	case delivery.MessagesRefused:
		end(h.IDs, delivery.MessageRefused, h.Why, h.At)
	case delivery.MessagesDropped:
		end(h.IDs, delivery.MessageDropped, h.Why, h.At)
	}
}
