package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// hookWait limits the time from a push to its run, watchWait the run or
	// release itself.
	hookWait  = 30 * time.Second
	watchWait = 10 * time.Minute
	// connections is how many requests are under way at a time.
	connections = 4
)

// watchRun waits for the run that a push makes, and then for its end.
func (t *story) watchRun(ctx context.Context, env, sha string) (api.Run, error) {
	id, err := t.findRun(ctx, env, sha)
	if err != nil {
		return api.Run{}, err
	}
	return t.followRun(ctx, id)
}

// followRun waits for a run's end and tells of it.
func (t *story) followRun(ctx context.Context, id delivery.RunID) (api.Run, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, watchWait, fmt.Errorf("the run took longer than %s", watchWait))
	defer cancel()
	run, err := t.Client.WatchRun(ctx, string(id), func(api.Run) error { return nil })
	if err != nil {
		return run, err
	}
	var steps []string
	for _, s := range runOf(run).Steps {
		if s.State != delivery.StepSkipped {
			steps = append(steps, fmt.Sprintf("%s %d ms", s.Name, s.MS))
		}
	}
	t.Say("  %s %s: %s", run.Name, run.State, strings.Join(steps, ", "))
	t.sayCause(run.Cause)
	return run, nil
}

func (t *story) sayCause(c *delivery.Cause) {
	if c == nil {
		return
	}
	t.Say("    why: %s", c.Text)
	for _, line := range c.Evidence {
		t.Say("      | %s", line)
	}
}

// findRun waits for the run of a commit. It looks often: the hook takes
// milliseconds.
func (t *story) findRun(ctx context.Context, env, sha string) (delivery.RunID, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, hookWait, fmt.Errorf("the push of %.8s made no run within %s", sha, hookWait))
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		page, err := t.Client.Runs(ctx, client.Filter{App: t.script.app, Env: env, Limit: 20})
		if err != nil {
			return "", err
		}
		for _, r := range page.Items {
			if r.Commit.SHA == sha {
				return r.ID, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// automatic waits for the release that an automatic environment made of a run.
func (t *story) automatic(ctx context.Context, run api.Run) (api.Release, error) {
	if run.Release == "" { // it is made right after the run's end
		err := t.Client.Follow(ctx, []string{"run/" + string(run.ID)}, func(h delivery.HistoryEntry) error {
			if h.Name == (delivery.ReleaseProposed{}).Name() {
				return client.Done()
			}
			return nil
		})
		if err != nil {
			return api.Release{}, err
		}
		if run, err = t.Client.Run(ctx, string(run.ID)); err != nil {
			return api.Release{}, err
		}
	}
	return t.watchRelease(ctx, run.Release, func(r api.Release) bool { return r.State.Terminal() })
}

func (t *story) watchRelease(ctx context.Context, id delivery.ReleaseID, until func(api.Release) bool) (api.Release, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, watchWait, fmt.Errorf("the release took longer than %s", watchWait))
	defer cancel()
	rel, err := t.Client.WatchRelease(ctx, id, func(r api.Release) error {
		if until(r) {
			return client.Done()
		}
		return nil
	})
	if err != nil {
		return rel, err
	}
	t.Say("  %s to %s: %s, %s", rel.Kind, rel.Env, rel.Describe, rel.State)
	t.sayCause(rel.Cause)
	return rel, nil
}

// traffic sends requests to the app in an environment until it is stopped.
func (t *story) traffic(ctx context.Context, env string) (*traffic, error) {
	target, err := t.Client.Target(ctx, t.script.app, env)
	if err != nil {
		return nil, err
	}
	return startTraffic(ctx, target.URL, connections), nil
}

// batch measures the share of the release's new version as callers see it.
func (t *story) batch(ctx context.Context, load *traffic, rel api.Release, told *Release) error {
	answers, err := load.atLeast(ctx, t.Now(), minRequests)
	if err != nil {
		return err
	}
	b := Batch{Asked: rel.Batches[rel.Batch].Asked, Requests: len(answers)}
	b.Measured, b.Failed = share(answers, string(rel.Revision.ID))
	told.Batches = append(told.Batches, b)
	t.Say("    asked %d %%, measured %.1f %% of %d requests, %d failed", b.Asked, b.Measured, b.Requests, b.Failed)
	return nil
}

// measured notes a release in one step, with the share that callers see after it.
func (t *story) measured(ctx context.Context, rel api.Release) error {
	told := Release{Env: rel.Env, Strategy: rel.Strategy, State: rel.State}
	if rel.State == delivery.ReleaseDeployed {
		load, err := t.traffic(ctx, rel.Env)
		if err != nil {
			return err
		}
		defer load.stop()
		if err := t.batch(ctx, load, rel, &told); err != nil {
			return err
		}
	}
	t.app.Releases = append(t.app.Releases, told)
	return nil
}
