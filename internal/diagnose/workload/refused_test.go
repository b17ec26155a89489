package workload_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/diagnose/workload"
)

// What an API server of Kubernetes 1.34 says to an apply, word for word.
func TestRefused(t *testing.T) {
	for message, want := range map[string]struct {
		code, says string
		final      bool
	}{
		`Deployment.apps "shop" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"x"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable`: {
			workload.Immutable, "the field spec.selector of Deployment shop cannot be changed once it is there", true,
		},
		`Service "shop" is invalid: spec.clusterIPs[0]: Invalid value: []string{"None"}: may not change once set`: {
			workload.Immutable, "the field spec.clusterIPs[0] of Deployment shop cannot be changed once it is there", true,
		},
		`Deployment.apps "shop" is invalid: spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`: {
			workload.Invalid, `the cluster takes Deployment shop for invalid: spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`, true,
		},
		`admission webhook "guard.example.com" denied the request: no owner label`: {
			workload.Webhook, "the cluster's admission webhook guard.example.com refuses Deployment shop: no owner label", true,
		},
		`admission webhook "guard.example.com" denied the request without explanation`: {
			workload.Webhook, "the cluster's admission webhook guard.example.com refuses Deployment shop", true,
		},
		`Internal error occurred: failed calling webhook "guard.example.com": failed to call webhook: Post "https://guard.guard.svc:443/": context deadline exceeded`: {
			workload.Away, `the cluster's admission webhook guard.example.com does not answer about Deployment shop: failed to call webhook: Post "https://guard.guard.svc:443/": context deadline exceeded`, false,
		},
		`deployments.apps "shop" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'all' denied request: at most 5 replicas`: {
			workload.Policy, "the cluster's policy few refuses Deployment shop: at most 5 replicas", true,
		},
		`services "shop" is forbidden: exceeded quota: small, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0`: {
			workload.Quota, "the quota small of namespace prod is used up for Deployment shop: services.loadbalancers is short by 1 (1 asked for, 0 of 0 used)", false,
		},
		`a is forbidden: User "b" cannot patch resource "c" at the cluster scope: a is forbidden: User "b" cannot patch resource "c" at the cluster scope`: {
			workload.Access, `the cluster does not let us: b cannot patch resource "c" at the cluster scope`, true,
		},
		`pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4: the namespace's quota is used up`: {
			workload.Quota, "the quota small of namespace prod is used up for Deployment shop: pods is short by 1 (1 asked for, 4 of 4 used)", false,
		},
		`Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas`: {
			workload.Conflict, "kubectl-edit owns the field .spec.replicas of Deployment shop", true,
		},
		`Apply failed with 1 conflict: conflict with "foo" with subresource "scale" using v1 at 2001-02-03T04:05:06Z: .spec.replicas`: {
			workload.Conflict, "foo owns the field .spec.replicas of Deployment shop", true,
		},
		"Apply failed with 2 conflicts: conflicts with \"bar\":\n- .spec.key\nconflicts with \"foo\" using v1 at 2001-02-03T04:05:06Z:\n- .spec.list[key=\"b\"].foo": {
			workload.Conflict, "bar owns the field .spec.key of Deployment shop", true,
		},
		`deployments.apps "shop" is forbidden: User "system:serviceaccount:shiplock:server" cannot patch resource "deployments" in API group "apps" in the namespace "prod"`: {
			workload.Access, `the cluster does not let us: system:serviceaccount:shiplock:server cannot patch resource "deployments" in API group "apps" in the namespace "prod"`, true,
		},
		`namespaces "prod" not found`: {workload.Namespace, "the namespace prod is not there, or is being deleted", true},
		`deployments.apps "shop" is forbidden: unable to create new content in namespace prod because it is being terminated`: {
			workload.Namespace, "the namespace prod is not there, or is being deleted", true,
		},
		`no matches for kind "ServiceMonitor" in version "monitoring.coreos.com/v1"`: {workload.Kind, "the cluster does not know the kind ServiceMonitor of Deployment shop", true},
		`the server could not find the requested resource`:                           {workload.Kind, "the cluster does not know the kind of Deployment shop", true},
		`something quite new`: {workload.Refusing, "the cluster refuses Deployment shop: something quite new", false},
	} {
		cause, final := workload.Refused("Deployment shop", "prod", message)
		if cause.Code != want.code || cause.Text != want.says || final != want.final {
			t.Errorf("%s\nis %s (final %v): %s\nwant %s (final %v): %s", message, cause.Code, final, cause.Text, want.code, want.final, want.says)
		}
		promised(t, cause)
	}
}
