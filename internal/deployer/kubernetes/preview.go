package kubernetes

import (
	"context"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/workload"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

// Preview tells what a wish for one version would change in the end: each object is
// applied for a trial, which also asks admission. Objects of a kind that is not watched
// are left out, and so is a canary that is there meanwhile.
func (d *Deployer) Preview(ctx context.Context, app, _ string, wish delivery.Desired) (delivery.Preview, error) {
	p, err := d.plan(ctx, app, wish)
	if err != nil {
		return delivery.Preview{}, err
	}
	var all delivery.Preview
	for _, o := range p.objects {
		if !o.watched {
			continue
		}
		taken, err := d.taken(ctx, app, o)
		if err != nil {
			return delivery.Preview{}, err
		}
		if taken != nil {
			all.Refused = append(all.Refused, *taken)
			continue
		}
		changes, err := d.try(ctx, o)
		if kind := delivery.KindOf(err); kind == delivery.Invalid || kind == delivery.Denied {
			cause, _ := workload.Refused(o.want.GetKind()+" "+o.want.GetName(), d.Place.Namespace, err.Error())
			all.Refused = append(all.Refused, cause)
			continue
		}
		if err != nil {
			return delivery.Preview{}, err
		}
		all.Changes = append(all.Changes, changes...)
	}
	for _, o := range p.surplus {
		if o.GetName() != manifest.CanaryName(app) {
			all.Changes = append(all.Changes, delivery.Difference{Object: id(kindName(o), o.GetName()), From: "there"})
		}
	}
	return all, nil
}

// revisionVariable tells the App which version it is.
const revisionVariable = `[name="SHIPLOCK_REVISION"]`

// try applies an object for a trial, and tells what would be otherwise.
func (d *Deployer) try(ctx context.Context, o object) ([]delivery.Difference, error) {
	name := id(o.want.GetKind(), o.want.GetName())
	apply := kube.Apply{Manager: fieldManager, DryRun: true}
	now, err := apply.Do(ctx, d.Cluster, o.GroupVersionResource, o.want.DeepCopy())
	var others *kube.Owned
	if errors.As(err, &others) {
		apply.Force = true
		now, err = apply.Do(ctx, d.Cluster, o.GroupVersionResource, o.want.DeepCopy())
	}
	if err != nil {
		return nil, err
	}
	if o.have == nil {
		return []delivery.Difference{{Object: name, To: "new"}}, nil
	}
	var all []delivery.Difference
	for _, c := range between(bare(o.have), bare(now.Object)) {
		if strings.Contains(c.path, manifest.AnnotationRevision) || strings.Contains(c.path, revisionVariable) {
			continue // a name for what the other changes make
		}
		all = append(all, delivery.Difference{Object: name, Field: c.path, From: shown(c.path, c.have), To: shown(c.path, c.want), By: others.Of(c.path)})
	}
	return all, nil
}

// between lists what differs, in both directions: want is what comes, have what goes.
func between(before, after any) []difference {
	all := differences(after, before)
	for _, gone := range differences(before, after) {
		if gone.have == nil {
			all = append(all, difference{gone.path, nil, gone.want})
		}
	}
	slices.SortStableFunc(all, func(a, b difference) int { return strings.Compare(a.path, b.path) })
	return all
}

// bare is an object without what changes by itself, and without what is empty, which one
// reading has and another has not.
func bare(o map[string]any) map[string]any {
	u := unstructured.Unstructured{Object: o}
	u = *u.DeepCopy()
	delete(u.Object, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"} {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
	annotations := u.GetAnnotations()
	for _, own := range []string{manifest.AnnotationGeneration, annotationApplied, "deployment.kubernetes.io/revision"} {
		delete(annotations, own)
	}
	u.SetAnnotations(annotations)
	withoutEmpty(u.Object)
	return u.Object
}

func withoutEmpty(v any) (empty bool) {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		for name, field := range v {
			if withoutEmpty(field) {
				delete(v, name)
			}
		}
		return len(v) == 0
	case []any:
		for _, element := range v {
			withoutEmpty(element)
		}
		return len(v) == 0
	}
	return false
}
