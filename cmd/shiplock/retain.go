package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/registry"
)

const (
	// passLimit bounds one pass; the next one goes on.
	passLimit = 10 * time.Minute
	// settle is the time between the two looks that a manifest must fail.
	settle = 10 * time.Minute
	// ownRepositories hold what the server makes itself.
	ownRepositories = "shiplock/"
)

// retain lets go of the past, pass after pass, until ctx ends. A pass that fails is
// no reason to stop serving.
func (in *instance) retain(ctx context.Context) error {
	t := time.NewTicker(in.opts.retainEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if err := in.retainOnce(ctx); err != nil && ctx.Err() == nil {
			in.log.Warn("retention", "err", err)
		}
	}
}

// retainOnce removes references first, and then the bytes that nothing refers to.
func (in *instance) retainOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, passLimit)
	defer cancel()
	policy, err := in.engine.RetentionPolicy(ctx)
	if err != nil {
		return err
	}
	gone, err := in.engine.Retain(ctx)
	if err != nil {
		return err
	}
	logs, logsErr := in.retainLogs(ctx, policy)
	images, imagesErr := in.outside.remove(ctx, gone.Images)
	uploads, uploadsErr := in.registry.Sweep(ctx, time.Now().Add(-policy.Grace.Std()))
	collected, err := in.registry.Collect(ctx, registry.Rules{
		Own: ownRepositories, Grace: policy.Grace.Std(), Settle: min(settle, policy.Grace.Std()), Now: time.Now,
		Named: func(ctx context.Context, repo, digest string) (bool, error) {
			app, _, _ := strings.Cut(repo, "/")
			return in.store.NamesDigest(ctx, app, delivery.Digest(digest))
		},
	})
	if gone.Any() || logs+images+uploads+collected.Manifests+collected.Blobs > 0 {
		in.log.Info("retention", "runs", gone.Runs, "releases", gone.Releases, "artifacts", gone.Artifacts,
			"hooks", gone.Hooks, "audit", gone.Audit, "logs", logs, "images", images, "uploads", uploads,
			"manifests", collected.Manifests, "blobs", collected.Blobs, "bytes", collected.Bytes)
	}
	return errors.Join(logsErr, imagesErr, uploadsErr, err)
}

// retainLogs removes the logs of runs that are gone, and the lines of old ones.
func (in *instance) retainLogs(ctx context.Context, policy delivery.Retention) (gone int, err error) {
	old, err := in.logs.List(ctx, time.Now().Add(-policy.LogAge()))
	if err != nil {
		return 0, fmt.Errorf("list old logs: %w", err)
	}
	for _, l := range old {
		run, err := in.engine.PastAttempt(ctx, l.Attempt)
		if err != nil {
			return gone, err
		}
		why := policy.JudgeLog(time.Now(), l.Written, run)
		switch {
		case why == "":
			continue
		case run == nil:
			err = in.logs.Delete(ctx, l.Attempt)
		default:
			err = in.logs.Expire(ctx, l.Attempt, why)
		}
		if err != nil {
			return gone, fmt.Errorf("remove the log of %s: %w", l.Attempt, err)
		}
		gone++
	}
	return gone, nil
}
