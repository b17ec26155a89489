package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Resolve looks a host's addresses up.
type Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

// Config is what the operator allows.
type Config struct {
	// Allow are HOST, HOST:PORT, an address or a CIDR; what they name may be reached
	// wherever it is.
	Allow []string
	// Resolve is the system's by default.
	Resolve Resolve
}

// Guard dials what may be reached.
type Guard struct {
	hosts   []string
	nets    []netip.Prefix
	resolve Resolve
	proxies []string
}

// FilesAllowed in Config.Allow lets repositories be folders of this machine.
const FilesAllowed = "file"

// New returns a Guard. Invalid when what is allowed cannot be read.
func New(c Config) (*Guard, error) {
	g := &Guard{resolve: c.Resolve, proxies: environmentProxies()}
	if g.resolve == nil {
		g.resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	for _, text := range c.Allow {
		text = strings.ToLower(strings.TrimSpace(text))
		if p, err := netip.ParsePrefix(text); err == nil {
			g.nets = append(g.nets, p.Masked())
			continue
		}
		if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
			g.nets = append(g.nets, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		if text == "" || strings.ContainsAny(text, "/@ ") {
			return nil, delivery.E(delivery.Invalid, fmt.Sprintf("%q is no host: write git.example.com, git.example.com:8443, 127.0.0.1 or 10.0.0.0/8", text))
		}
		g.hosts = append(g.hosts, text)
	}
	return g, nil
}

// Files tells whether repositories may be folders of this machine.
func (g *Guard) Files() bool { return slices.Contains(g.hosts, FilesAllowed) }

// shared are networks with addresses that netip has no name for, but which nobody means.
var shared = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),          // this network
	netip.MustParsePrefix("100.100.100.200/32"), // metadata of a cloud, in a shared range
	netip.MustParsePrefix("192.0.0.192/32"),     // metadata of another one
	netip.MustParsePrefix("240.0.0.0/4"),        // reserved, and broadcast
	netip.MustParsePrefix("fd00:ec2::/32"),      // metadata of a cloud, in a private range
	netip.MustParsePrefix("64:ff9b:1::/48"),     // NAT64 of a local network
}

// nat64 and sixToFour hold an address of version 4 in one of version 6.
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// inner returns the address that a gateway makes of one, or the address itself.
func inner(a netip.Addr) netip.Addr {
	a = a.WithZone("").Unmap()
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case a.Is6() && [12]byte(b[:12]) == [12]byte{} && !a.IsLoopback() && !a.IsUnspecified(): // ::a.b.c.d, of old
		return netip.AddrFrom4([4]byte(b[12:16]))
	}
	return a
}

// refusal says what an address is that may not be reached, or "".
func refusal(a netip.Addr) string {
	a = inner(a)
	switch {
	case a.IsLoopback():
		return "is this machine itself"
	case a.IsUnspecified():
		return "is no address of a host"
	case a.IsLinkLocalUnicast():
		return "is link-local, as addresses of metadata are"
	case a.IsMulticast(), a.IsInterfaceLocalMulticast():
		return "is multicast"
	}
	if slices.ContainsFunc(shared, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return "is reserved, or of metadata"
	}
	return ""
}

// ErrRefused is in the chain of every refusal.
var ErrRefused = errors.New("refused by the network guard")

func (g *Guard) allowed(host, port string, a netip.Addr) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.Contains(g.hosts, host) || slices.Contains(g.hosts, net.JoinHostPort(host, port)) ||
		slices.ContainsFunc(g.nets, func(p netip.Prefix) bool { return p.Contains(a.WithZone("").Unmap()) })
}

// Check looks a host up and refuses it when one of its addresses may not be reached.
// Invalid with what to do; Unavailable when it cannot be looked up.
func (g *Guard) Check(ctx context.Context, host, port string) error {
	_, err := g.addresses(ctx, host, port)
	return err
}

// CheckURL is Check of a URL's host, and refuses what is no http or https.
func (g *Guard) CheckURL(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return delivery.E(delivery.Invalid, "the URL begins with neither https:// nor http://, or has no host")
	}
	return g.Check(ctx, u.Hostname(), portOf(u))
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

func (g *Guard) addresses(ctx context.Context, host, port string) ([]netip.Addr, error) {
	var all []netip.Addr
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		all = []netip.Addr{a}
	} else {
		found, err := g.resolve(ctx, host)
		if err == nil && len(found) == 0 {
			err = errors.New("it has no address")
		}
		if err != nil {
			return nil, delivery.Wrap(delivery.Unavailable, "the host "+host+" cannot be looked up", err)
		}
		all = found
	}
	for _, a := range all {
		if why := refusal(a); why != "" && !g.allowed(host, port, a) {
			return nil, &delivery.Error{Kind: delivery.Invalid, Err: ErrRefused, Msg: fmt.Sprintf(
				"%s may not be reached from the server, since %s %s: allow it with --allow-host %s if that is meant", host, a, why, host)}
		}
	}
	return all, nil
}

// dialTimeout is for one address.
const dialTimeout = 10 * time.Second

// Dial connects to a host, to an address that it has just checked. It is meant for
// http.Transport.DialContext.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "the address has no host and port", err)
	}
	all, err := g.addresses(ctx, host, port)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	var failed error
	for _, a := range all {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// Transport returns a transport that dials through the guard, or through the proxy of
// the environment. Names are then that one's to look up; what this machine knows to be
// refused is refused all the same.
func (g *Guard) Transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = 30 * time.Second
	t.Proxy = func(r *http.Request) (*url.URL, error) { return g.upstream(r.Context(), r.URL) }
	direct := net.Dialer{Timeout: dialTimeout}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if slices.Contains(g.proxies, address) {
			return direct.DialContext(ctx, network, address)
		}
		return g.Dial(ctx, network, address)
	}
	return t
}

// upstream is the proxy of the environment for a URL; nil is none.
func (g *Guard) upstream(ctx context.Context, target *url.URL) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: target})
	if proxy == nil || err != nil {
		return nil, err
	}
	if err := g.Check(ctx, target.Hostname(), portOf(target)); errors.Is(err, ErrRefused) {
		return nil, err
	}
	return proxy, nil
}

// environmentProxies are those that the operator has set, as they are dialled.
func environmentProxies() []string {
	var all []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		if u, err := url.Parse(os.Getenv(name)); err == nil && u.Host != "" {
			all = append(all, net.JoinHostPort(u.Hostname(), portOf(u)))
		}
	}
	return all
}
