package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// address is who a request comes from: the other end of the connection, or who a
// trusted proxy says it is for. Each proxy adds to X-Forwarded-For on the right whom
// it heard, so what is left of the first one that is not trusted may be a lie.
func (s *Server) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if !s.trusts(host) {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		ip, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return host
		}
		if host = ip.Unmap().String(); !s.trusts(host) {
			return host
		}
	}
	return host
}

func (s *Server) trusts(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(s.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}
