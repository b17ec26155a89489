package node

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"

	"github.com/vishvananda/netlink"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// bridgeAddress is the bridge's hardware address, of the range that is for local use.
var bridgeAddress = net.HardwareAddr{0x02, 0x53, 0x48, 0x4c, 0x4b, 0x01}

// makeNetwork makes the pods' bridge, whose address is the node's too.
func makeNetwork() error {
	// They may be a part of the kernel; what matters is whether the settings are there.
	_ = exec.Command("modprobe", "-a", "br_netfilter", "overlay").Run()
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: layout.Bridge}}
	if err := netlink.LinkAdd(bridge); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("add the bridge %s: %w", layout.Bridge, err)
	}
	link, err := netlink.LinkByName(layout.Bridge)
	if err != nil {
		return err
	}
	// Without one of its own the bridge has the lowest address of its ports, which come
	// and go with pods: the others would send to where it was before, for many seconds.
	if err := netlink.LinkSetHardwareAddr(link, bridgeAddress); err != nil {
		return fmt.Errorf("give the bridge %s its hardware address: %w", layout.Bridge, err)
	}
	address, err := netlink.ParseAddr(layout.NodeAddress + "/20")
	if err != nil {
		return err
	}
	if err := netlink.AddrReplace(link, address); err != nil {
		return fmt.Errorf("give the bridge %s its address: %w", layout.Bridge, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"ipv4/ip_forward":                              "1",
		"bridge/bridge-nf-call-iptables":               "1", // packets between pods are judged too
		"bridge/bridge-nf-call-ip6tables":              "1",
		"ipv6/conf/" + layout.Bridge + "/disable_ipv6": "1",
	} {
		err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("set net/%s: %w", name, err)
		}
		if name == "bridge/bridge-nf-call-iptables" && err != nil {
			return errors.New("the kernel has no br_netfilter: policies between pods cannot be enforced")
		}
	}
	return nil
}

// removeNetwork removes the bridge and the tables of kube-proxy and of the policies.
func removeNetwork() error {
	for _, table := range [][]string{{"inet", "shiplock-policy"}, {"ip", "kube-proxy"}, {"ip6", "kube-proxy"}} {
		// The first makes sure that there is one to delete.
		for _, verb := range []string{"add", "delete"} {
			out, err := exec.Command("nft", verb, "table", table[0], table[1]).CombinedOutput()
			if err != nil {
				return fmt.Errorf("nft %s table %s: %w\n%s", verb, table[1], err, out)
			}
		}
	}
	link, err := netlink.LinkByName(layout.Bridge)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return err
	}
	return netlink.LinkDel(link)
}
