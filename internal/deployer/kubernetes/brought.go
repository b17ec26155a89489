package kubernetes

import (
	"context"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/manifest"
)

// unseen is why objects of a kind cannot be looked after; nil when they can.
func (w *watches) unseen(ctx context.Context, kind string) error {
	one := w.extra()[kind]
	if one == nil {
		return nil
	}
	if err := one.Trouble(); err != nil {
		return delivery.Wrap(delivery.KindOf(err), fmt.Sprintf("objects of kind %s are not seen, which the app's manifests need: if the server may not, apply what `shiplock cluster rbac` prints", kind), err)
	}
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	select {
	case <-one.InSync():
		return nil
	case <-ctx.Done():
		return delivery.E(delivery.Unavailable, fmt.Sprintf("objects of kind %s are being looked at for the first time", kind))
	}
}

// inVain tells whether the step was refused for good, by us or not long ago by the API
// server: then there is nothing left to do for this wish, and a release need not wait.
func (d *Deployer) inVain(p plan) bool {
	r, ok := d.refusal(p.live.app, p.shape.Generation)
	if !ok {
		return false
	}
	_, final := r.why(d.Place.Namespace)
	return r.cause != nil || final && d.Now().Sub(r.at) < refusalHolds
}

// refusalHolds is how long an API server's last word counts: its rules may be changed.
const refusalHolds = 30 * time.Second

// taken is why an object that the App's manifests bring may not be made: one of its name
// is there, and is not the App's. nil when it may.
func (d *Deployer) taken(ctx context.Context, app string, o object) (*delivery.Cause, error) {
	if !o.missing() || o.want.GetAnnotations()[manifest.AnnotationFrom] != manifest.FromManifests {
		return nil, nil
	}
	labels, err := d.Cluster.LabelsOf(ctx, o.GroupVersionResource, o.want.GetNamespace(), o.want.GetName())
	switch {
	case delivery.KindOf(err) == delivery.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case labels["app.kubernetes.io/managed-by"] == manifest.ManagedBy && labels[labelApp] == app:
		return nil, nil // the watch has not told it yet
	}
	args := delivery.Args{"object": o.want.GetKind() + " " + o.want.GetName(), "namespace": o.want.GetNamespace()}
	if labels["app.kubernetes.io/managed-by"] == manifest.ManagedBy {
		args["owner"] = labels[labelApp]
	}
	cause := delivery.Because("cluster.taken", args)
	return &cause, nil
}
