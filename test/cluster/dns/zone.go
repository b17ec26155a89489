package dns

import (
	"net/netip"
	"strings"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

const suffix = ".cluster.local."

// zone knows the addresses of SERVICE.NAMESPACE.svc.cluster.local, and of
// HOST.SERVICE… of headless Services.
type zone struct {
	services  corelisters.ServiceLister
	endpoints discoverylisters.EndpointSliceLister
}

func ours(name string) bool { return strings.HasSuffix(strings.ToLower(name), suffix) }

func (z zone) lookup(name string) (addresses []netip.Addr, found bool) {
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(name), suffix), ".")
	host := ""
	if len(parts) == 4 {
		host, parts = parts[0], parts[1:]
	}
	if len(parts) != 3 || parts[2] != "svc" {
		return nil, false
	}
	service, err := z.services.Services(parts[1]).Get(parts[0])
	if err != nil {
		return nil, false
	}
	if host == "" && service.Spec.ClusterIP != core.ClusterIPNone {
		return parse(service.Spec.ClusterIP), true
	}
	addresses = z.ready(service, host)
	return addresses, host == "" || len(addresses) > 0
}

// ready lists the addresses of a Service's endpoints, or of the one with a name.
func (z zone) ready(service *core.Service, host string) []netip.Addr {
	selector := labels.SelectorFromSet(labels.Set{discovery.LabelServiceName: service.Name})
	all, err := z.endpoints.EndpointSlices(service.Namespace).List(selector)
	if err != nil {
		return nil
	}
	var addresses []netip.Addr
	for _, s := range all {
		for _, e := range s.Endpoints {
			unready := e.Conditions.Ready != nil && !*e.Conditions.Ready
			if unready && !service.Spec.PublishNotReadyAddresses {
				continue
			}
			if host == "" || e.Hostname != nil && *e.Hostname == host {
				addresses = append(addresses, parse(e.Addresses...)...)
			}
		}
	}
	return addresses
}

func parse(texts ...string) []netip.Addr {
	var addresses []netip.Addr
	for _, t := range texts {
		if a, err := netip.ParseAddr(t); err == nil && a.Is4() {
			addresses = append(addresses, a)
		}
	}
	return addresses
}
