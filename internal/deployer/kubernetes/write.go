package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

// carryOut writes what a plan asks for, and then removes what it does without.
func (d *Deployer) carryOut(ctx context.Context, p plan) error {
	if !p.behind() {
		return nil
	}
	for _, o := range p.order() {
		if !o.due(p.heal) && !o.fenced {
			continue
		}
		object := o.want.GetKind() + " " + o.want.GetName()
		taken, err := d.taken(ctx, p.live.app, o)
		if err != nil {
			return fmt.Errorf("look for %s: %w", object, err)
		}
		if taken != nil {
			d.refuse(p.live.app, refusal{generation: p.shape.Generation, cause: taken})
			return nil
		}
		err = d.write(ctx, p, o)
		if says, no := refused(err); no {
			d.refuse(p.live.app, refusal{generation: p.shape.Generation, object: object, message: says})
			return nil // the wish is taken, and Observe says why nothing comes of it
		}
		if err != nil {
			return fmt.Errorf("apply %s: %w", object, err)
		}
	}
	for _, o := range p.surplus {
		k, err := kindOf(kindName(o))
		if err != nil {
			return err
		}
		if err := d.Cluster.Remove(ctx, k.GroupVersionResource, o.GetNamespace(), o.GetName(), o.GetUID()); err != nil {
			return fmt.Errorf("remove %s %s: %w", kindName(o), o.GetName(), err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.refusals, p.live.app)
	return nil
}

// refused tells whether the API server would not have an object, and what it said.
func refused(err error) (says string, no bool) {
	switch delivery.KindOf(err) {
	case delivery.Invalid, delivery.Denied, delivery.NotFound: // nothing is found without its namespace, or its kind
		var e *delivery.Error
		errors.As(err, &e)
		return e.Msg, true
	}
	return "", false
}

// order puts the Service first when it turns back from the canary: then traffic is safe
// whatever becomes of the rest. Otherwise pods come before it.
func (p plan) order() []object {
	if p.shape.Serve != manifest.TrackStable || p.live.service == nil {
		return p.objects
	}
	var first, rest []object
	for _, o := range p.objects {
		if o.want.GetKind() == "Service" {
			first = append(first, o)
		} else {
			rest = append(rest, o)
		}
	}
	return append(first, rest...)
}

// write applies one object. What decides about traffic is taken back from whoever owns
// it; fields that others own beside that are left to them, unless the policy is to heal.
func (d *Deployer) write(ctx context.Context, p plan, o object) error {
	want := o.want.DeepCopy()
	if len(o.foreign) > 0 && o.applied {
		none := map[string]any{}
		for _, name := range o.foreign {
			none[name] = nil
		}
		err := d.Cluster.Drop(ctx, o.GroupVersionResource, want.GetNamespace(), want.GetName(), o.version, map[string]any{"spec": map[string]any{"selector": none}})
		return changedMeanwhile(err) // the watch says so, and the rest follows
	}
	want.SetResourceVersion(o.version) // what is there now is what was looked at
	apply := kube.Apply{Manager: fieldManager, Force: p.heal || o.missing()}
	now, err := apply.Do(ctx, d.Cluster, o.GroupVersionResource, want)
	var others *kube.Owned
	if errors.As(err, &others) {
		for _, f := range others.Fields {
			apply.Force = apply.Force || o.decides(f.Path)
		}
		for _, f := range others.Fields {
			if !apply.Force {
				without(want.Object, f.Path)
			}
		}
		d.Log.Warn("fields belong to others", "app", p.live.app, "env", d.Env, "object", id(o.want.GetKind(), o.want.GetName()), "taken", apply.Force, "fields", others.Error())
		now, err = apply.Do(ctx, d.Cluster, o.GroupVersionResource, want)
	}
	if err == nil {
		d.note(p.live.app, now)
	}
	return changedMeanwhile(err)
}

// changedMeanwhile says that an object is not as it was looked at any more: the watch will
// say so, and the step is made anew.
func changedMeanwhile(err error) error {
	if delivery.KindOf(err) == delivery.Conflict {
		return delivery.Wrap(delivery.Unavailable, "it has changed meanwhile", err)
	}
	return err
}

// written is an object as the API server answered it.
type written struct {
	app    string
	object *unstructured.Unstructured
	at     time.Time
}

// overlayTime is longer than a watch takes to tell what was written: what it has not told
// by then was gone before it could.
const overlayTime = 10 * time.Second

// note keeps what was answered for a fenced kind: the watches tell it a moment later, and
// the next step must not be made from what was before.
func (d *Deployer) note(app string, o *unstructured.Unstructured) {
	if k, err := kindOf(o.GetKind()); err != nil || !k.fenced {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.written[id(o.GetKind(), o.GetName())] = written{app, o, d.Now()}
}

// forget drops what was written of an object that is gone.
func (d *Deployer) forget(o kube.Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := id(kindName(o), o.GetName())
	if w, ok := d.written[name]; ok && w.object.GetUID() == o.GetUID() {
		delete(d.written, name)
	}
}

// overlay lays what was written over what the watches have seen so far.
func (d *Deployer) overlay(l live) live {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.written, func(_ string, w written) bool { return d.Now().Sub(w.at) > overlayTime })
	l.stable = laid(d.written, id("Deployment", l.app), l.stable, &appsv1.Deployment{})
	l.canary = laid(d.written, id("Deployment", manifest.CanaryName(l.app)), l.canary, &appsv1.Deployment{})
	l.service = laid(d.written, id("Service", l.app), l.service, &corev1.Service{})
	return l
}

// laid returns the newer one of what was written and what was seen, into an empty one of
// their type. What was seen as late as it was written, or under another UID, has overtaken
// it for good.
func laid[T interface {
	comparable
	kube.Object
}](all map[string]written, name string, seen T, into T) T {
	var none T
	w, ok := all[name]
	if !ok {
		return seen
	}
	if seen != none && !newer(w.object.GetResourceVersion(), seen.GetResourceVersion()) {
		delete(all, name)
		return seen
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(w.object.Object, into); err != nil {
		return seen
	}
	return into
}

// refusal is why the API server would not have an object of a step.
type refusal struct {
	generation      int64
	object, message string
	at              time.Time
	// cause is set where we refuse it ourselves.
	cause *delivery.Cause
}

func (d *Deployer) refuse(app string, r refusal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r.at = d.Now()
	d.refusals[app] = r
}

func (d *Deployer) refusal(app string, generation int64) (refusal, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.refusals[app]
	return r, ok && r.generation == generation
}
