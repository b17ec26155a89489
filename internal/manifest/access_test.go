package manifest

import (
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
)

// Whatever is rendered may be applied and removed, in its own namespace only, and
// nothing of the cluster's Secrets is to be had.
func TestAccessCoversWhatIsRendered(t *testing.T) {
	rich := remade(revision("sha256:bb"), wishful)
	objects, err := Render(east, shape(Shape{Stable: &Half{Revision: rich, Replicas: 4}, Canary: &Half{Revision: revision("sha256:aa"), Replicas: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	before, err := PreDeploy(east, Migration{App: "shop", Env: "prod", Release: "r", Revision: rich})
	if err != nil {
		t.Fatal(err)
	}
	access := Access{Namespaces: []string{"prod"}, Server: ServiceAccount{"ci", "shiplock"}, Monitors: true}
	role := access.Objects()[0].(*rbacv1.Role)
	may := func(group, resource, verb string) bool {
		return slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
			return slices.Contains(r.APIGroups, group) && slices.Contains(r.Resources, resource) && slices.Contains(r.Verbs, verb)
		})
	}
	for _, o := range slices.Concat(objects, before) {
		resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
		for _, verb := range []string{"get", "create", "patch", "delete", "list", "watch"} {
			if !may(resource.Group, resource.Resource, verb) {
				t.Errorf("the server may not %s %s", verb, resource)
			}
		}
		if o.GetNamespace() != role.Namespace {
			t.Errorf("%s %s is in %q", o.GetKind(), o.GetName(), o.GetNamespace())
		}
	}
	for _, verb := range []string{"get", "list", "create", "*"} {
		if may("", "secrets", verb) || may("*", "*", verb) {
			t.Errorf("the server may %s Secrets", verb)
		}
	}
	if n := len(access.Objects()); n != 2 {
		t.Errorf("there are %d objects for one namespace", n)
	}
}
