package delivery_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/delivery"
)

func owed(n int, ev delivery.ChatEvent, at time.Time) []delivery.Message {
	ms := make([]delivery.Message, n)
	for i := range ms {
		ms[i] = delivery.Message{ID: fmt.Sprint(ev, i), Channel: "room", Event: ev, At: at, State: delivery.MessageOwed}
	}
	return ms
}

func sending(t *testing.T, actions []delivery.Action) int {
	t.Helper()
	if len(actions) == 0 {
		return 0
	}
	send, ok := actions[0].(delivery.SendMessages)
	if !ok || len(actions) != 1 {
		t.Fatalf("due is %#v", actions)
	}
	return len(send.Messages)
}

func TestOutboxNext(t *testing.T) {
	room := &delivery.Channel{Name: "room", Vendor: delivery.DingTalk}
	hushed := &delivery.Channel{Name: "room", Vendor: delivery.DingTalk, Quiet: delivery.QuietHours{From: 22 * 60, To: 8 * 60, Zone: "Asia/Shanghai"}}
	l := delivery.DingTalk.Limits()
	spent := delivery.Outbox{Channel: "room"}
	for range l.Minute.Burst {
		spent, _ = spent.Apply(delivery.MessagesSent{IDs: []string{"x"}, Limits: l, At: t0.Add(-time.Second)})
	}
	hour := t0.Add(time.Hour)
	for name, c := range map[string]struct {
		o     delivery.Outbox
		f     delivery.OutboxFacts
		now   time.Time
		sends int
		again time.Time
	}{
		"nothing owed":     {f: delivery.OutboxFacts{Channel: room}},
		"one":              {f: delivery.OutboxFacts{Channel: room, Owed: owed(1, "started", t0)}, sends: 1},
		"a few, each":      {f: delivery.OutboxFacts{Channel: room, Owed: owed(9, "started", t0)}, sends: 1},
		"more than tokens": {f: delivery.OutboxFacts{Channel: room, Owed: owed(10, "started", t0)}, sends: 10},
		"a flood":          {f: delivery.OutboxFacts{Channel: room, Owed: owed(60, "started", t0)}, sends: delivery.DigestLimit},
		"no token":         {o: spent, f: delivery.OutboxFacts{Channel: room, Owed: owed(3, "started", t0)}, again: t0.Add(5 * time.Second)},
		"one token":        {o: spent, f: delivery.OutboxFacts{Channel: room, Owed: owed(3, "started", t0)}, now: t0.Add(5 * time.Second), sends: 3},
		"after a failure":  {o: delivery.Outbox{Channel: "room", RetryAt: hour}, f: delivery.OutboxFacts{Channel: room, Owed: owed(1, "started", t0)}, again: hour},
		"quiet":            {f: delivery.OutboxFacts{Channel: hushed, Owed: owed(2, "started", t0), QuietUntil: hour}, again: hour},
		"quiet, but loud":  {f: delivery.OutboxFacts{Channel: hushed, Owed: append(owed(2, "started", t0), owed(1, "emergency", t0)...), QuietUntil: hour}, sends: 1},
		"after the quiet":  {f: delivery.OutboxFacts{Channel: hushed, Owed: owed(2, "started", t0)}, now: hour, sends: 2},
	} {
		t.Run(name, func(t *testing.T) {
			if c.now.IsZero() {
				c.now = t0
			}
			actions, again := c.o.Next(c.now, c.f)
			if n := sending(t, actions); n != c.sends || !again.Equal(c.again) {
				t.Errorf("%d are sent, again at %s; want %d and %s", n, again, c.sends, c.again)
			}
		})
	}
	loud, _ := delivery.Outbox{}.Next(t0, delivery.OutboxFacts{Channel: hushed, Owed: append(owed(2, "started", t0), owed(1, "emergency", t0)...), QuietUntil: hour})
	if m := loud[0].(delivery.SendMessages).Messages[0]; m.Event != delivery.ChatEmergency {
		t.Errorf("the quiet is broken by %s", m.Event)
	}
}

func TestOutboxDrops(t *testing.T) {
	room := &delivery.Channel{Name: "room", Vendor: delivery.WeCom}
	for name, c := range map[string]struct {
		f    delivery.OutboxFacts
		want int
	}{
		"no channel": {delivery.OutboxFacts{Owed: owed(3, "started", t0)}, 3},
		"too old":    {delivery.OutboxFacts{Channel: room, Owed: append(owed(2, "started", t0.Add(-25*time.Hour)), owed(1, "failed", t0)...)}, 2},
	} {
		actions, _ := delivery.Outbox{Channel: "room"}.Next(t0, c.f)
		dropped, ok := actions[0].(delivery.Record).Event.(delivery.MessagesDropped)
		if !ok || len(dropped.IDs) != c.want || dropped.Why == "" {
			t.Errorf("%s: %#v", name, actions)
		}
	}
}

func TestOutboxRetries(t *testing.T) {
	o := delivery.Outbox{Channel: "room"}
	l := delivery.Feishu.Limits()
	var waits []time.Duration
	for range 8 {
		o, _ = o.Apply(delivery.SendingFailed{Why: "down", Limits: l, At: t0})
		waits = append(waits, o.RetryAt.Sub(t0))
	}
	if want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}; !slices.EqualFunc(waits, want, func(a, b time.Duration) bool { return a == b*time.Second }) {
		t.Errorf("waits are %v", waits)
	}
	o, _ = o.Apply(delivery.SendingFailed{Why: "limited", After: 10 * time.Minute, Limits: l, At: t0})
	if o.RetryAt != t0.Add(10*time.Minute) || o.Error != "limited" {
		t.Errorf("%+v", o)
	}
	o, _ = o.Apply(delivery.MessagesSent{IDs: []string{"a", "b"}, Limits: l, At: t0})
	if o.Error != "" || o.Tries != 0 || !o.RetryAt.IsZero() || o.Sent != 2 || o.SentAt != t0 {
		t.Errorf("%+v", o)
	}
	o, _ = o.Apply(delivery.MessagesRefused{IDs: []string{"c"}, Why: "bad sign", Limits: l, At: t0})
	if o.Error != "bad sign" || o.Refused != 1 || !o.RetryAt.IsZero() {
		t.Errorf("%+v", o)
	}
	o, _ = o.Apply(delivery.ChannelTested{At: t0})
	if o.Error != "" {
		t.Errorf("%+v", o)
	}
	if _, err := o.Apply(delivery.ReleaseEnded{}); delivery.KindOf(err) != delivery.Internal {
		t.Errorf("another machine's fact: %v", err)
	}
}

// Through outages and floods, each message is sent once and in order, as soon as may be.
func TestOutboxSendsAllOnceInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vendor := rapid.SampledFrom(delivery.ChatVendors()).Draw(t, "vendor")
		room, l := &delivery.Channel{Name: "room", Vendor: vendor}, vendor.Limits()
		var queue, told []string
		o, now, made := delivery.Outbox{Channel: "room"}, t0, 0
		facts := func() (f delivery.OutboxFacts) {
			f.Channel = room
			for _, id := range queue[:min(len(queue), delivery.OwedLimit)] {
				f.Owed = append(f.Owed, delivery.Message{ID: id, Event: delivery.ChatStarted, At: now})
			}
			return f
		}
		down := t0.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "outage")) * time.Second)
		for step := 0; len(queue) > 0 || step < 20; step++ {
			if step < 20 {
				for range rapid.IntRange(0, 15).Draw(t, "news") {
					queue = append(queue, fmt.Sprint(made))
					made++
				}
			}
			actions, again := o.Next(now, facts())
			if len(actions) == 0 {
				if len(queue) > 0 && !again.After(now) {
					t.Fatalf("stuck with %d owed, again at %s", len(queue), again)
				}
				now = now.Add(max(again.Sub(now), 0))
				continue
			}
			ms := actions[0].(delivery.SendMessages).Messages
			err := error(nil)
			if now.Before(down) {
				err = errors.New("down")
			}
			if err != nil {
				o, _ = o.Apply(delivery.SendingFailed{Why: err.Error(), Limits: l, At: now})
				continue
			}
			for _, m := range ms {
				told = append(told, m.ID)
			}
			o, _ = o.Apply(delivery.MessagesSent{IDs: []string{"x"}, Limits: l, At: now})
			queue = queue[len(ms):]
		}
		for i, id := range told {
			if id != fmt.Sprint(i) {
				t.Fatalf("told %v", told)
			}
		}
		if len(told) != made {
			t.Fatalf("told %d of %d", len(told), made)
		}
	})
}

func TestQuietHours(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, shanghai) }
	night, noon := delivery.QuietHours{From: 22 * 60, To: 8*60 + 30, Zone: "Asia/Shanghai"}, delivery.QuietHours{From: 12 * 60, To: 13 * 60, Zone: "Asia/Shanghai"}
	for _, c := range []struct {
		q         delivery.QuietHours
		now, want time.Time
	}{
		{night, at(1, 21, 59), time.Time{}},
		{night, at(1, 22, 0), at(2, 8, 30)},
		{night, at(31, 23, 0), at(32, 8, 30)},
		{night, at(2, 8, 29), at(2, 8, 30)},
		{night, at(2, 8, 30), time.Time{}},
		{noon, at(2, 12, 30), at(2, 13, 0)},
		{noon, at(2, 13, 0), time.Time{}},
		{delivery.QuietHours{}, at(2, 3, 0), time.Time{}},
	} {
		if got := c.q.Until(c.now); !got.Equal(c.want) {
			t.Errorf("%v at %s: until %s, want %s", c.q, c.now, got, c.want)
		}
	}
}
