//go:build e2e

package kube

import (
	"context"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// EditDeployment changes a Deployment of the namespace by a merge patch, as somebody does
// with `kubectl edit`.
func (n *Namespace) EditDeployment(t testing.TB, name, patch string) {
	t.Helper()
	n.edit(t, apps.SchemeGroupVersion, "deployments", name, types.StrategicMergePatchType, patch)
}

// TryEditDeployment is EditDeployment for one that may be gone by now.
func (n *Namespace) TryEditDeployment(t testing.TB, name, patch string) {
	t.Helper()
	if err := n.tryEdit(t, apps.SchemeGroupVersion, "deployments", name, types.StrategicMergePatchType, patch); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
}

// HoldPod keeps a pod from going for good when it is deleted, until the test ends.
func (n *Namespace) HoldPod(t testing.TB, name string) {
	t.Helper()
	finalizers := func(list string) error {
		return n.tryEdit(t, core.SchemeGroupVersion, "pods", name, types.MergePatchType, `{"metadata": {"finalizers": `+list+`}}`)
	}
	if err := finalizers(`["shiplock.dev/test"]`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := finalizers("null"); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
}

// EditService changes a Service likewise.
func (n *Namespace) EditService(t testing.TB, name, patch string) {
	t.Helper()
	n.edit(t, core.SchemeGroupVersion, "services", name, types.MergePatchType, patch)
}

func (n *Namespace) edit(t testing.TB, group schema.GroupVersion, resource, name string, kind types.PatchType, patch string) {
	t.Helper()
	if err := n.tryEdit(t, group, resource, name, kind, patch); err != nil {
		t.Fatalf("edit %s %s: %v", resource, name, err)
	}
}

func (n *Namespace) tryEdit(t testing.TB, group schema.GroupVersion, resource, name string, kind types.PatchType, patch string) error {
	t.Helper()
	client, err := n.api.group(group)
	if err != nil {
		t.Fatal(err)
	}
	return client.Patch(kind).Namespace(n.Name).Resource(resource).Name(name).Param("fieldManager", "kubectl-edit").Body([]byte(patch)).Do(context.Background()).Error()
}

// DeleteDeployment deletes a Deployment of the namespace, and its pods.
func (n *Namespace) DeleteDeployment(t testing.TB, name string) {
	t.Helper()
	n.remove1(t, apps.SchemeGroupVersion, n.Name, "deployments", name)
}

// DeleteRoleBinding deletes a RoleBinding of the namespace.
func (n *Namespace) DeleteRoleBinding(t testing.TB, name string) {
	t.Helper()
	n.remove1(t, schema.GroupVersion{Group: "rbac.authorization.k8s.io", Version: "v1"}, n.Name, "rolebindings", name)
}

// EditAutoscaler changes an autoscaler, as somebody with kubectl would.
func (n *Namespace) EditAutoscaler(t testing.TB, name, patch string) {
	t.Helper()
	n.edit(t, autoscaling.SchemeGroupVersion, "horizontalpodautoscalers", name, types.MergePatchType, patch)
}
