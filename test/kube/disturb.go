//go:build e2e

package kube

import (
	"context"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Beside makes an object that belongs to no namespace, such as a node or a priority
// class, until the test ends.
func (n *Namespace) Beside(t testing.TB, resource string, object runtime.Object) {
	t.Helper()
	if err := n.api.create(t.Context(), "", resource, object); err != nil {
		t.Fatal(err)
	}
	kinds, _, err := n.api.scheme.ObjectKinds(object)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.remove1(t, kinds[0].GroupVersion(), "", resource, object.(meta.Object).GetName()) })
}

// Delete deletes an object of the core API: one of the namespace, or, when that is
// empty, of the cluster. There may be none.
func (n *Namespace) Delete(t testing.TB, namespace, resource, name string) {
	t.Helper()
	n.remove1(t, core.SchemeGroupVersion, namespace, resource, name)
}

func (n *Namespace) remove1(t testing.TB, version schema.GroupVersion, namespace, resource, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := n.api.group(version)
	if err != nil {
		t.Fatal(err)
	}
	err = client.Delete().NamespaceIfScoped(namespace, namespace != "").Resource(resource).Name(name).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("delete %s %s: %v", resource, name, err)
	}
}

// DeletePod deletes a pod, which has so long to end. There may be none.
func (n *Namespace) DeletePod(t testing.TB, pod string, grace time.Duration) {
	t.Helper()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	seconds := int64(grace / time.Second)
	err = client.Delete().Namespace(n.Name).Resource("pods").Name(pod).Body(&meta.DeleteOptions{GracePeriodSeconds: &seconds}).Do(t.Context()).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatalf("delete %s: %v", pod, err)
	}
}

// Evict asks for a pod to make room, as draining a node does. There may be none.
func (n *Namespace) Evict(t testing.TB, pod string) {
	t.Helper()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	eviction := &policy.Eviction{ObjectMeta: meta.ObjectMeta{Name: pod, Namespace: n.Name}}
	if err := client.Post().Namespace(n.Name).Resource("pods").Name(pod).SubResource("eviction").Body(eviction).Do(t.Context()).Error(); err != nil && !apierrors.IsNotFound(err) {
		t.Fatalf("evict %s: %v", pod, err)
	}
}

// UpdateStatus writes the status of an object that belongs to no namespace, whoever has
// written to it meanwhile.
func (n *Namespace) UpdateStatus(t testing.TB, resource string, object runtime.Object) {
	t.Helper()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	name := object.(meta.Object).GetName()
	object.(meta.Object).SetResourceVersion("")
	if err := client.Put().Resource(resource).Name(name).SubResource("status").Body(object).Do(t.Context()).Into(object); err != nil {
		t.Fatalf("write the status of %s: %v", name, err)
	}
}
