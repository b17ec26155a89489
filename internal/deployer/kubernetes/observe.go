package kubernetes

import (
	"context"
	"math"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/workload"
	"github.com/shiplock/shiplock/internal/manifest"
)

// asked is a revision of a wish, with the share of the traffic that it asks for.
type asked struct {
	revision delivery.Revision
	share    int
}

// revisions are those of a wish, the stable one first.
func (p plan) revisions(d delivery.Desired) []asked {
	switch {
	case d.Stable == nil && d.Canary == nil:
		return nil
	case d.Stable == nil:
		return []asked{{*d.Canary, 100}}
	case d.Canary == nil || d.Canary.ID == d.Stable.ID:
		return []asked{{*d.Stable, 100}}
	}
	return []asked{{*d.Stable, 100 - d.Share}, {*d.Canary, d.Share}}
}

// version tells how one revision is.
func (d *Deployer) version(ctx context.Context, p plan, a asked) delivery.ObservedVersion {
	v := delivery.ObservedVersion{Revision: a.revision.ID, Asked: a.share}
	short := a.revision.ID.Short()
	if by, total := p.live.shares(); total > 0 {
		v.Effective = int(math.Round(100 * float64(by[short]) / float64(total)))
	}
	in := p.deploymentOf(a.revision.ID)
	if in == nil {
		v.Ready, v.Total = p.live.left(short)
		v.Total = max(v.Total, p.planned(a.revision.ID))
	} else {
		v.Total, v.Ready = max(replicas(in), p.planned(a.revision.ID)), len(p.live.ready(in))
		v.Cause, v.Failed = d.judge(ctx, p, in)
	}
	if p.shape.For != nil && p.shape.For.ID == a.revision.ID {
		v.Cause, v.Failed = d.judgeCommand(ctx, p)
	}
	if r, ok := d.refusal(p.live.app, p.shape.Generation); ok && a.share > 0 {
		v.Cause, v.Failed = r.why(d.Place.Namespace)
	}
	return v
}

// why is the Cause of a refusal, and whether asking again is in vain.
func (r refusal) why(namespace string) (*delivery.Cause, bool) {
	if r.cause != nil {
		return r.cause, true
	}
	cause, final := workload.Refused(r.object, namespace, r.message)
	return &cause, final
}

// deploymentOf finds the Deployment whose pods are to be of a revision.
func (p plan) deploymentOf(r delivery.RevisionID) *appsv1.Deployment {
	for _, d := range []*appsv1.Deployment{p.live.stable, p.live.canary} {
		if d != nil && revisionOf(d) == r {
			return d
		}
	}
	return nil
}

// planned is how many pods the step asks of a revision.
func (p plan) planned(r delivery.RevisionID) int {
	for _, h := range []*manifest.Half{p.shape.Stable, p.shape.Canary} {
		if h != nil && h.Revision.ID == r {
			return h.Replicas
		}
	}
	return 0
}

// url is where the App answers within the cluster.
func (d *Deployer) url(p plan) string {
	if p.live.service == nil {
		return ""
	}
	return "http://" + p.live.service.Name + "." + p.live.service.Namespace
}
