package kubernetes

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
)

const (
	// maxDrift bounds how many fields of drift are told, and maxBlamed of how many objects
	// it is found out who changed them.
	maxDrift  = 50
	maxBlamed = 5
	// blamePatience limits all that is asked for one look.
	blamePatience = 3 * time.Second
	// blameAgain is when to ask again after no answer.
	blameAgain = time.Minute
)

// blame is who changed the fields of a drift.
type blame struct {
	of delivery.Digest // the drift
	by map[string]*kube.Owned
	// until is when it is no longer good; zero is never.
	until time.Time
}

// blamed adds who has changed what, as far as that is to be had. The cluster knows who
// owns a field, and says so when others would change it; it is asked when the drift is
// another one than before.
func (d *Deployer) blamed(ctx context.Context, p plan, drift []delivery.Drift) []delivery.Drift {
	drift = drift[:min(len(drift), maxDrift)]
	b, known := d.blameOf(p.live.app, drift)
	if len(drift) == 0 {
		return nil
	}
	if !known {
		b = d.ask(ctx, p, drift)
		d.mu.Lock()
		d.blames[p.live.app] = b
		d.mu.Unlock()
	}
	for i := range drift {
		drift[i].By = b.by[drift[i].Object].Of(drift[i].Field)
	}
	return drift
}

// blameOf returns what was found out of this very drift; that of another one is dropped.
func (d *Deployer) blameOf(app string, drift []delivery.Drift) (blame, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, ok := d.blames[app]
	if ok && b.of == delivery.HashJSON(drift) && (b.until.IsZero() || d.Now().Before(b.until)) {
		return b, true
	}
	delete(d.blames, app)
	return blame{}, false
}

// ask applies the objects of a drift for a trial, without force.
func (d *Deployer) ask(ctx context.Context, p plan, drift []delivery.Drift) blame {
	ctx, cancel := context.WithTimeout(ctx, blamePatience)
	defer cancel()
	b := blame{of: delivery.HashJSON(drift), by: map[string]*kube.Owned{}}
	drifted := map[string]bool{}
	for _, one := range drift {
		drifted[one.Object] = true
	}
	names := slices.Sorted(maps.Keys(drifted))
	for _, name := range names[:min(len(names), maxBlamed)] {
		i := slices.IndexFunc(p.objects, func(o object) bool { return id(o.want.GetKind(), o.want.GetName()) == name })
		if i < 0 {
			continue
		}
		o := p.objects[i]
		_, err := kube.Apply{Manager: fieldManager, DryRun: true}.Do(ctx, d.Cluster, o.GroupVersionResource, o.want.DeepCopy())
		var others *kube.Owned
		switch {
		case errors.As(err, &others):
			b.by[name] = others
		case err != nil:
			b.until = d.Now().Add(blameAgain)
		}
	}
	return b
}

// shown is a value of a field, which may be a variable: its name stands in the path,
// [name="DB_PASSWORD"].value. What files hold is not shown.
func shown(path string, v any) string {
	if before, ok := strings.CutSuffix(path, ".value"); ok {
		return delivery.ShownVariable(before[strings.LastIndexByte(before, '[')+1:], v)
	}
	if strings.HasPrefix(path, ".data") || strings.HasPrefix(path, ".binaryData") {
		return delivery.Described(v)
	}
	return delivery.Shown(v)
}
