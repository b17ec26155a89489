//go:build e2e

package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	scheduling "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// api speaks to a cluster in the types of a few groups. The clients of client-go for
// all groups would bring twenty modules for tests alone.
type api struct {
	config *rest.Config
	scheme *runtime.Scheme
}

func open(kubeconfig string) (api, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return api{}, err
	}
	config.QPS = -1
	a := api{config, runtime.NewScheme()}
	for _, add := range []func(*runtime.Scheme) error{core.AddToScheme, networking.AddToScheme, apps.AddToScheme, batch.AddToScheme, scheduling.AddToScheme, policy.AddToScheme, admission.AddToScheme, autoscaling.AddToScheme} {
		if err := add(a.scheme); err != nil {
			return api{}, err
		}
	}
	return a, nil
}

// group returns a client of one group and version, such as "apps/v1".
func (a api) group(version schema.GroupVersion) (*rest.RESTClient, error) {
	config := rest.CopyConfig(a.config)
	config.GroupVersion = &version
	config.APIPath = "/apis"
	if version.Group == "" {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = serializer.NewCodecFactory(a.scheme).WithoutConversion()
	return rest.RESTClientFor(config)
}

func (a api) core() (*rest.RESTClient, error) { return a.group(core.SchemeGroupVersion) }

func (a api) options(o runtime.Object) (runtime.Object, runtime.ParameterCodec) {
	return o, runtime.NewParameterCodec(a.scheme)
}

// create makes an object, and fills in what the cluster made of it.
func (a api) create(ctx context.Context, namespace, resource string, object runtime.Object) error {
	kinds, _, err := a.scheme.ObjectKinds(object)
	if err != nil {
		return err
	}
	client, err := a.group(kinds[0].GroupVersion())
	if err != nil {
		return err
	}
	err = client.Post().NamespaceIfScoped(namespace, namespace != "").Resource(resource).Body(object).Do(ctx).Into(object)
	if err != nil {
		return fmt.Errorf("make %s: %w", resource, err)
	}
	return nil
}

// Create makes an object in the namespace, and fills in what the cluster made of it.
// The resource is the plural, such as "networkpolicies".
func (n *Namespace) Create(t testing.TB, resource string, object runtime.Object) {
	t.Helper()
	if err := n.TryCreate(t.Context(), resource, object); err != nil {
		t.Fatal(err)
	}
}

// TryCreate is Create for what does not run in the test's own goroutine.
func (n *Namespace) TryCreate(ctx context.Context, resource string, object runtime.Object) error {
	return n.api.create(ctx, n.Name, resource, object)
}

// Apply makes an object, or makes one that is there like it, as `kubectl apply` does.
func (n *Namespace) Apply(t testing.TB, resource string, object runtime.Object) {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	client, err := n.api.group(object.GetObjectKind().GroupVersionKind().GroupVersion())
	if err != nil {
		t.Fatal(err)
	}
	named := object.(meta.Object)
	err = client.Patch(types.ApplyPatchType).NamespaceIfScoped(n.Name, named.GetNamespace() != "").Resource(resource).Name(named.GetName()).
		Param("fieldManager", "test").Param("force", "true").Body(text).Do(t.Context()).Error()
	if err != nil {
		t.Fatalf("apply %s %s: %v", resource, named.GetName(), err)
	}
}

// Get reads an object of the namespace by its name.
func (n *Namespace) Get(t testing.TB, resource, name string, into runtime.Object) {
	t.Helper()
	if !n.Find(t, resource, name, into) {
		t.Fatalf("there is no %s %s", resource, name)
	}
}

// Find is Get for what may not be there.
func (n *Namespace) Find(t testing.TB, resource, name string, into runtime.Object) bool {
	t.Helper()
	kinds, _, err := n.api.scheme.ObjectKinds(into)
	if err != nil {
		t.Fatal(err)
	}
	client, err := n.api.group(kinds[0].GroupVersion())
	if err != nil {
		t.Fatal(err)
	}
	err = client.Get().Namespace(n.Name).Resource(resource).Name(name).Do(t.Context()).Into(into)
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

func only(name string) *meta.ListOptions {
	return &meta.ListOptions{FieldSelector: "metadata.name=" + name, Watch: true}
}
