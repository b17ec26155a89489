package manifest

import (
	"net/netip"
	"testing"
)

func TestParseAllowance(t *testing.T) {
	for text, want := range map[string]Allowance{
		"10.1.2.0/24":       {Network: netip.MustParsePrefix("10.1.2.0/24")},
		"10.1.2.3/32:443":   {Network: netip.MustParsePrefix("10.1.2.3/32"), Port: 443},
		"fd00::1/128":       {Network: netip.MustParsePrefix("fd00::1/128")},
		"fd00::1/128:65535": {Network: netip.MustParsePrefix("fd00::1/128"), Port: 65535},
	} {
		if got, err := ParseAllowance(text); err != nil || got != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "10.1.2.3", "10.1.2.3:443", "10.1.2.3/33", "10.1.2.3/32:", "10.1.2.3/32:0", "10.1.2.3/32:65536", "10.1.2.3/32:https", "git.example.com/32"} {
		if got, err := ParseAllowance(text); err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

// What is allowed with a port is allowed by that port alone.
func TestNetworkPolicyOfAPort(t *testing.T) {
	all, one := netip.MustParsePrefix("10.1.2.0/24"), netip.MustParsePrefix("10.1.2.3/32")
	rules := BuildSpace{Allow: []Allowance{{Network: all}, {Network: one, Port: 443}}}.network().Spec.Egress
	whole, single := rules[len(rules)-2], rules[len(rules)-1]
	if len(whole.Ports) != 0 || whole.To[0].IPBlock.CIDR != all.String() {
		t.Errorf("a network: %+v", whole)
	}
	if len(single.Ports) != 1 || single.Ports[0].Port.IntValue() != 443 || *single.Ports[0].Protocol != "TCP" || len(single.To) != 1 || single.To[0].IPBlock.CIDR != one.String() {
		t.Errorf("a port: %+v", single)
	}
}
