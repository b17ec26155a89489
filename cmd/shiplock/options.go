package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shiplock/shiplock/internal/auth"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// options are what `serve` is told. Secrets come from the environment, never from
// flags, which other users of the machine can read.
type options struct {
	data string
	// database is a PostgreSQL URL; empty is SQLite below data.
	database string
	cache    string // caches of local builds; empty is below data
	// cacheLimit bounds the bytes of all caches.
	cacheLimit byteSize
	listen     string
	// url is what people and forges reach the server by; empty is the listener's.
	url string
	// runnerURL is what runners reach it by; empty is the listener on loopback.
	runnerURL string
	capacity  int
	lease     time.Duration
	silence   time.Duration
	runner    string // shiplock-runner
	web       string // shiplock-web
	logLevel  string
	build     buildOptions
	// pullSecrets name Secrets that apps' images are pulled with, in clusters.
	pullSecrets []string
	// retainEvery is the time between two passes over the past.
	retainEvery time.Duration
	// logLimit bounds the log of one attempt, in MB.
	logLimit int
	// lang is of commit statuses, and of answers to who asks for none.
	lang phrase.Lang
	// trustedProxies are networks as they were written, proxies as they were read.
	trustedProxies []string
	proxies        []netip.Prefix

	gitlabURL, giteaURL, githubURL string
	cloneUser                      string
	cloneHosts                     []string
	// allowHosts may be reached for documents and hooks wherever they are.
	allowHosts []string
	registry   registryOptions
	signOn     signOnOptions
	// reconcile is how often repositories are looked at for pushes without a hook; 0
	// is never.
	reconcile time.Duration

	gitlabToken, giteaToken, githubToken  string
	hookSecret, clonePassword, adminToken string
	// masterKey are keys that secrets are sealed with, the newest first; empty is a
	// file below data.
	masterKey string
}

func (o *options) flags(f *pflag.FlagSet) {
	f.StringVar(&o.data, "data", "data", "directory that holds everything; made when missing")
	f.StringVar(&o.database, "database", "", "PostgreSQL database as postgres://host/name, for several servers at once (default: SQLite below --data); with a password in it use SHIPLOCK_DATABASE_URL")
	f.StringVar(&o.cache, "cache", "", "directory for the caches of builds (default: below --data)")
	f.Var(&o.cacheLimit, "cache-limit", "how much disk the caches of builds may take, such as 500MB or 20GiB (default: 20GiB, or a tenth of the disk if that is less)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address to listen on")
	f.StringVar(&o.url, "url", "", "address that people and forges reach the server by (default: what it listens on)")
	f.StringVar(&o.runnerURL, "runner-url", "", "address that runners reach the server by (default: what it listens on)")
	f.IntVar(&o.capacity, "capacity", max(2, runtime.NumCPU()), "how many jobs may run at once")
	f.DurationVar(&o.lease, "lease", 10*time.Second, "how long a silent server keeps its claim on the data")
	f.DurationVar(&o.silence, "silence", 3*time.Minute, "how long a silent runner keeps its job")
	f.DurationVar(&o.retainEvery, "retention-every", time.Hour, "how often to let go of the past, by the document Retention/default")
	f.IntVar(&o.logLimit, "log-limit", 2048, "how many MB of a job's log are kept; a job that writes more goes on, and its log says so")
	f.StringVar(&o.runner, "runner", "", "path of shiplock-runner (default: beside this program)")
	f.StringVar(&o.web, "web", "", "path of shiplock-web, which serves sites and PHP (default: beside this program)")
	o.build.flags(f)
	f.StringSliceVar(&o.pullSecrets, "pull-secret", nil, "Secret in the namespaces of environments that every app's image is pulled with; may be repeated")
	f.StringVar(&o.logLevel, "log", "info", "debug, info, warn or error")
	f.StringVar(&o.gitlabURL, "gitlab-url", "", "GitLab to send commit statuses to; its token is SHIPLOCK_GITLAB_TOKEN")
	f.StringVar(&o.giteaURL, "gitea-url", "", "Gitea or Forgejo to send commit statuses to; its token is SHIPLOCK_GITEA_TOKEN")
	f.StringVar(&o.githubURL, "github-url", "", "GitHub to send commit statuses to; its token is SHIPLOCK_GITHUB_TOKEN (default with a token: https://github.com)")
	o.registry.flags(f)
	o.signOn.flags(f)
	f.StringSliceVar(&o.trustedProxies, "trusted-proxy", nil, "network of proxies that say truly in X-Forwarded-For whom a request is from, such as 10.0.0.0/8; may be repeated")
	f.StringVar(&o.cloneUser, "clone-user", "", "user name for git checkouts over http; the password is SHIPLOCK_CLONE_PASSWORD")
	f.DurationVar(&o.reconcile, "reconcile", 5*time.Minute, "how often to look for pushes whose hook never came; 0 is never")
	f.StringSliceVar(&o.allowHosts, "allow-host", nil, "HOST, HOST:PORT, address or CIDR that repositories and messages may be at although it is this machine, link-local or the like; \"file\" for repositories in folders of this machine; may be repeated")
	f.StringSliceVar(&o.cloneHosts, "clone-host", nil, "host, or host:port, that may be sent the clone password, beside the forges above; may be repeated")
}

func (o *options) environment(get func(string) string) {
	o.gitlabToken = get("SHIPLOCK_GITLAB_TOKEN")
	o.giteaToken = get("SHIPLOCK_GITEA_TOKEN")
	o.githubToken = get("SHIPLOCK_GITHUB_TOKEN")
	o.database = cmp.Or(o.database, get("SHIPLOCK_DATABASE_URL"))
	o.registry.environment(get)
	o.hookSecret = get("SHIPLOCK_HOOK_SECRET")
	o.clonePassword = get("SHIPLOCK_CLONE_PASSWORD")
	o.adminToken = get("SHIPLOCK_ADMIN_TOKEN")
	o.masterKey = get("SHIPLOCK_MASTER_KEY")
	o.defaults()
}

// defaults sets what follows from secrets.
func (o *options) defaults() {
	if o.githubToken != "" && o.githubURL == "" {
		o.githubURL = "https://github.com"
	}
}

// check refuses what cannot work, and says what to do.
func (o *options) check() error {
	switch {
	case o.capacity < 1:
		return delivery.E(delivery.Invalid, "--capacity must be at least 1")
	case o.lease < time.Second:
		return delivery.E(delivery.Invalid, "--lease must be at least 1s")
	case o.reconcile < 0 || o.reconcile > 0 && o.reconcile < time.Second:
		return delivery.E(delivery.Invalid, "--reconcile must be at least 1s, or 0 for never")
	case o.silence < 5*time.Second:
		return delivery.E(delivery.Invalid, "--silence must be at least 5s")
	case o.logLimit < 1:
		return delivery.E(delivery.Invalid, "--log-limit must be at least 1 (MB)")
	case o.retainEvery < time.Second:
		return delivery.E(delivery.Invalid, "--retention-every must be at least 1s")
	case o.adminToken != "" && !auth.IsToken(o.adminToken):
		return delivery.E(delivery.Invalid, "SHIPLOCK_ADMIN_TOKEN cannot be a token: write slk_ and 43 random letters or digits, or leave it out")
	}
	if _, _, err := net.SplitHostPort(o.listen); err != nil {
		return delivery.Wrap(delivery.Invalid, "--listen is host:port, such as 127.0.0.1:8080", err)
	}
	for _, u := range []*string{&o.url, &o.runnerURL, &o.gitlabURL, &o.giteaURL, &o.githubURL} {
		*u = strings.TrimSuffix(*u, "/")
		if *u != "" && !strings.HasPrefix(*u, "http://") && !strings.HasPrefix(*u, "https://") {
			return delivery.E(delivery.Invalid, fmt.Sprintf("%q is not a URL: it starts with http:// or https://", *u))
		}
	}
	if err := o.readProxies(); err != nil {
		return err
	}
	if err := o.registry.check(); err != nil {
		return err
	}
	if err := o.signOn.check(); err != nil {
		return err
	}
	if err := o.build.check(o.runnerURL); err != nil {
		return err
	}
	return o.findPrograms()
}

func (o *options) readProxies() error {
	o.proxies = nil
	for _, text := range o.trustedProxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return delivery.Wrap(delivery.Invalid, "--trusted-proxy "+text+" is no network: write it like 10.0.0.0/8, or 10.1.2.3/32 for one address", err)
		}
		o.proxies = append(o.proxies, p.Masked())
	}
	return nil
}

// findPrograms finds the programs that come with this one, beside it.
func (o *options) findPrograms() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	for _, p := range []struct {
		path       *string
		name, flag string
	}{{&o.runner, "shiplock-runner", "--runner"}, {&o.web, "shiplock-web", "--web"}} {
		if *p.path == "" {
			*p.path = filepath.Join(filepath.Dir(self), p.name)
		}
		if info, err := os.Stat(*p.path); err != nil || info.Mode()&0o111 == 0 {
			return delivery.E(delivery.Invalid, fmt.Sprintf("there is no program %s: run `make build`, or name it with %s", *p.path, p.flag))
		}
	}
	return nil
}

// loopback is how local processes reach a listener.
func loopback(addr net.Addr) string {
	host, port, _ := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func newLogger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}
