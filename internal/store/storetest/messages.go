package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func newMessage(channel, subject string, n int) delivery.Message {
	news := delivery.News{
		On: delivery.Ref{Kind: delivery.KindRelease, ID: subject}, Event: delivery.ChatStarted, Part: fmt.Sprint(n),
		Note: delivery.Note{App: "shop", Env: "prod", Version: "#1", Reason: "午饭"},
	}
	return delivery.NewMessage(channel, news, epoch)
}

func testMessages(t *testing.T, db Database) {
	b := start(t, db)
	ctx := t.Context()
	owed := func(channel string, want ...string) []delivery.Message {
		t.Helper()
		all, err := b.Owed(ctx, channel, 10)
		b.must(err)
		var ids []string
		for _, m := range all {
			ids = append(ids, m.ID)
		}
		if !slices.Equal(ids, want) {
			t.Fatalf("%s is owed %v, want %v", channel, ids, want)
		}
		return all
	}
	first, second, other := newMessage("room", "rel-1", 1), newMessage("room", "rel-1", 2), newMessage("hall", "rel-1", 1)
	b.commit(delivery.Change{Messages: []delivery.Message{first, other}})
	b.commit(delivery.Change{Messages: []delivery.Message{second, first}}) // owed twice is owed once
	all := owed("room", first.ID, second.ID)
	owed("hall", other.ID)
	if got := all[0]; got.Seq == 0 || got.Seq >= all[1].Seq || got.State != delivery.MessageOwed || got.Note.Reason != "午饭" || !got.At.Equal(epoch) {
		t.Errorf("read: %+v", got)
	}
	if all, err := b.Owed(ctx, "room", 1); err != nil || len(all) != 1 || all[0].ID != first.ID {
		t.Errorf("the oldest: %v %v", all, err)
	}

	// It ends together with its outbox, and ends once.
	o, err := b.Outbox(ctx, "room")
	b.must(err)
	if o.Channel != "room" || o.Version != 0 {
		t.Errorf("a fresh outbox: %+v", o)
	}
	o.Sent, o.Minute.Full = 1, epoch.Add(time.Minute)
	stale := o
	sent := delivery.Message{ID: first.ID, State: delivery.MessageSent, EndedAt: epoch.Add(time.Second)}
	b.commit(delivery.Change{Outboxes: []*delivery.Outbox{&o}, Messages: []delivery.Message{sent}})
	same(b, o)(b.Outbox(ctx, "room"))
	b.refuse(delivery.Change{Outboxes: []*delivery.Outbox{&stale}, Messages: []delivery.Message{
		{ID: second.ID, State: delivery.MessageDropped, Why: "no", EndedAt: epoch},
	}})
	owed("room", second.ID)
	b.commit(delivery.Change{Messages: []delivery.Message{
		{ID: first.ID, State: delivery.MessageRefused, Why: "too late", EndedAt: epoch},
		{ID: second.ID, State: delivery.MessageRefused, Why: "bad sign", EndedAt: epoch},
	}})
	owed("room")
	b.commit(delivery.Change{Messages: []delivery.Message{first}}) // known for good
	owed("room")
	for id, want := range map[string]bool{first.ID: true, "none": false} {
		if known, err := b.MessageKnown(ctx, id); err != nil || known != want {
			t.Errorf("%s is known: %v %v", id, known, err)
		}
	}
	told, err := b.Messages(ctx, "rel-1")
	b.must(err)
	states := map[string]string{}
	for _, m := range told {
		states[m.ID] = string(m.State) + " " + m.Why
	}
	if states[first.ID] != "sent " || states[second.ID] != "refused bad sign" || states[other.ID] != "owed " || len(told) != 3 {
		t.Errorf("told: %v", states)
	}
	counts, err := b.CountOwed(ctx)
	b.must(err)
	if len(counts) != 1 || counts["hall"] != 1 {
		t.Errorf("owed: %v", counts)
	}
	boxes, err := b.Outboxes(ctx)
	b.must(err)
	if len(boxes) != 1 || boxes[0] != o {
		t.Errorf("outboxes: %v", boxes)
	}
}

// What was told of a release goes with it.
func testForgetMessages(t *testing.T, db Database) {
	b := start(t, db)
	rel := newRelease("shop", "dev")
	rel.State = delivery.ReleaseDeployed
	b.commit(delivery.Change{Releases: []*delivery.Release{rel}, Messages: []delivery.Message{newMessage("room", string(rel.ID), 1), newMessage("room", "other", 1)}})
	_, err := b.Forget(t.Context(), "shop", []delivery.Verdict{{Kind: delivery.KeptRelease, ID: string(rel.ID), Go: true}})
	b.must(err)
	if all, err := b.Owed(t.Context(), "room", 10); err != nil || len(all) != 1 || all[0].Subject.ID != "other" {
		t.Errorf("left: %v %v", all, err)
	}
}
