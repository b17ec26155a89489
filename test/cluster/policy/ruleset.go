package policy

import (
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// table is the name of all of it in the kernel.
const table = "shiplock-policy"

// Pod is a pod with an address of its own.
type Pod struct {
	Namespace, Name, Address string
	Labels                   labels.Set
	Ports                    []core.ContainerPort
}

// World is what the rules follow from.
type World struct {
	Pods       []Pod
	Namespaces map[string]labels.Set
	Policies   []networking.NetworkPolicy
}

// direction is one of the two halves of a policy, as the kernel sees it.
type direction struct {
	name string
	kind networking.PolicyType
	// self and peer are where a packet has the addresses of the pod that the policy is for
	// and of the other side.
	self, peer string
}

var (
	egress  = direction{"egress", networking.PolicyTypeEgress, "saddr", "daddr"}
	ingress = direction{"ingress", networking.PolicyTypeIngress, "daddr", "saddr"}
)

// Ruleset is the whole table as a script of nft, which replaces the one before in one
// step. Packets from pods to the machine are judged like those to other pods; those
// from the machine to its pods always pass, as Kubernetes asks for.
func Ruleset(w World) (string, error) {
	var s strings.Builder
	// The first line is there so that the second one never fails.
	fmt.Fprintf(&s, "table inet %s\ndelete table inet %s\ntable inet %s {\n", table, table, table)
	for _, d := range []direction{egress, ingress} {
		if err := w.chains(&s, d); err != nil {
			return "", err
		}
	}
	fmt.Fprintf(&s, `	chain forward {
		type filter hook forward priority filter - 10; policy accept;
		iifname %q meta nfproto ipv6 drop
		ct state established,related accept
		ip saddr vmap @egress
		ip daddr vmap @ingress
	}
	chain input {
		type filter hook input priority filter - 10; policy accept;
		iifname %q meta nfproto ipv6 drop
		ct state established,related accept
		iifname %q ip saddr vmap @egress
	}
	chain leave {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr %s ip daddr != %s masquerade
	}
}
`, layout.Bridge, layout.Bridge, layout.Bridge, layout.PodNetwork, layout.PodNetwork)
	return s.String(), nil
}

// chains writes a chain for each pod that policies isolate in a direction, and the
// map that finds it.
func (w World) chains(s *strings.Builder, d direction) error {
	var elements []string
	for _, pod := range w.Pods {
		allowed, isolated, err := w.allowed(pod, d)
		if err != nil {
			return err
		}
		if !isolated {
			continue
		}
		chain := d.name + "-" + pod.Address
		elements = append(elements, pod.Address+" : jump "+chain)
		fmt.Fprintf(s, "\tchain %s {\n\t\tip %s %s return\n", chain, d.peer, pod.Address)
		for _, match := range allowed {
			fmt.Fprintf(s, "\t\t%s\n", strings.TrimSpace(match+" return"))
		}
		s.WriteString("\t\treject with icmpx type admin-prohibited\n\t}\n")
	}
	fmt.Fprintf(s, "\tmap %s {\n\t\ttype ipv4_addr : verdict\n", d.name)
	if len(elements) > 0 {
		fmt.Fprintf(s, "\t\telements = { %s }\n", strings.Join(elements, ", "))
	}
	s.WriteString("\t}\n")
	return nil
}

// allowed lists what packets of a pod's have to match, one of them, and tells whether
// they have to at all.
func (w World) allowed(pod Pod, d direction) (matches []string, isolated bool, err error) {
	for _, p := range w.Policies {
		if p.Namespace != pod.Namespace || !slices.Contains(p.Spec.PolicyTypes, d.kind) {
			continue
		}
		selected, err := selects(&p.Spec.PodSelector, pod.Labels)
		if err != nil {
			return nil, false, fmt.Errorf("network policy %s/%s: %w", p.Namespace, p.Name, err)
		}
		if !selected {
			continue
		}
		isolated = true
		for _, r := range rules(p, d) {
			more, err := w.rule(pod, p.Namespace, r, d)
			if err != nil {
				return nil, false, fmt.Errorf("network policy %s/%s: %w", p.Namespace, p.Name, err)
			}
			matches = append(matches, more...)
		}
	}
	return matches, isolated, nil
}

// rule is a rule of either direction.
type rule struct {
	peers []networking.NetworkPolicyPeer
	ports []networking.NetworkPolicyPort
}

func rules(p networking.NetworkPolicy, d direction) []rule {
	var all []rule
	if d.kind == networking.PolicyTypeEgress {
		for _, r := range p.Spec.Egress {
			all = append(all, rule{r.To, r.Ports})
		}
		return all
	}
	for _, r := range p.Spec.Ingress {
		all = append(all, rule{r.From, r.Ports})
	}
	return all
}

// rule returns what a rule allows: every peer with every port.
func (w World) rule(pod Pod, namespace string, r rule, d direction) ([]string, error) {
	peers, err := w.peers(namespace, r.peers, d)
	if err != nil {
		return nil, err
	}
	if len(r.ports) == 0 {
		return addresses(peers), nil
	}
	var matches []string
	for _, port := range r.ports {
		for _, peer := range peers {
			// A named port is one of the pod that is called.
			called := []Pod{pod}
			if d.kind == networking.PolicyTypeEgress {
				called = peer.pods
			}
			matches = append(matches, portMatches(peer, port, called, d)...)
		}
	}
	return matches, nil
}

// peer is one side of a rule: what matches its addresses, "" for all, and the pods
// among them.
type peer struct {
	match string
	pods  []Pod
}

func addresses(peers []peer) []string {
	var matches []string
	for _, p := range peers {
		matches = append(matches, p.match)
	}
	return matches
}

func (w World) peers(namespace string, of []networking.NetworkPolicyPeer, d direction) ([]peer, error) {
	if len(of) == 0 {
		return []peer{{pods: w.Pods}}, nil
	}
	var peers []peer
	for _, p := range of {
		if p.IPBlock != nil && strings.Contains(p.IPBlock.CIDR, ":") {
			continue // nobody here has an address of IPv6
		}
		if p.IPBlock != nil {
			peers = append(peers, block(p.IPBlock, d))
			continue
		}
		pods, err := w.find(namespace, p)
		if err != nil {
			return nil, err
		}
		if len(pods) > 0 {
			peers = append(peers, peer{matchPods(pods, d), pods})
		}
	}
	return peers, nil
}

func matchPods(pods []Pod, d direction) string {
	var all []string
	for _, p := range pods {
		all = append(all, p.Address)
	}
	return fmt.Sprintf("ip %s { %s }", d.peer, strings.Join(all, ", "))
}

func block(b *networking.IPBlock, d direction) peer {
	match := fmt.Sprintf("ip %s %s", d.peer, b.CIDR)
	if len(b.Except) > 0 {
		match += fmt.Sprintf(" ip %s != { %s }", d.peer, strings.Join(b.Except, ", "))
	}
	return peer{match: match}
}

// find lists the pods of a peer by its selectors.
func (w World) find(namespace string, p networking.NetworkPolicyPeer) ([]Pod, error) {
	var found []Pod
	for _, pod := range w.Pods {
		near := pod.Namespace == namespace
		if p.NamespaceSelector != nil {
			var err error
			if near, err = selects(p.NamespaceSelector, w.Namespaces[pod.Namespace]); err != nil {
				return nil, err
			}
		}
		if near && p.PodSelector != nil {
			var err error
			if near, err = selects(p.PodSelector, pod.Labels); err != nil {
				return nil, err
			}
		}
		if near {
			found = append(found, pod)
		}
	}
	return found, nil
}

func selects(s *meta.LabelSelector, set labels.Set) (bool, error) {
	selector, err := meta.LabelSelectorAsSelector(s)
	if err != nil {
		return false, err
	}
	return selector.Matches(set), nil
}
