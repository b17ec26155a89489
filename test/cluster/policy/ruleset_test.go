package policy

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func world(policies ...networking.NetworkPolicy) World {
	return World{
		Namespaces: map[string]labels.Set{"a": {"team": "red"}, "b": {"team": "blue"}},
		Pods: []Pod{
			{"a", "build", "10.244.0.2", labels.Set{"app": "build"}, nil},
			{"a", "web", "10.244.0.3", labels.Set{"app": "web"}, []core.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: core.ProtocolTCP}}},
			{"b", "web", "10.244.0.4", labels.Set{"app": "web"}, nil},
		},
		Policies: policies,
	}
}

func policy(selector map[string]string, spec networking.NetworkPolicySpec) networking.NetworkPolicy {
	spec.PodSelector = meta.LabelSelector{MatchLabels: selector}
	return networking.NetworkPolicy{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "p"}, Spec: spec}
}

func outbound(rules ...networking.NetworkPolicyEgressRule) networking.NetworkPolicy {
	return policy(map[string]string{"app": "build"}, networking.NetworkPolicySpec{
		PolicyTypes: []networking.PolicyType{networking.PolicyTypeEgress}, Egress: rules,
	})
}

func port(p intstr.IntOrString) networking.NetworkPolicyPort {
	return networking.NetworkPolicyPort{Port: &p}
}

// lines returns what a pod's chain allows besides itself.
func lines(t *testing.T, w World, chain string) []string {
	t.Helper()
	script, err := Ruleset(w)
	if err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(script, "\tchain "+chain+" {\n")
	if !found {
		return nil
	}
	body, _, _ = strings.Cut(body, "\n\t}")
	var all []string
	for line := range strings.Lines(body) {
		all = append(all, strings.TrimSpace(line))
	}
	if !strings.HasPrefix(all[len(all)-1], "reject ") {
		t.Fatalf("%s does not end with a refusal: %q", chain, all)
	}
	return all[1 : len(all)-1]
}

func TestWhatPodsMayReach(t *testing.T) {
	udp := core.ProtocolUDP
	last := int32(8090)
	ranged := port(intstr.FromInt32(8080))
	ranged.EndPort = &last
	dns := port(intstr.FromInt32(53))
	dns.Protocol = &udp
	web := networking.NetworkPolicyPeer{PodSelector: &meta.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}
	blue := networking.NetworkPolicyPeer{NamespaceSelector: &meta.LabelSelector{MatchLabels: map[string]string{"team": "blue"}}}
	block := networking.NetworkPolicyPeer{IPBlock: &networking.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"10.0.0.0/8"}}}
	for _, c := range []struct {
		name string
		rule networking.NetworkPolicyEgressRule
		want string
	}{
		{"everything", networking.NetworkPolicyEgressRule{}, "return"},
		{"a port", networking.NetworkPolicyEgressRule{Ports: []networking.NetworkPolicyPort{dns}}, "udp dport 53 return"},
		{"a range of ports", networking.NetworkPolicyEgressRule{Ports: []networking.NetworkPolicyPort{ranged}}, "tcp dport 8080-8090 return"},
		{"pods of its namespace", networking.NetworkPolicyEgressRule{To: []networking.NetworkPolicyPeer{web}}, "ip daddr { 10.244.0.3 } return"},
		{"another namespace", networking.NetworkPolicyEgressRule{To: []networking.NetworkPolicyPeer{blue}}, "ip daddr { 10.244.0.4 } return"},
		{"addresses", networking.NetworkPolicyEgressRule{To: []networking.NetworkPolicyPeer{block}}, "ip daddr 0.0.0.0/0 ip daddr != { 10.0.0.0/8 } return"},
		{"addresses of IPv6 too", networking.NetworkPolicyEgressRule{To: []networking.NetworkPolicyPeer{{IPBlock: &networking.IPBlock{CIDR: "::/0"}}, block}}, "ip daddr 0.0.0.0/0 ip daddr != { 10.0.0.0/8 } return"},
		{"a port by its name", networking.NetworkPolicyEgressRule{To: []networking.NetworkPolicyPeer{web}, Ports: []networking.NetworkPolicyPort{port(intstr.FromString("http"))}}, "ip daddr 10.244.0.3 tcp dport 8080 return"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lines(t, world(outbound(c.rule)), "egress-10.244.0.2")
			if len(got) != 1 || got[0] != c.want {
				t.Errorf("allowed is %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhoReachesPods(t *testing.T) {
	inbound := policy(map[string]string{"app": "web"}, networking.NetworkPolicySpec{
		PolicyTypes: []networking.PolicyType{networking.PolicyTypeIngress},
		Ingress: []networking.NetworkPolicyIngressRule{{
			From:  []networking.NetworkPolicyPeer{{PodSelector: &meta.LabelSelector{}}},
			Ports: []networking.NetworkPolicyPort{port(intstr.FromString("http"))},
		}},
	})
	got := lines(t, world(inbound), "ingress-10.244.0.3")
	if want := "ip saddr { 10.244.0.2, 10.244.0.3 } tcp dport 8080 return"; len(got) != 1 || got[0] != want {
		t.Errorf("allowed is %q, want %q", got, want)
	}
}

func TestPodsWithoutPoliciesAreFree(t *testing.T) {
	script, err := Ruleset(world(outbound()))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(script, "elements = { 10.244.0.2 : jump egress-10.244.0.2 }") {
		t.Errorf("only the build is isolated, and only outwards:\n%s", script)
	}
	if strings.Contains(script, "chain ingress-") {
		t.Errorf("a policy for what leaves a pod isolates what comes in:\n%s", script)
	}
	if got := lines(t, world(outbound()), "egress-10.244.0.2"); len(got) != 0 {
		t.Errorf("a policy without rules allows %q", got)
	}
}

func TestAnAddressIsItsLatestPods(t *testing.T) {
	pods := []core.Pod{
		{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "old"}, Status: core.PodStatus{PodIP: "10.244.0.2", Phase: core.PodRunning}},
		{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "new"}},
		{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "done"}, Status: core.PodStatus{PodIP: "10.244.0.3", Phase: core.PodSucceeded}},
		{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "machine"}, Spec: core.PodSpec{HostNetwork: true}, Status: core.PodStatus{PodIP: "10.244.0.1", Phase: core.PodRunning}},
	}
	got := locate(pods, map[string]Placement{"10.244.0.2": {"a", "new", "10.244.0.2"}})
	if len(got) != 1 || got[0].Name != "new" || got[0].Address != "10.244.0.2" {
		t.Errorf("located are %v, want the pod that was placed last", got)
	}
}
