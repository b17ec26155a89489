package policy

import (
	"fmt"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// portMatches returns what matches packets of a peer and a port. A port by name is
// looked up in the pods that are called.
func portMatches(p peer, port networking.NetworkPolicyPort, called []Pod, d direction) []string {
	protocol := core.ProtocolTCP
	if port.Protocol != nil {
		protocol = *port.Protocol
	}
	name := strings.ToLower(string(protocol))
	switch {
	case port.Port == nil:
		return []string{p.match + " meta l4proto " + name}
	case port.Port.Type == intstr.Int && port.EndPort != nil:
		return []string{fmt.Sprintf("%s %s dport %d-%d", p.match, name, port.Port.IntVal, *port.EndPort)}
	case port.Port.Type == intstr.Int:
		return []string{fmt.Sprintf("%s %s dport %d", p.match, name, port.Port.IntVal)}
	}
	var matches []string
	for _, pod := range called {
		for _, c := range pod.Ports {
			if c.Name != port.Port.StrVal || c.Protocol != protocol {
				continue
			}
			match := p.match
			if d.kind == networking.PolicyTypeEgress {
				match = "ip daddr " + pod.Address
			}
			matches = append(matches, fmt.Sprintf("%s %s dport %d", match, name, c.ContainerPort))
		}
	}
	return matches
}
