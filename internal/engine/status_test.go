package engine_test

import (
	"bytes"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// states lists what the forge was told about shop in dev.
func (w *world) states() []string {
	const prefix = "status shiplock/shop/dev "
	var states []string
	for _, c := range w.forge.Calls(prefix) {
		states = append(states, c[len(prefix):])
	}
	return states
}

func (w *world) wantStates(want ...string) {
	w.t.Helper()
	if got := w.states(); !slices.Equal(got, want) {
		w.t.Fatalf("the forge was told %v, want %v", got, want)
	}
}

func TestCommitStatus(t *testing.T) {
	playWith(t, capacity(1), func(t *testing.T, w *world) {
		w.apply(app("shop", ""), app("blog", ""))
		blog := w.startRun("blog", "dev") // takes the only place
		w.receive(push("h1", "shop", "dev", "a"))
		w.wantStates("pending")
		w.must(w.CancelRun(t.Context(), admin(), blog, ""))
		w.pass(0)
		w.wantStates("pending", "running")
		r := w.claim()
		r.step("build")
		w.wantStates("pending", "running")
		r.succeed(digest("a"))
		w.wantStates("pending", "running", "success")
		w.pass(time.Hour)
		w.wantStates("pending", "running", "success")
	})
}

// A late status says the newest thing: what came between is left out.
func TestCommitStatusIsCoalesced(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.forge.Refuse("status", errAway)
		w.receive(push("h1", "shop", "dev", "a"))
		r := w.claim()
		w.must(r.finish(failure))
		away := len(w.states())
		w.forge.Follow(nil)
		w.pass(time.Minute)
		if got := w.states()[away:]; !slices.Equal(got, []string{"failed"}) {
			t.Errorf("once it answered, the forge was told %v, want failed", got)
		}
	})
}

// What a forge will never take is kept as refused, and asked once.
func TestCommitStatusRefused(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		loud bool
	}{
		"denied":   {delivery.E(delivery.Denied, "the token may not set statuses"), true},
		"no forge": {engine.ErrNoForge, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			playWith(t, func(cfg *engine.Config) {
				cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
			}, func(t *testing.T, w *world) {
				w.apply(app("shop", ""))
				w.forge.Refuse("status", c.err)
				w.receive(push("h1", "shop", "dev", "a"))
				w.claim().succeed(digest("a"))
				if got := w.states(); len(got) != 1 {
					t.Errorf("the forge was told %v, want one", got)
				}
				n, err := w.store.Notification(t.Context(), delivery.StatusID(w.runs()[0].ID))
				if err != nil || n.Refused != c.err.Error() {
					t.Errorf("notification: %+v %v", n, err)
				}
				if loud := bytes.Contains(log.Bytes(), []byte("commit status refused")); loud != c.loud {
					t.Errorf("log: %s", &log)
				}
			})
		})
	}
}
