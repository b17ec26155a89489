package manifest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Allowance is a private network that builds may reach.
type Allowance struct {
	Network netip.Prefix
	// Port is the only one, of TCP; 0 is all.
	Port uint16
}

// ParseAllowance reads 10.1.2.0/24, or 10.1.2.3/32:443 for one port alone.
func ParseAllowance(text string) (Allowance, error) {
	network, port := text, ""
	if slash := strings.Index(text, "/"); slash >= 0 {
		bits, after, _ := strings.Cut(text[slash:], ":") // an address of IPv6 has colons too
		network, port = text[:slash]+bits, after
	}
	a := Allowance{}
	var err error
	if a.Network, err = netip.ParsePrefix(network); err == nil && len(network) < len(text) {
		var n uint64
		n, err = strconv.ParseUint(port, 10, 16)
		a.Port = uint16(n)
	}
	if err != nil || len(network) < len(text) && a.Port == 0 {
		return Allowance{}, delivery.E(delivery.Invalid, fmt.Sprintf("%q is no network such as 10.1.2.0/24, or 10.1.2.3/32:443 for one port of it", text))
	}
	return a, nil
}

func (a Allowance) rule() networkingv1.NetworkPolicyEgressRule {
	r := networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{to(a.Network.String())}}
	if a.Port > 0 {
		r.Ports = []networkingv1.NetworkPolicyPort{port(corev1.ProtocolTCP, a.Port)}
	}
	return r
}

func to(cidr string, except ...string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except}}
}

func port(protocol corev1.Protocol, number uint16) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: new(intstr.FromInt(int(number)))}
}
