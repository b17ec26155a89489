package git

import (
	"cmp"
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Remote is a repository and what opens it.
type Remote struct {
	// URL is http, https, ssh, file, or scp-like (git@host:group/name.git). A user
	// and password inside an http URL are used like Username and Token, and are
	// kept out of command lines and texts.
	URL string
	// Username and Token are sent as basic authentication over http(s). An empty
	// Username with a Token means "oauth2", which GitLab takes for any token.
	Username, Token string
	// Header, as "Name: value", is sent over http(s) instead of basic authentication.
	Header string
	// Network is how git reaches hosts; nil is directly, and any of them.
	Network Network
}

// Network is a way to hosts that refuses some of them.
type Network interface {
	// Check is Invalid, with what to do, for a host that may not be reached.
	Check(ctx context.Context, host, port string) error
	// Transport reaches what may be reached over http.
	Transport() *http.Transport
	// Proxy is an HTTP proxy that does the same, and SSHProxy such a command for ssh.
	Proxy() string
	SSHProxy() string
	// Files tells whether a repository may be a folder of this machine.
	Files() bool
}

// endpoint is a Remote that passed validation.
type endpoint struct {
	url       string
	protocols string // for GIT_ALLOW_PROTOCOL
	config    map[string]string
	secrets   []string
	network   Network
}

const (
	maxURL    = 2048
	maxSecret = 8192
)

var scpLike = regexp.MustCompile(`^(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:[^:-].*$`)

func (r Remote) endpoint() (endpoint, error) {
	e, err := r.parse()
	if err != nil || r.Network == nil {
		return e, err
	}
	if e.protocols == "file" && !r.Network.Files() {
		return e, badURL("is a folder of the server's machine: give the repository a URL with https:// or ssh://, or start the server with --allow-host file")
	}
	e.network = r.Network
	if e.config = maps.Clone(e.config); e.config == nil {
		e.config = map[string]string{}
	}
	e.config["http.proxy"], e.config["http.proxyAuthMethod"] = r.Network.Proxy(), "basic"
	e.secrets = append(e.secrets, r.Network.Proxy())
	return e, nil
}

// reach asks the network whether the remote's host may be reached, to say so in clear
// words. What git then does goes through the network all the same.
func (e endpoint) reach(ctx context.Context) error {
	if e.network == nil || e.protocols == "file" {
		return nil
	}
	host, port := e.host()
	return e.network.Check(ctx, host, port)
}

func (e endpoint) host() (host, port string) {
	u, err := url.Parse(e.url)
	if err != nil || u.Host == "" { // git@host:group/name.git
		before, _, _ := strings.Cut(e.url, ":")
		return before[strings.LastIndex(before, "@")+1:], "22"
	}
	return u.Hostname(), cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443", "ssh": "22"}[u.Scheme])
}

func (r Remote) parse() (endpoint, error) {
	if r.URL == "" || len(r.URL) > maxURL || strings.HasPrefix(r.URL, "-") || hasControl(r.URL) {
		return endpoint{}, badURL("is empty, too long, or has characters that no URL has")
	}
	if !strings.Contains(r.URL, "://") {
		if strings.Contains(r.URL, "::") || !scpLike.MatchString(r.URL) {
			return endpoint{}, badURL("must begin with https://, http://, ssh:// or file://, or be git@host:group/name.git")
		}
		return endpoint{url: r.URL, protocols: "ssh"}, nil
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		// err quotes the URL, which may hold a password.
		return endpoint{}, badURL("cannot be parsed")
	}
	if strings.HasPrefix(u.Host, "-") || strings.Contains(u.Path+"/", "/../") || u.Path == "" || u.Path == "/" || u.RawQuery != "" || u.Fragment != "" {
		return endpoint{}, badURL("must be a host and the path of a repository, nothing else")
	}
	switch u.Scheme {
	case "http", "https":
		return r.web(u)
	case "ssh":
		return overSSH(u)
	case "file":
		if u.Host != "" {
			return endpoint{}, badURL("names a host in a file URL; write file:///path")
		}
		return endpoint{url: u.String(), protocols: "file"}, nil
	}
	return endpoint{}, badURL("has a scheme other than https, http, ssh and file")
}

func overSSH(u *url.URL) (endpoint, error) {
	if _, has := u.User.Password(); has || u.Host == "" || strings.HasPrefix(u.User.Username(), "-") {
		return endpoint{}, badURL("for ssh needs a host, and no password")
	}
	return endpoint{url: u.String(), protocols: "ssh"}, nil
}

// web moves whatever authenticates out of the URL into a header that is sent to
// this one origin only. git would carry such a header along a redirect to any
// other host, so redirects are then refused.
func (r Remote) web(u *url.URL) (endpoint, error) {
	if u.Host == "" {
		return endpoint{}, badURL("has no host")
	}
	user, token := r.Username, r.Token
	if u.User != nil && token == "" {
		user = u.User.Username()
		token, _ = u.User.Password()
	}
	u.User = nil
	e := endpoint{url: u.String(), protocols: "http:https"}
	header := r.Header
	if header == "" && (user != "" || token != "") {
		if user == "" {
			user = "oauth2"
		}
		basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + token))
		header = "Authorization: Basic " + basic
		e.secrets = append(e.secrets, token, url.QueryEscape(token), basic)
	}
	if header == "" {
		return e, nil
	}
	if len(header) > maxSecret || hasControl(header) || hasControl(user) || hasControl(token) {
		return endpoint{}, delivery.E(delivery.Invalid, "the repository's credential has a line break or is too long; set it again")
	}
	_, value, _ := strings.Cut(header, ":")
	e.secrets = append(e.secrets, header, strings.TrimSpace(value))
	e.config = map[string]string{
		"http." + u.Scheme + "://" + u.Host + "/.extraHeader": header,
		"http.followRedirects":                                "false",
	}
	return e, nil
}

func badURL(why string) error {
	return delivery.E(delivery.Invalid, "the repository URL "+why)
}

var objectName = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

func checkSHA(sha string) error {
	if !objectName.MatchString(sha) || strings.Trim(sha, "0") == "" {
		return delivery.E(delivery.Invalid, "a commit is named by its full SHA, 40 or 64 lower-case hexadecimal digits")
	}
	return nil
}

// checkBranch follows git-check-ref-format for the name after refs/heads/.
func checkBranch(name string) error {
	bad := len(name) > 255 || hasControl(name) || strings.ContainsAny(name, " ~^:?*[\\") ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.Contains(name, "//") ||
		strings.HasPrefix(name, "-") || strings.HasSuffix(name, ".") || name == "@"
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	if bad {
		return delivery.E(delivery.Invalid, "the branch name is not one that git accepts")
	}
	return nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
