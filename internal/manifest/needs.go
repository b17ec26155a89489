package manifest

import rbacv1 "k8s.io/api/rbac/v1"

// Right is to do one thing with one kind of object.
type Right struct {
	Namespace, Group string
	// Resource is a plural, or as "pods/log" a part of it.
	Resource, Verb string
}

// String is "create pods".
func (r Right) String() string { return r.Verb + " " + r.Resource }

// Needs are what the server's role in the namespace of builds lets it do, one by one.
func (b BuildSpace) Needs() []Right { return needs(b.Namespace, b.role().Rules) }

// Needs are what the server's role in one namespace lets it do, one by one.
func (a Access) Needs(namespace string) []Right { return needs(namespace, a.rules()) }

func needs(namespace string, rules []rbacv1.PolicyRule) []Right {
	var all []Right
	for _, r := range rules {
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					all = append(all, Right{Namespace: namespace, Group: group, Resource: resource, Verb: verb})
				}
			}
		}
	}
	return all
}
