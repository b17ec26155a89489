package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// testPatience is how long a test waits for its turn: for a second's limit, and not for
// a minute's.
const testPatience = 3 * time.Second

// TestChannel sends a message that says who tries the channel, and returns what its
// vendor answered. It counts against the channel's limits like any other.
func (e *Engine) TestChannel(ctx context.Context, p Principal, name string) (answer string, err error) {
	on := delivery.Everything("channel " + name)
	if err := e.Allow(ctx, p, delivery.CmdChannelTest, on); err != nil {
		return "", err
	}
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return "", err
	}
	c, ok := set.Channels[name]
	if !ok {
		return "", delivery.E(delivery.NotFound, fmt.Sprintf("there is no channel %q: see `shiplock get channels`, or add it with `shiplock apply`", name))
	}
	if err := e.awaitTurn(ctx, p, c, on); err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, chatTimeout)
	defer cancel()
	answer, err = e.cfg.Chat.Test(limited, c, p.Actor)
	if noted := e.noteTest(context.WithoutCancel(ctx), name, err); noted != nil && err == nil {
		return answer, noted
	}
	return answer, err
}

// awaitTurn takes a test off the channel's limits, once these allow it.
func (e *Engine) awaitTurn(ctx context.Context, p Principal, c delivery.Channel, on delivery.Object) error {
	limits, patience := c.Vendor.Limits(), e.now().Add(testPatience)
	for {
		turn, early := time.Time{}, false
		err := e.command(ctx, p, delivery.CmdChannelTest, on, "", func(d *draft) error {
			l, err := d.outbox(ctx, c.Name)
			if err != nil {
				return err
			}
			turn = l.after.MayAt(limits)
			if early = turn.After(d.now); early {
				return delivery.E(delivery.Unavailable, fmt.Sprintf("the channel has said as much as its vendor allows: try again in %s", turn.Sub(d.now).Truncate(time.Second)+time.Second))
			}
			return d.record(ctx, l.after.Ref(), delivery.TestAsked{Limits: limits, At: d.now})
		})
		if !early || turn.After(patience) {
			return err
		}
		select {
		case <-time.After(turn.Sub(e.now())):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// noteTest keeps how a test went, and has what is owed be tried again.
func (e *Engine) noteTest(ctx context.Context, name string, failure error) error {
	why := ""
	if failure != nil {
		why = failure.Error()
	}
	return e.change(ctx, Principal{Actor: delivery.System()}, func(d *draft) error {
		d.wake(delivery.OutboxRef(name), d.now)
		return d.record(ctx, delivery.OutboxRef(name), delivery.ChannelTested{Why: why, At: d.now})
	})
}
