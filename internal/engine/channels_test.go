package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/engine/enginetest"
)

func channel(name, more string) delivery.Document {
	return document("Channel", name, fmt.Sprintf(`{"vendor":"dingtalk","urlSecret":"%s-url"%s}`, name, more))
}

// told lists what a channel was told, message by message.
func (w *world) told(channel string) []string {
	prefix := "say " + channel + " "
	var said []string
	for _, c := range w.chat.Calls(prefix) {
		said = append(said, c[len(prefix):])
	}
	return said
}

func (w *world) wantTold(channel string, want ...string) {
	w.t.Helper()
	if got := w.told(channel); !slices.Equal(got, want) {
		w.t.Fatalf("%s was told %q, want %q", channel, got, want)
	}
}

func (w *world) outbox(channel string) delivery.Outbox {
	w.t.Helper()
	o, err := w.store.Outbox(w.t.Context(), channel)
	w.must(err)
	return o
}

func TestChannelsAreToldOnce(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), channel("room", ""), channel("prod", `,"scope":{"environments":["prod"]},"events":["finished"]`))
		w.receive(push("h1", "shop", "dev", "a"))
		w.claim().succeed(digest("a"))
		w.pass(time.Minute)
		w.wantTold("room", "started:shop#1:dev", "finished:shop#1:dev")
		w.receive(push("h2", "shop", "dev", "b"))
		w.must(w.claim().finish(failure))
		w.pass(time.Minute)
		w.wantTold("room", "started:shop#1:dev", "finished:shop#1:dev", "runFailed:shop#2:dev")
		w.deployer.Break(digest("c"), delivery.Because("version.failed", nil))
		w.receive(push("h3", "shop", "dev", "c"))
		w.claim().succeed(digest("c"))
		w.pass(time.Minute)
		id := w.newest()
		w.wantTold("room", "started:shop#1:dev", "finished:shop#1:dev", "runFailed:shop#2:dev", "started:shop#3:dev", "failed:shop#3:dev")
		w.wantTold("prod")
		told, err := w.store.Messages(t.Context(), string(id))
		w.must(err)
		if len(told) != 2 || told[1].State != delivery.MessageSent || told[1].Note.Cause == nil {
			t.Errorf("told of the release: %+v", told)
		}
		w.pass(24 * time.Hour)
		if got := w.told("room"); len(got) != 5 {
			t.Errorf("a day later: %v", got)
		}
	})
}

// newest returns the newest release's id.
func (w *world) newest() delivery.ReleaseID {
	all := w.releases()
	return all[len(all)-1].ID
}

// A vendor that is away is told everything afterwards, once and in order, and holds up
// nothing.
func TestChannelThatIsAway(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), channel("room", ""))
		w.chat.Refuse("say", delivery.E(delivery.Unavailable, "DingTalk does not answer"))
		w.receive(push("h1", "shop", "dev", "a"))
		w.claim().succeed(digest("a"))
		w.pass(10 * time.Minute)
		w.wantRelease(w.releases()[0].ID, delivery.ReleaseDeployed)
		if o := w.outbox("room"); o.Sent != 0 || o.Error != "DingTalk does not answer" || o.Tries < 5 {
			t.Errorf("outbox: %+v", o)
		}
		away := len(w.told("room"))
		w.chat.Follow(nil)
		w.pass(2 * time.Minute)
		if got := w.told("room")[away:]; !slices.Equal(got, []string{"started:shop#1:dev", "finished:shop#1:dev"}) {
			t.Errorf("once it answered, it was told %v", got)
		}
		if o := w.outbox("room"); o.Sent != 2 || o.Error != "" || o.Tries != 0 {
			t.Errorf("outbox: %+v", o)
		}
	})
}

// What is refused for good is written down, and the next message is sent.
func TestChannelThatRefuses(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), channel("room", ""))
		w.chat.Follow(func(call string) (error, bool) {
			if strings.Contains(call, "started") {
				return delivery.E(delivery.Denied, "the signature is wrong"), false
			}
			return nil, false
		})
		w.receive(push("h1", "shop", "dev", "a"))
		w.claim().succeed(digest("a"))
		w.pass(time.Minute)
		w.wantTold("room", "started:shop#1:dev", "finished:shop#1:dev")
		told, err := w.store.Messages(t.Context(), string(w.releases()[0].ID))
		w.must(err)
		if told[0].State != delivery.MessageRefused || told[0].Why != "the signature is wrong" || told[1].State != delivery.MessageSent {
			t.Errorf("%+v", told)
		}
		if o := w.outbox("room"); o.Refused != 1 || o.Sent != 1 || o.Error != "" {
			t.Errorf("outbox: %+v", o)
		}
	})
}

// A server that dies between sending and writing it down sends the one message again.
func TestCrashRepeatsOneMessage(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), channel("room", ""))
		dying := w.server
		w.chat.Follow(func(call string) (error, bool) {
			if strings.Contains(call, "started") {
				dying.end() // what was sent can be written down no more
				return context.Canceled, true
			}
			return nil, false
		})
		w.receive(push("h1", "shop", "dev", "a"))
		w.claim().succeed(digest("a"))
		synctest.Wait()
		<-dying.ended
		w.chat.Follow(nil)
		w.boot()
		w.pass(time.Minute)
		w.wantTold("room", "started:shop#1:dev", "started:shop#1:dev", "finished:shop#1:dev")
	})
}

// Forty releases at once are told within the limits, all of them, in few messages; two
// servers share the limits.
func TestManyReleasesAreDigested(t *testing.T) {
	playWith(t, capacity(50), func(t *testing.T, w *world) {
		docs := []delivery.Document{channel("room", `,"events":["finished"]`)}
		for i := range 40 {
			docs = append(docs, app(fmt.Sprintf("app-%02d", i), ""))
		}
		w.apply(docs...)
		w.boot()
		began := time.Now()
		for i := range 40 {
			w.receive(push(fmt.Sprint("h", i), fmt.Sprintf("app-%02d", i), "dev", "a"))
		}
		for _, a := range w.executor.Alive() {
			w.claimOf(a).succeed(digest("a"))
		}
		w.pass(time.Minute)
		calls := w.told("room")
		told := map[string]int{}
		for _, c := range calls {
			for _, one := range strings.Split(c, ", ") {
				told[one]++
			}
		}
		if len(told) != 40 || len(calls) > 20 {
			t.Errorf("%d releases were told of in %d messages within %s", len(told), len(calls), time.Since(began))
		}
		for one, n := range told {
			if n != 1 {
				t.Errorf("%s was told %d times", one, n)
			}
		}
	})
}

func TestChannelRemoved(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), channel("room", ""))
		w.chat.Refuse("say", errAway)
		w.receive(push("h1", "shop", "dev", "a"))
		w.claim().succeed(digest("a"))
		_, err := w.Apply(t.Context(), admin(), engine.ApplyCatalog{Manager: "test", Documents: []delivery.Document{app("shop", "")}, Prune: true})
		w.must(err)
		w.pass(5 * time.Minute)
		if counts, err := w.store.CountOwed(t.Context()); err != nil || len(counts) != 0 {
			t.Errorf("owed: %v %v", counts, err)
		}
		if o := w.outbox("room"); o.Dropped != 2 {
			t.Errorf("outbox: %+v", o)
		}
	})
}

func TestQuietChannel(t *testing.T) {
	play(t, func(t *testing.T, w *world) { // a bubble's time begins on 2000-01-01 at 00:00 UTC
		w.apply(app("shop", ""), channel("room", `,"quiet":{"from":"06:00","to":"09:00","zone":"Asia/Shanghai"}`))
		w.receive(push("h1", "shop", "dev", "a"))
		w.claim().succeed(digest("a"))
		w.pass(50 * time.Minute)
		w.wantTold("room")
		w.pass(11 * time.Minute)
		w.wantTold("room", "started:shop#1:dev, finished:shop#1:dev")
		_, err := w.Apply(t.Context(), admin(), engine.ApplyCatalog{Manager: "test", Documents: []delivery.Document{channel("hall", `,"quiet":{"from":"06:00","to":"09:00","zone":"Asia/Atlantis"}`)}})
		w.refused(err, delivery.Invalid, "is not a time zone")
	})
}

func TestChannelIsTested(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(channel("room", ""))
		_, err := w.TestChannel(t.Context(), admin(), "hall")
		w.refused(err, delivery.NotFound, "no channel")
		answer, err := w.TestChannel(t.Context(), admin(), "room")
		if err != nil || answer != "0 ok" || len(w.chat.Calls("test room ann")) != 1 {
			t.Errorf("%q %v %v", answer, err, w.chat.Calls(""))
		}
		w.pass(time.Second)
		w.chat.Refuse("test", delivery.E(delivery.Denied, "the signature is wrong"))
		_, err = w.TestChannel(t.Context(), admin(), "room")
		w.refused(err, delivery.Denied, "signature")
		if o := w.outbox("room"); o.Error != "the signature is wrong" {
			t.Errorf("%+v", o)
		}
		for err = error(nil); delivery.KindOf(err) != delivery.Unavailable; w.pass(time.Second) {
			if _, err = w.TestChannel(t.Context(), admin(), "room"); err == nil {
				t.Fatal("it is refused")
			}
		}
		w.refused(err, delivery.Unavailable, "try again in")
		if n := len(w.chat.Calls("test")); n > 19 {
			t.Errorf("%d tests went to the vendor", n)
		}
	})
}

// patient is a vendor's answer that asks for a while.
type patient struct{ error }

func (patient) RetryAfter() time.Duration { return 10 * time.Minute }

func TestPenaltyIsWaitedFor(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), channel("room", `,"events":["finished"]`))
		w.chat.Refuse("say", patient{delivery.Wrap(delivery.Unavailable, "too much", errors.New("130101"))})
		w.receive(push("h1", "shop", "dev", "a"))
		w.claim().succeed(digest("a"))
		w.pass(9 * time.Minute)
		w.chat.Follow(nil)
		w.wantTold("room", "finished:shop#1:dev")
		w.pass(2 * time.Minute)
		w.wantTold("room", "finished:shop#1:dev", "finished:shop#1:dev")
	})
}

var _ engine.Chat = (*enginetest.Chat)(nil)

// A stricter policy opens a granted approval again, which is told once more.
func TestReopenedApprovalsAreToldAgain(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		w.apply(channel("room", `,"events":["approval"],"scope":{"environments":["prod"]}`))
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.must(w.approve(id, who("lee", "leads")))
		w.must(w.approve(id, who("kim")))
		w.pass(time.Minute)
		version := w.told("room")[0][len("approval"):]
		w.wantTold("room", "approval"+version)
		w.apply(document("ApprovalPolicy", "more", `{"scope":{"environments":["prod"]},"groups":[{"name":"security","subjects":["user:sam"]}]}`))
		w.Nudge(w.release(id).Ref())
		w.pass(time.Minute)
		w.wantTold("room", "approval"+version, "approval"+version)
		if a := w.release(id).Approval; a.Round != 2 || len(a.Votes) != 2 || !a.GrantedAt.IsZero() {
			t.Errorf("approval: %+v", a)
		}
		w.Nudge(w.release(id).Ref())
		w.pass(time.Minute)
		w.wantTold("room", "approval"+version, "approval"+version)
	})
}

// Who is asked for an approval is told once for each time that it is asked for, and how it
// ended.
func TestApprovalsAreToldOnce(t *testing.T) {
	approving(t, twoGroups, func(t *testing.T, w *world) {
		w.apply(channel("room", `,"scope":{"environments":["prod"]}`))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.pass(time.Minute)
		for range 3 {
			w.Nudge(w.release(id).Ref())
			w.pass(time.Minute)
		}
		w.must(w.approve(id, who("lee", "leads")))
		w.pass(time.Minute)
		version := w.told("room")[0][len("approval"):]
		w.wantTold("room", "approval"+version)
		_, err := w.Reject(t.Context(), who("kim"), id, "no")
		w.must(err)
		w.pass(time.Minute)
		w.wantTold("room", "approval"+version, "rejected"+version)
		told, err := w.store.Messages(t.Context(), string(id))
		w.must(err)
		if c := told[0].Note.Cause; c == nil || !strings.Contains(c.Text, "tech-leads") || c.Next == "" {
			t.Errorf("it was told %+v", told[0].Note)
		}
	})
}
