package main

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// credential opens the repositories of some hosts, and is given to no other: a hook
// says by itself where its repository is cloned from.
type credential struct {
	user, password string
	hosts          []string // host:port, or a host for all its ports
}

// newCredential binds the clone password to the configured forges, and to the hosts
// that are named.
func newCredential(o options) (credential, error) {
	c := credential{user: o.cloneUser, password: o.clonePassword}
	for _, h := range o.cloneHosts {
		host := strings.ToLower(strings.TrimSpace(h))
		if host == "" || strings.ContainsAny(host, "/@ ") {
			return c, delivery.E(delivery.Invalid, fmt.Sprintf("--clone-host %q is no host: write git.example.com or git.example.com:8443", h))
		}
		c.hosts = append(c.hosts, host)
	}
	for _, forge := range []string{o.gitlabURL, o.giteaURL, o.githubURL} {
		if u, err := url.Parse(forge); err == nil && u.Host != "" {
			c.hosts = append(c.hosts, strings.ToLower(u.Host))
		}
	}
	if (c.user != "" || c.password != "") && len(c.hosts) == 0 {
		return c, delivery.E(delivery.Invalid, "the clone password is for no host: name the hosts that may have it with --clone-host, or the forge with --gitlab-url, --gitea-url or --github-url")
	}
	return c, nil
}

// of returns what opens a repository: nothing at a host that it is not for.
func (c credential) of(repo delivery.Repo) (user, password string) {
	if c.opens(repo.CloneURL) {
		return c.user, c.password
	}
	return "", ""
}

func (c credential) opens(cloneURL string) bool {
	u, err := url.Parse(cloneURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := strings.ToLower(u.Host)
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return slices.Contains(c.hosts, host) || slices.Contains(c.hosts, name)
}

// forRunner is what a runner gets of it.
func (c credential) forRunner(repo delivery.Repo) (user, password, withheld string) {
	user, password = c.of(repo)
	return user, password, c.withheld(repo)
}

// withheld says why a repository gets no password; "" when there is none to give, or
// it gets it.
func (c credential) withheld(repo delivery.Repo) string {
	u, err := url.Parse(repo.CloneURL)
	if c.password == "" || err != nil || u.Host == "" || c.opens(repo.CloneURL) {
		return ""
	}
	return fmt.Sprintf("the clone password was not sent to %s, for it is for %s only: start the server with --clone-host %s if the repository is yours",
		u.Host, strings.Join(c.hosts, ", "), u.Host)
}

// explain adds why no password was sent to a repository that wants one.
func (c credential) explain(repo delivery.Repo, err error) error {
	if why := c.withheld(repo); why != "" && delivery.KindOf(err) == delivery.Denied {
		return delivery.Wrap(delivery.Denied, why, err)
	}
	return err
}
