package manifest

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// accessName is of the Role and its binding in each namespace.
const accessName = "shiplock-releases"

// Access is what the server may do in the namespaces of Environments.
type Access struct {
	Namespaces []string
	Server     ServiceAccount
	// Monitors lets it apply ServiceMonitors, where the cluster has that type.
	Monitors bool
}

// Objects are a Role for each namespace, and its binding. It has each verb for a call
// that the server makes, nothing of the whole cluster, and no Secret: what Secrets hold
// is between an App and its cluster.
func (a Access) Objects() []runtime.Object {
	var all []runtime.Object
	for _, ns := range a.Namespaces {
		meta := metav1.ObjectMeta{Name: accessName, Namespace: ns, Labels: map[string]string{"app.kubernetes.io/managed-by": ManagedBy}}
		all = append(all, &rbacv1.Role{TypeMeta: kind("rbac.authorization.k8s.io/v1", "Role"), ObjectMeta: meta, Rules: a.rules()})
		if a.Server.Name == "" {
			continue
		}
		all = append(all, &rbacv1.RoleBinding{
			TypeMeta: kind("rbac.authorization.k8s.io/v1", "RoleBinding"), ObjectMeta: meta,
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: accessName},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: a.Server.Namespace, Name: a.Server.Name}},
		})
	}
	return all
}

func (a Access) rules() []rbacv1.PolicyRule {
	rules := []rbacv1.PolicyRule{
		applied("apps", "deployments"),
		applied("", "services", "configmaps"),
		applied("autoscaling", "horizontalpodautoscalers"),
		applied("policy", "poddisruptionbudgets"),
		applied("networking.k8s.io", "ingresses"),
		applied("batch", "jobs"),
		// What Apps may bring beside that, in manifests of their own.
		applied("batch", "cronjobs"),
		applied("networking.k8s.io", "networkpolicies"),
		applied("", "serviceaccounts", "persistentvolumeclaims"),
		// What became of it, and why.
		watched("apps", "replicasets"),
		watched("", "pods", "events", "resourcequotas", "limitranges"),
		watched("discovery.k8s.io", "endpointslices"),
		{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"}},
	}
	if a.Monitors {
		rules = append(rules, applied("monitoring.coreos.com", "servicemonitors"))
	}
	return rules
}

// applied is what is ours: applying server-side patches an object, or creates it; drift
// is seen by watching; what is no longer wished for is deleted.
func applied(group string, resources ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}}
}

// watched is what the cluster makes of it.
func watched(group string, resources ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"get", "list", "watch"}}
}
