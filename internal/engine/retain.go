package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// forgetAtOnce bounds a transaction that removes something.
	forgetAtOnce = 32
	// hooksAtOnce and auditAtOnce bound one of many small rows.
	hooksAtOnce, auditAtOnce = 100, 500
	// targetFacts is how many of the newest facts of a Target stay.
	targetFacts = 1000
	// breath is between two transactions, so that others get theirs.
	breath = 5 * time.Millisecond
	// shownVerdicts bounds a report.
	shownVerdicts = 500
)

// Forgotten counts what a pass removed.
type Forgotten struct {
	Runs, Releases, Artifacts, Hooks, Audit int
	// Images are those of the artifacts; some may be needed again meanwhile.
	Images []Image
}

// Image is one in an app's repository.
type Image struct {
	App    string
	Digest delivery.Digest
}

// Any tells whether anything went.
func (f Forgotten) Any() bool { return f.Runs+f.Releases+f.Artifacts+f.Hooks+f.Audit > 0 }

// Retain makes one pass over the past: it removes what the retention policy lets go,
// in small transactions. A pass that ends early, or is killed, is taken up by the
// next. The bytes of what went are the caller's to remove.
func (e *Engine) Retain(ctx context.Context) (f Forgotten, err error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return f, err
	}
	policy := set.Retention.WithDefaults()
	apps, err := e.store.PastApps(ctx)
	for _, app := range apps {
		if err == nil {
			err = e.retainApp(ctx, policy, app, &f)
		}
	}
	if err == nil {
		err = e.retainHooks(ctx, policy, &f)
	}
	if err == nil {
		err = e.retainAudit(ctx, policy, &f)
	}
	if err == nil {
		err = e.store.ForgetTokens(ctx, e.now())
	}
	return f, err
}

// retainApp lets go of runs and releases first, so that the artifacts are judged by
// what is left.
func (e *Engine) retainApp(ctx context.Context, policy delivery.Retention, app string, f *Forgotten) error {
	past, err := e.store.Past(ctx, app)
	if err != nil {
		return err
	}
	verdicts := slices.DeleteFunc(policy.Judge(e.now(), past), func(v delivery.Verdict) bool { return !v.Go })
	for _, kind := range []struct {
		name string
		gone *int
	}{{delivery.KeptRun, &f.Runs}, {delivery.KeptRelease, &f.Releases}, {delivery.KeptArtifact, &f.Artifacts}} {
		of := slices.DeleteFunc(slices.Clone(verdicts), func(v delivery.Verdict) bool { return v.Kind != kind.name })
		for batch := range slices.Chunk(of, forgetAtOnce) {
			n, err := e.store.Forget(ctx, app, batch)
			if err != nil {
				return fmt.Errorf("forget the past of %s: %w", app, err)
			}
			*kind.gone += n
			if n > 0 && kind.name == delivery.KeptArtifact {
				for _, v := range batch {
					f.Images = append(f.Images, Image{app, delivery.Digest(v.ID)})
				}
			}
			if err := rest(ctx); err != nil {
				return err
			}
		}
	}
	for _, t := range past.Targets {
		if _, err := e.store.ForgetFacts(ctx, t.Key(), t.Version-targetFacts, auditAtOnce); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) retainHooks(ctx context.Context, policy delivery.Retention, f *Forgotten) error {
	before := e.now().Add(-policy.Age.Std())
	for after := int64(0); ; {
		n, next, err := e.store.ForgetHooks(ctx, after, before, hooksAtOnce)
		f.Hooks += n
		if err != nil || next == 0 {
			return err
		}
		after = next
		if err := rest(ctx); err != nil {
			return err
		}
	}
}

func (e *Engine) retainAudit(ctx context.Context, policy delivery.Retention, f *Forgotten) error {
	for {
		n, err := e.store.ForgetAudit(ctx, e.now().Add(-policy.Audit.Std()), auditAtOnce)
		f.Audit += n
		if err != nil || n < auditAtOnce {
			return err
		}
		if err := rest(ctx); err != nil {
			return err
		}
	}
}

// rest lets others write.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(breath):
		return nil
	}
}

// Retention shows the policy, what the next pass would remove, and what is older than
// the policy's age and stays nevertheless.
func (e *Engine) Retention(ctx context.Context) (r api.RetentionReport, err error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return r, err
	}
	policy := set.Retention.WithDefaults()
	r = api.RetentionReport{Policy: policy, Going: []delivery.Verdict{}, Staying: []delivery.Verdict{}}
	apps, err := e.store.PastApps(ctx)
	if err != nil {
		return r, err
	}
	for _, app := range apps {
		past, err := e.store.Past(ctx, app)
		if err != nil {
			return r, err
		}
		for _, v := range policy.Judge(e.now(), past) {
			r.Count(v)
			switch {
			case v.Go && len(r.Going) < shownVerdicts:
				r.Going = append(r.Going, v)
			case !v.Go && v.Old && len(r.Staying) < shownVerdicts:
				r.Staying = append(r.Staying, v)
			}
		}
	}
	return r, nil
}

// RetentionPolicy is the policy as it is now.
func (e *Engine) RetentionPolicy(ctx context.Context) (delivery.Retention, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return delivery.Retention{}, err
	}
	return set.Retention.WithDefaults(), nil
}

// PastAttempt tells retention about the run of an attempt; nil when it is gone.
func (e *Engine) PastAttempt(ctx context.Context, key string) (*delivery.PastRun, error) {
	app, number, _, _, err := delivery.ParseAttemptKey(key)
	var run delivery.Run
	if err == nil {
		run, err = e.store.RunByNumber(ctx, app, number)
	}
	switch {
	case delivery.KindOf(err) == delivery.NotFound && err != nil:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &delivery.PastRun{ID: run.ID, Number: run.Number, Env: run.Env, State: run.State()}, nil
}
