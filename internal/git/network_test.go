package git

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/netguard"
)

// guarded is a network as the server has it.
type guarded struct {
	*netguard.Guard
	proxy *netguard.Proxy
	ssh   string
}

func (g guarded) Proxy() string    { return g.proxy.URL() }
func (g guarded) SSHProxy() string { return g.ssh }

func network(t *testing.T, allow ...string) guarded {
	t.Helper()
	g, err := netguard.New(netguard.Config{Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
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
	return guarded{Guard: g, proxy: p, ssh: "exec false"}
}

// asks are all ways in which the server reads a repository.
func asks(t *testing.T) map[string]func(Remote) error {
	sha := strings.Repeat("ab", 20)
	mirrors := &Mirrors{Dir: t.TempDir(), MaxRepo: 1 << 20, MaxAll: 1 << 20}
	return map[string]func(Remote) error{
		"heads":     func(r Remote) error { _, err := Heads(t.Context(), r, "refs/heads/main"); return err },
		"ls-remote": func(r Remote) error { _, err := LsRemote(t.Context(), r); return err },
		"changed":   func(r Remote) error { _, err := Changed(t.Context(), r, sha, strings.Repeat("cd", 20)); return err },
		"files":     func(r Remote) error { _, err := Files(t.Context(), r, sha, "", []string{"shiplock.yaml"}); return err },
		"mirror": func(r Remote) error {
			_, err := mirrors.Contains(t.Context(), r, sha, strings.Repeat("cd", 20))
			return err
		},
	}
}

// A repository's URL leads the server to no host that it may not reach, and to no
// folder of its machine.
func TestRepositoriesOfThisMachineAreRefused(t *testing.T) {
	var hits atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(inside.Close)
	n := network(t)
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	for what, ask := range asks(t) {
		for _, repo := range []string{
			inside.URL + "/team/shop.git", "http://localhost" + port + "/a/b", "https://127.0.0.1" + port + "/a/b", "http://[::1]" + port + "/a/b",
			"http://[::ffff:127.0.0.1]" + port + "/a/b", "http://0.0.0.0" + port + "/a/b", "http://169.254.169.254/latest/meta-data",
			"ssh://git@127.0.0.1" + port + "/a/b", "git@localhost:a/b.git", "file:///etc", "ext::sh -c id", "file://localhost/etc",
		} {
			if err := ask(Remote{URL: repo, Network: n}); delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("%s of %s: %v", what, repo, err)
			}
		}
	}
	if hits.Load() > 0 {
		t.Errorf("%d requests came through", hits.Load())
	}
}

// A forge that may be reached leads nowhere else by a redirect, whoever follows it.
func TestRedirectsOfRepositoriesAreRefused(t *testing.T) {
	var hits atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(inside.Close)
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside.URL+r.URL.String(), http.StatusFound)
	}))
	t.Cleanup(outside.Close)
	host := outside.Listener.Addr().String()
	n := network(t, host)
	for what, ask := range asks(t) {
		if err := ask(Remote{URL: outside.URL + "/team/shop.git", Network: n}); err == nil {
			t.Errorf("%s succeeded", what)
		}
	}
	if hits.Load() > 0 {
		t.Errorf("%d requests came through", hits.Load())
	}
	// Without the network git does follow it: the test would notice.
	_, _ = LsRemote(t.Context(), Remote{URL: outside.URL + "/team/shop.git"})
	if hits.Load() == 0 {
		t.Error("git follows no redirects here")
	}
}

// ssh connects through the network's proxy only.
func TestSSHGoesThroughTheProxy(t *testing.T) {
	n := network(t, "git.example.com")
	n.ssh = "exec /bin/shiplock tunnel %h %p"
	e, err := Remote{URL: "git@git.example.com:a/b.git", Network: n}.endpoint()
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Join(newProcess(e, nil).env, "\n")
	for _, want := range []string{"-oProxyCommand='exec /bin/shiplock tunnel %h %p'", "-oProxyJump=none", TunnelVariable + "=http://git:"} {
		if !strings.Contains(env, want) {
			t.Errorf("no %s in\n%s", want, env)
		}
	}
	if strings.Contains(strings.ToLower(env), "no_proxy=") {
		t.Error("what passes by the proxy is inherited")
	}
	if host, port := e.host(); host != "git.example.com" || port != "22" {
		t.Errorf("%s, %s", host, port)
	}
}
