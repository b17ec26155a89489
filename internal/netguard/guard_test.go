package netguard_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/netguard"
)

// names answers from a table; what follows "then" is the answer of later look-ups.
func names(table map[string][]string) netguard.Resolve {
	var asked atomic.Int64
	return func(_ context.Context, host string) ([]netip.Addr, error) {
		answer, ok := table[strings.ToLower(host)]
		if !ok {
			return nil, errors.New("no such host")
		}
		if asked.Add(1) > 1 && len(table["then "+host]) > 0 {
			answer = table["then "+host]
		}
		var all []netip.Addr
		for _, text := range answer {
			all = append(all, netip.MustParseAddr(text))
		}
		return all, nil
	}
}

func guard(t *testing.T, table map[string][]string, allow ...string) *netguard.Guard {
	t.Helper()
	g, err := netguard.New(netguard.Config{Allow: allow, Resolve: names(table)})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestWhatIsRefused(t *testing.T) {
	g := guard(t, map[string][]string{
		"localhost": {"127.0.0.1", "::1"}, "git.example.com": {"203.0.113.9"}, "git.intranet": {"10.1.2.3"}, "both.example.com": {"203.0.113.9", "127.0.0.1"},
		"metadata.google.internal": {"169.254.169.254"},
	})
	for host, refused := range map[string]bool{
		"git.example.com": false, "git.intranet": false, "10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "203.0.113.9": false, "2001:db8::1": false,
		"fd12:3456::1": false, "100.64.0.1": false,
		"localhost": true, "127.0.0.1": true, "127.1.2.3": true, "::1": true, "[::1]": true, "0.0.0.0": true, "::": true, "0.1.2.3": true,
		"169.254.169.254": true, "169.254.0.1": true, "fe80::1": true, "fe80::1%eth0": true, "224.0.0.1": true, "ff02::1": true, "255.255.255.255": true,
		"::ffff:127.0.0.1": true, "::ffff:169.254.169.254": true, "64:ff9b::7f00:1": true, "64:ff9b::a9fe:a9fe": true, "2002:7f00:1::": true, "::127.0.0.1": true,
		"100.100.100.200": true, "fd00:ec2::254": true, "metadata.google.internal": true, "both.example.com": true,
	} {
		err := g.Check(t.Context(), host, "443")
		if refused != errors.Is(err, netguard.ErrRefused) || !refused && err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if refused && (delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), "--allow-host "+host)) {
			t.Errorf("%s does not say what to do: %v", host, err)
		}
		if !refused {
			continue // tests reach nobody else
		}
		if _, err := g.Dial(t.Context(), "tcp", net.JoinHostPort(strings.Trim(host, "[]"), "443")); !errors.Is(err, netguard.ErrRefused) {
			t.Errorf("%s was dialled: %v", host, err)
		}
	}
	// Numbers that a resolver may take for an address are names here, and looked up.
	for _, host := range []string{"2130706433", "0x7f000001", "017700000001", "127.1"} {
		if err := g.Check(t.Context(), host, "80"); err == nil {
			t.Errorf("%s was let through", host)
		}
	}
	for _, bad := range []string{"file:///etc/passwd", "ext::sh -c id", "gopher://git.example.com/", "//git.example.com", "https://", "http://127.0.0.1/"} {
		if err := g.CheckURL(t.Context(), bad); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestWhatIsAllowed(t *testing.T) {
	table := map[string][]string{"localhost": {"127.0.0.1"}, "git.local": {"127.0.0.1"}}
	for _, tc := range []struct {
		allow, host, port string
		ok                bool
	}{
		{"localhost", "localhost", "80", true}, {"localhost", "LOCALHOST", "80", true}, {"localhost", "git.local", "80", false},
		{"localhost:8443", "localhost", "8443", true}, {"localhost:8443", "localhost", "22", false},
		{"127.0.0.1", "git.local", "80", true}, {"127.0.0.0/8", "127.9.9.9", "80", true}, {"127.0.0.0/8", "::1", "80", false},
		{"127.0.0.1:3000", "127.0.0.1", "3000", true}, {"127.0.0.1:3000", "127.0.0.1", "3001", false},
		{"::1", "::1", "80", true}, {"169.254.0.0/16", "169.254.169.254", "80", true},
	} {
		if err := guard(t, table, tc.allow).Check(t.Context(), tc.host, tc.port); tc.ok != (err == nil) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	for _, bad := range []string{"", "http://x", "a b", "user@host"} {
		if _, err := netguard.New(netguard.Config{Allow: []string{bad}}); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// server is something on this machine that nobody may reach.
func server(t *testing.T) (address string, hits *atomic.Int64) {
	hits = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		_, _ = io.WriteString(w, "secret")
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), hits
}

// A name that has another address when it is dialled than when it was checked is
// refused then.
func TestRebinding(t *testing.T) {
	address, hits := server(t)
	_, port, _ := net.SplitHostPort(address)
	g := guard(t, map[string][]string{"evil.example.com": {"203.0.113.9"}, "then evil.example.com": {"127.0.0.1"}})
	if err := g.CheckURL(t.Context(), "http://evil.example.com:"+port); err != nil {
		t.Fatalf("the first look-up: %v", err)
	}
	client := http.Client{Transport: g.Transport()}
	_, err := client.Get("http://evil.example.com:" + port)
	if !errors.Is(err, netguard.ErrRefused) || hits.Load() > 0 {
		t.Errorf("%v, %d hits", err, hits.Load())
	}
}

// A redirect from a host that may be reached does not lead to one that may not.
func TestRedirect(t *testing.T) {
	address, hits := server(t)
	outside := httptest.NewServer(http.RedirectHandler("http://"+address+"/latest/meta-data", http.StatusFound))
	t.Cleanup(outside.Close)
	g := guard(t, nil, outside.Listener.Addr().String())
	client := http.Client{Transport: g.Transport()}
	_, err := client.Get(outside.URL)
	if !errors.Is(err, netguard.ErrRefused) || hits.Load() > 0 {
		t.Errorf("%v, %d hits", err, hits.Load())
	}
}

func proxy(t *testing.T, g *netguard.Guard) *url.URL {
	t.Helper()
	p, err := g.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// The proxy that git uses refuses the same, for http and for what is tunnelled, and
// everything to who does not know its password.
func TestProxy(t *testing.T) {
	address, hits := server(t)
	tls := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits.Add(1); _, _ = io.WriteString(w, "over TLS") }))
	t.Cleanup(tls.Close)
	get := func(proxy *url.URL, target string) (string, int, error) {
		transport := tls.Client().Transport.(*http.Transport).Clone()
		transport.Proxy = http.ProxyURL(proxy)
		defer transport.CloseIdleConnections()
		res, err := (&http.Client{Transport: transport}).Get(target)
		if err != nil {
			return "", 0, err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return string(body), res.StatusCode, err
	}
	closed := proxy(t, guard(t, nil))
	if body, status, err := get(closed, "http://"+address); err != nil || status != http.StatusForbidden || !strings.Contains(body, "this machine itself") {
		t.Errorf("http: %q, %d, %v", body, status, err)
	}
	if _, _, err := get(closed, tls.URL); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("CONNECT: %v", err)
	}
	if hits.Load() > 0 {
		t.Fatalf("%d hits", hits.Load())
	}
	open := proxy(t, guard(t, nil, address, tls.Listener.Addr().String()))
	if body, _, err := get(open, "http://"+address); err != nil || body != "secret" {
		t.Errorf("allowed http: %q, %v", body, err)
	}
	if body, _, err := get(open, tls.URL); err != nil || body != "over TLS" {
		t.Errorf("allowed CONNECT: %q, %v", body, err)
	}
	stranger := *open
	stranger.User = url.UserPassword("git", "guessed")
	if _, status, err := get(&stranger, "http://"+address); status != http.StatusProxyAuthRequired {
		t.Errorf("a stranger: %d, %v", status, err)
	}
	if _, _, err := get(&stranger, tls.URL); err == nil {
		t.Error("a stranger was connected")
	}
	if !strings.HasPrefix(open.Host, "127.0.0.1:") {
		t.Errorf("it listens on %s", open.Host)
	}
}
