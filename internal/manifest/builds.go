package manifest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/shiplock/shiplock/internal/delivery"
)

// BuildSpace is a namespace that builds run in, and nothing else.
type BuildSpace struct {
	Namespace     string
	PriorityClass string
	// Quota bounds what all builds together ask for and may use; nil is no quota.
	Quota map[string]delivery.Quantity
	// Allow are private networks that builds may reach: the server, the registry, the
	// Git host. The rest of the private ones they may not.
	Allow []Allowance
	// Server is the service account that the server has.
	Server ServiceAccount
}

// ServiceAccount names one; an empty Name is none.
type ServiceAccount struct{ Namespace, Name string }

// lowest is below every workload whose class says nothing, which is 0.
const lowest = -1000

// private are the networks in which a cluster and its neighbours are, and the address
// at which clouds tell a node its credentials.
var private = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"}

// Objects are what has to be there before builds: the namespace, a priority that lets
// everything else go first, the quota, the network's rules, and what the server may do
// here.
func (b BuildSpace) Objects() ([]runtime.Object, error) {
	all := []runtime.Object{b.namespace(), b.priority(), b.network(), b.role()}
	if len(b.Quota) > 0 {
		q, err := b.quota()
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	if b.Server.Name != "" {
		all = append(all, b.binding())
	}
	return all, nil
}

func (b BuildSpace) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: b.Namespace, Labels: map[string]string{"app.kubernetes.io/managed-by": ManagedBy}}
}

func (b BuildSpace) namespace() *corev1.Namespace {
	n := &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: b.meta(b.Namespace)}
	n.Namespace = ""
	// Builds are other people's code: nothing in here has privileges, whoever makes it.
	n.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
	return n
}

func (b BuildSpace) priority() *schedulingv1.PriorityClass {
	p := &schedulingv1.PriorityClass{
		TypeMeta: metav1.TypeMeta{APIVersion: "scheduling.k8s.io/v1", Kind: "PriorityClass"}, ObjectMeta: b.meta(b.PriorityClass),
		Value: lowest, PreemptionPolicy: new(corev1.PreemptNever),
		Description: "Builds use what nothing else asks for, and stand back when something does.",
	}
	p.Namespace = ""
	return p
}

func (b BuildSpace) quota() (*corev1.ResourceQuota, error) {
	q := &corev1.ResourceQuota{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ResourceQuota"}, ObjectMeta: b.meta("shiplock-builds")}
	q.Spec.Hard = corev1.ResourceList{}
	for name, amount := range b.Quota {
		parsed, err := resource.ParseQuantity(string(amount))
		if err != nil {
			return nil, delivery.E(delivery.Invalid, fmt.Sprintf("%q is no amount of %s: write one such as 500m or 64Gi", amount, name))
		}
		q.Spec.Hard[corev1.ResourceName(name)] = parsed
	}
	return q, nil
}

// network lets builds out to names, to the world, and to what is allowed; nobody in.
func (b BuildSpace) network() *networkingv1.NetworkPolicy {
	egress := []networkingv1.NetworkPolicyEgressRule{
		{Ports: []networkingv1.NetworkPolicyPort{port(corev1.ProtocolUDP, 53), port(corev1.ProtocolTCP, 53)}},
		{To: []networkingv1.NetworkPolicyPeer{to("0.0.0.0/0", private...), to("::/0", "fc00::/7", "fe80::/10")}},
	}
	for _, a := range b.Allow {
		egress = append(egress, a.rule())
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}, ObjectMeta: b.meta("shiplock-builds"),
		Spec: networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Egress:      egress,
		},
	}
}

// role is what the server may do here, each verb for a call that it makes.
func (b BuildSpace) role() *rbacv1.Role {
	may := func(resource string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{resource}, Verbs: verbs}
	}
	return &rbacv1.Role{
		TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "Role"}, ObjectMeta: b.meta("shiplock-builds"),
		Rules: []rbacv1.PolicyRule{
			may("pods", "create", "get", "list", "watch", "delete"),
			may("events", "list", "watch"),
			may("persistentvolumeclaims", "create", "list", "delete"),
			may("secrets", "create"),
			may("resourcequotas", "list", "watch"),
		},
	}
}

func (b BuildSpace) binding() *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "RoleBinding"}, ObjectMeta: b.meta("shiplock-builds"),
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "shiplock-builds"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: b.Server.Namespace, Name: b.Server.Name}},
	}
}
