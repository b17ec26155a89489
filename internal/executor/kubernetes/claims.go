package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	claims = "persistentvolumeclaims"
	// claimsEvery is how often the volumes of caches are looked at.
	claimsEvery = 10 * time.Minute
	// claimGrace is for how long the caches of an App stay that is no more: it may have
	// been removed by mistake.
	claimGrace = time.Hour
)

// sweepCaches removes the caches of Apps that are no more, until ctx ends.
func (e *Executor) sweepCaches(ctx context.Context) {
	if e.AppThere == nil {
		return
	}
	tick := time.NewTicker(claimsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := e.sweepClaims(ctx); err != nil && ctx.Err() == nil {
			e.Logger.Warn("caches of removed apps stay for now", "err", err)
		}
	}
}

// sweepClaims looks once at every volume of caches that is ours.
func (e *Executor) sweepClaims(ctx context.Context) error {
	var list corev1.PersistentVolumeClaimList
	ours := labelInstallation + "=" + e.Installation + "," + labelComponent + "=cache"
	if err := e.Cluster.List(ctx, claims, e.Namespace, ours, &list); err != nil {
		return fmt.Errorf("list the volumes of caches: %w", err)
	}
	e.seeClaims(list.Items)
	for i := range list.Items {
		if err := e.sweepClaim(ctx, &list.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

// seeClaims forgets the volumes that are no more, whoever has removed them: they are
// made again when a build needs them.
func (e *Executor) seeClaims(list []corev1.PersistentVolumeClaim) {
	left := map[string]bool{}
	for _, c := range list {
		left[c.Name] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.there {
		if name, ok := strings.CutPrefix(id, claims+"/"); ok && !left[name] {
			delete(e.there, id)
		}
	}
	for name := range e.orphaned {
		if !left[name] {
			delete(e.orphaned, name)
		}
	}
}

func (e *Executor) sweepClaim(ctx context.Context, c *corev1.PersistentVolumeClaim) error {
	app, ok := delivery.CacheApp(c.Labels[labelDomain])
	if !ok || c.DeletionTimestamp != nil {
		return nil
	}
	there, err := e.AppThere(ctx, app)
	if err != nil {
		return fmt.Errorf("ask for the app %s: %w", app, err)
	}
	if !e.orphan(c.Name, there) {
		return nil
	}
	if err := e.Cluster.Delete(ctx, claims, c, 0); err != nil {
		return fmt.Errorf("remove the volume %s of caches: %w", c.Name, err)
	}
	e.Logger.Info("caches removed of an app that is no more", "app", app, "claim", c.Name)
	return nil
}

// orphan tells whether a volume's App has been away for the whole grace. From the first
// time on that it is, nobody here takes the volume to be there: it may be removed by
// another server, and a build of an App that is back asks for it anew.
func (e *Executor) orphan(name string, appThere bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if appThere {
		delete(e.orphaned, name)
		return false
	}
	delete(e.there, claims+"/"+name)
	since, known := e.orphaned[name]
	if !known {
		e.orphaned[name] = e.Now()
	}
	return known && e.Now().Sub(since) >= claimGrace
}
