package engine_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// radio is a store whose other replicas are the test.
type radio struct {
	engine.Store
	says chan map[delivery.Ref]int64
	mu   sync.Mutex
	told map[delivery.Ref]int64
}

func (r *radio) Tell(changed map[delivery.Ref]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.told, changed)
}

func (r *radio) Hear(ctx context.Context, heard func(map[delivery.Ref]int64)) error {
	for {
		select {
		case changed := <-r.says:
			heard(changed)
		case <-ctx.Done():
			return nil
		}
	}
}

func playRadio(t *testing.T, story func(t *testing.T, w *world, r *radio)) {
	t.Helper()
	var r *radio
	playWith(t, func(c *engine.Config) {
		r = &radio{Store: c.Store, says: make(chan map[delivery.Ref]int64), told: map[delivery.Ref]int64{}}
		c.Store = r
	}, func(t *testing.T, w *world) { story(t, w, r) })
}

// What is written through one server, others are told.
func TestPeersAreTold(t *testing.T) {
	playRadio(t, func(t *testing.T, w *world, r *radio) {
		w.apply(app("shop", ""))
		w.receive(push("h1", "shop", "dev", "a"))
		runner := w.claim()
		if _, err := w.AppendLog(t.Context(), runner.key, runner.token, api.LogBatch{First: 1, Lines: make([]api.LogLine, 3)}); err != nil {
			t.Fatal(err)
		}
		run := w.runs()[0]
		r.mu.Lock()
		defer r.mu.Unlock()
		for ref, version := range map[delivery.Ref]int64{
			run.Ref():                           run.Version,
			{Kind: "catalog", ID: "App/shop"}:   1,
			{Kind: delivery.KindHook, ID: "h1"}: w.hook("h1").Version,
			{Kind: "log", ID: runner.key}:       3,
		} {
			if r.told[ref] != version {
				t.Errorf("%s: told version %d, want %d", ref, r.told[ref], version)
			}
		}
	})
}

// What other servers tell reaches listeners and logs here; when something was
// missed, everybody looks again.
func TestPeersAreHeard(t *testing.T) {
	playRadio(t, func(t *testing.T, w *world, r *radio) {
		run := delivery.Ref{Kind: delivery.KindRun, ID: "1"}
		l := w.Live().Listen(func(ref delivery.Ref) bool { return ref == run })
		defer l.Close()
		hears := func(says map[delivery.Ref]int64, want map[delivery.Ref]int64) {
			t.Helper()
			r.says <- says
			synctest.Wait()
			if diff := cmp.Diff(want, l.Take()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		hears(map[delivery.Ref]int64{run: 5, {Kind: "log", ID: "shop-1-build-1"}: 9, {Kind: delivery.KindTarget, ID: "x"}: 1}, map[delivery.Ref]int64{run: 5})
		hears(nil, map[delivery.Ref]int64{{Kind: "all", ID: "all"}: 0})
		if got := w.logs.Refreshed(); !slices.EqualFunc(got, [][]string{{"shop-1-build-1"}, nil}, slices.Equal) {
			t.Errorf("logs were refreshed: %v", got)
		}
	})
}
