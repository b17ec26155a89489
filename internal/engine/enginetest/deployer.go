package enginetest

import (
	"context"
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Deployer makes every wish real at once. The zero value is ready. Calls: apply,
// with the target's key and generation, and observe, with its key.
type Deployer struct {
	Script
	targets map[string]*deployed
	// broken are the versions that never become healthy, and slow those that are
	// not healthy yet.
	broken map[delivery.Digest]delivery.Cause
	slow   map[delivery.Digest]bool
}

type deployed struct {
	wish   delivery.Desired
	wishes []delivery.Desired
}

// Apply implements engine.Deployer.
func (d *Deployer) Apply(_ context.Context, app, env string, wish delivery.Desired) error {
	key := delivery.TargetKey(app, env)
	return d.do(fmt.Sprintf("apply %s %d", key, wish.Generation), func() error {
		if d.targets == nil {
			d.targets = map[string]*deployed{}
		}
		t := d.targets[key]
		if t == nil {
			t = &deployed{}
			d.targets[key] = t
		}
		switch {
		case wish.Generation < t.wish.Generation:
			return delivery.E(delivery.Conflict, fmt.Sprintf("generation %d of %s was seen", t.wish.Generation, key))
		case wish.Generation > t.wish.Generation:
			t.wish, t.wishes = wish, append(t.wishes, wish)
		}
		return nil
	})
}

// Observe implements engine.Deployer.
func (d *Deployer) Observe(_ context.Context, app, env string, _ delivery.Desired) (seen delivery.Observed, err error) {
	key := delivery.TargetKey(app, env)
	err = d.do("observe "+key, func() error {
		t := d.targets[key]
		if t == nil {
			return nil
		}
		seen = delivery.Observed{Generation: t.wish.Generation, URL: "http://" + key}
		for _, v := range []struct {
			revision *delivery.Revision
			share    int
		}{{t.wish.Stable, 100 - t.wish.Share}, {t.wish.Canary, t.wish.Share}} {
			if v.revision != nil {
				seen.Versions = append(seen.Versions, d.version(*v.revision, v.share))
			}
		}
		return nil
	})
	return seen, err
}

func (d *Deployer) version(r delivery.Revision, share int) delivery.ObservedVersion {
	v := delivery.ObservedVersion{Revision: r.ID, Asked: share, Effective: share, Ready: 1, Total: 1}
	if cause, broken := d.broken[r.Artifact]; broken {
		v.Ready, v.Failed, v.Cause = 0, true, &cause
	}
	if d.slow[r.Artifact] {
		v.Ready = 0
	}
	return v
}

// Break has the versions of an artifact fail with a cause, from now on.
func (d *Deployer) Break(artifact delivery.Digest, cause delivery.Cause) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil {
		d.broken = map[delivery.Digest]delivery.Cause{}
	}
	d.broken[artifact] = cause
}

// Delay has the versions of an artifact wait for their health, until Mend.
func (d *Deployer) Delay(artifact delivery.Digest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.slow == nil {
		d.slow = map[delivery.Digest]bool{}
	}
	d.slow[artifact] = true
}

// Mend undoes Break and Delay.
func (d *Deployer) Mend(artifact delivery.Digest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.broken, artifact)
	delete(d.slow, artifact)
}

// Wishes lists the wishes for a target that were taken, each generation once.
func (d *Deployer) Wishes(app, env string) []delivery.Desired {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.targets[delivery.TargetKey(app, env)]; t != nil {
		return append([]delivery.Desired(nil), t.wishes...)
	}
	return nil
}
