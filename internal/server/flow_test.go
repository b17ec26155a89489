package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

// TestFromRunToRollback drives the whole story through the client: two runs are
// released to dev by themselves, the second is canaried to prod and rolled back.
func TestFromRunToRollback(t *testing.T) {
	w := newWorld(t)
	w.run()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c := client.New(w.url, w.token)
	for i := range 2 {
		run := w.startRun()
		w.finish(string(rune('a' + i)))
		ended, err := c.WatchRun(ctx, string(run.ID), func(api.Run) error { return nil })
		if err != nil || ended.State != delivery.RunSucceeded || ended.Image == nil {
			t.Fatalf("run: %v %+v", err, ended)
		}
		w.awaitRelease(ctx, c, string(run.ID))
		w.toProd(ctx, c)
	}
	back, err := c.RollBack(ctx, "shop", "prod", api.RollBack{Reason: "too slow"})
	w.must(err)
	ended, err := c.WatchRelease(ctx, back.ID, func(api.Release) error { return nil })
	if err != nil || ended.State != delivery.ReleaseDeployed || ended.Kind != delivery.ReleaseRollback || ended.Revision.RunNumber != 1 {
		t.Errorf("rollback: %v %+v", err, ended)
	}
	w.checkAfterRollback(ctx, c)
}

func (w *world) checkAfterRollback(ctx context.Context, c *client.Client) {
	w.t.Helper()
	history, err := c.TargetHistory(ctx, "shop", "prod")
	w.must(err)
	if h := history.Items; len(h) != 3 || !h[0].Current || h[0].RunNumber != 1 || !h[1].RolledBack {
		w.t.Errorf("history: %+v", h)
	}
	status, err := c.Status(ctx)
	w.must(err)
	shop := status.Apps[0].Targets
	if shop["prod"].RunNumber != 1 || shop["dev"].RunNumber != 2 || shop["dev"].State != api.TargetHealthy {
		w.t.Errorf("status: %+v", shop)
	}
	audit, err := c.Audit(ctx, client.Filter{Limit: 1})
	w.must(err)
	if a := audit.Items; len(a) != 1 || a[0].Command != delivery.CmdReleaseRollback || a[0].Rule != "administrator" || audit.Next == "" {
		w.t.Errorf("audit: %+v", audit)
	}
}

// finish ends the next attempt well.
func (w *world) finish(digit string) {
	key, token := w.claim()
	w.runner(key, token, "reports", api.Reports{Reports: []api.Report{{Seq: 1, Finish: &api.Finish{
		Outcome:  api.OutcomeSucceeded,
		Artifact: &delivery.Artifact{Digest: delivery.Digest("sha256:" + strings.Repeat(digit, 64))},
	}}}}, 200)
}

// awaitRelease waits for the automatic release of a run.
func (w *world) awaitRelease(ctx context.Context, c *client.Client, run string) {
	w.t.Helper()
	w.must(c.Follow(ctx, []string{"run/" + run}, func(h delivery.HistoryEntry) error {
		if h.Name == "release.proposed" {
			return client.Done()
		}
		return nil
	}))
	ex, err := c.ExplainRun(ctx, run)
	w.must(err)
	r, err := c.WatchRelease(ctx, ex.Release.ID, func(api.Release) error { return nil })
	if err != nil || r.State != delivery.ReleaseDeployed || !r.Automatic {
		w.t.Fatalf("automatic release: %v %+v", err, r)
	}
}

// toProd releases what runs in dev, going on wherever a batch waits for a person.
func (w *world) toProd(ctx context.Context, c *client.Client) {
	w.t.Helper()
	made, err := c.CreateRelease(ctx, api.CreateRelease{App: "shop", Env: "prod", From: "dev"})
	w.must(err)
	continued := -1
	r, err := c.WatchRelease(ctx, made.ID, func(r api.Release) error {
		if r.Manual && continued < r.Batch {
			continued = r.Batch
			_, err := c.CommandRelease(ctx, r.ID, "continue", "")
			return err
		}
		return nil
	})
	if err != nil || r.State != delivery.ReleaseDeployed {
		w.t.Fatalf("release to prod: %v %+v", err, r)
	}
}
