package git

import (
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestEndpointURLs(t *testing.T) {
	for _, url := range []string{
		"https://git.example.com/acme/shop.git",
		"http://127.0.0.1:8080/acme/shop.git",
		"https://robot:pw@git.example.com/acme/shop",
		"ssh://git@git.example.com:2222/acme/shop.git",
		"git@git.example.com:acme/shop.git",
		"file:///srv/git/shop.git",
	} {
		if _, err := (Remote{URL: url}).endpoint(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{
		"", "-u", "--upload-pack=touch /tmp/x", "shop", "/srv/git/shop.git", "../shop",
		"ext::sh -c touch% /tmp/x", "fd::17", "ext::git@host:x", "git://example.com/x", "ftp://example.com/x",
		"https://git.example.com", "https:///x", "https://git.example.com/a?token=x", "https://h/a\nb", "https://h/a/../b", "https://h/a/%2e%2e/b",
		"ssh://-oProxyCommand=x/y", "ssh://-oProxyCommand=x@host/y", "ssh://git:pw@host/y", "git@-oProxyCommand=x:y",
		"git@host:-x", "file://host/path", "https://" + strings.Repeat("a", 3000) + "/x", "https://%zz/x",
	} {
		if _, err := (Remote{URL: url}).endpoint(); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v, want Invalid", url, err)
		}
	}
}

func TestEndpointKeepsCredentialsOffTheURL(t *testing.T) {
	e, err := Remote{URL: "https://robot:p%40ss@git.example.com/a/b.git"}.endpoint()
	if err != nil {
		t.Fatal(err)
	}
	if e.url != "https://git.example.com/a/b.git" {
		t.Errorf("url %s", e.url)
	}
	p := newProcess(e, nil)
	for _, text := range []string{
		"fatal: p@ss", "Authorization: Basic cm9ib3Q6cEBzcw==", "https://robot:p%40ss@git.example.com/a",
	} {
		for _, secret := range []string{"p@ss", "p%40ss", "cm9ib3Q6cEBzcw=="} {
			if got := p.scrub(text); strings.Contains(got, secret) {
				t.Errorf("scrub(%q) = %q", text, got)
			}
		}
	}
}

func TestCredentialsWithControlCharacters(t *testing.T) {
	for _, r := range []Remote{
		{Token: "a\r\nX-Evil: 1"}, {Username: "a\nb", Token: "x"}, {Header: "Authorization: a\nX-Evil: 1"},
		{Token: strings.Repeat("a", maxSecret)},
	} {
		r.URL = "https://git.example.com/a/b.git"
		if _, err := r.endpoint(); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%v, want Invalid", err)
		}
	}
}

func TestCheckBranch(t *testing.T) {
	for _, name := range []string{"main", "feature/a-1", "释放", "v1.2"} {
		if err := checkBranch(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{
		"", "-x", "a b", "a..b", "a.lock", "a/.b", "/a", "a/", "a//b", "a~1", "a^", "a:b", "a?", "@", "a@{1}", "a\x01", "a.",
	} {
		if err := checkBranch(name); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q was accepted", name)
		}
	}
}
