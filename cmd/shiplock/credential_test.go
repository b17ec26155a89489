package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestCredentialIsForItsHostsOnly(t *testing.T) {
	c, err := newCredential(options{
		cloneUser: "robot", clonePassword: "s3cret", gitlabURL: "https://GitLab.example.com:8443", cloneHosts: []string{"git.example.org"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]bool{
		"https://gitlab.example.com:8443/a/b.git": true, "https://git.example.org/a/b.git": true, "http://GIT.example.org:3000/a/b": true,
		"https://gitlab.example.com/a/b.git": false, "https://evil.example/a/b.git": false, "https://git.example.org.evil.example/a/b": false,
		"https://git.example.org@evil.example/a/b": false, "git@git.example.org:a/b.git": false, "ssh://git.example.org/a/b": false, "": false,
	} {
		repo := delivery.Repo{CloneURL: url}
		user, password, withheld := c.forRunner(repo)
		if (password == "s3cret") != want || (user == "robot") != want || want && withheld != "" {
			t.Errorf("%s: %q %q, withheld: %q", url, user, password, withheld)
		}
	}
	_, _, why := c.forRunner(delivery.Repo{CloneURL: "https://evil.example/a/b.git"})
	if want := "the clone password was not sent to evil.example, for it is for git.example.org, gitlab.example.com:8443 only: start the server with --clone-host evil.example"; !strings.HasPrefix(why, want) {
		t.Errorf("withheld: %s", why)
	}
}

func TestCredentialNeedsAHost(t *testing.T) {
	for name, o := range map[string]options{
		"a password for nobody": {clonePassword: "x"},
		"a user for nobody":     {cloneUser: "x"},
		"a URL as host":         {cloneHosts: []string{"https://git.example.com"}},
	} {
		if _, err := newCredential(o); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	if _, err := newCredential(options{}); err != nil {
		t.Error(err)
	}
}

// A hook says where its repository is; that host is asked without the password.
func TestHookOfAnotherHostGetsNoCredential(t *testing.T) {
	var asked, leaked atomic.Int64
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			leaked.Add(1)
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "who are you", http.StatusUnauthorized)
	}))
	defer evil.Close()
	f, err := newForge(options{data: t.TempDir(), cloneUser: "robot", clonePassword: "s3cret", cloneHosts: []string{"git.example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	repo := delivery.Repo{CloneURL: evil.URL + "/a/b.git"}
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for name, call := range map[string]func(context.Context) error{
		"heads":   func(ctx context.Context) error { _, err := f.Heads(ctx, repo, "dev"); return err },
		"head":    func(ctx context.Context) error { _, err := f.Head(ctx, repo, "dev"); return err },
		"changed": func(ctx context.Context) error { _, err := f.Changed(ctx, repo, a, b); return err },
		"history": func(ctx context.Context) error { _, err := f.Ahead(ctx, repo, a, b); return err },
	} {
		err := call(t.Context())
		if delivery.KindOf(err) != delivery.Denied || !strings.Contains(err.Error(), "the clone password was not sent to 127.0.0.1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if asked.Load() == 0 || leaked.Load() > 0 {
		t.Errorf("asked %d times, with the credential %d times", asked.Load(), leaked.Load())
	}
}
