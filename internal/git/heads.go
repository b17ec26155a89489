package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	headsLimit = 20 * time.Second
	// maxListing bounds what a server may send; it is read as it comes, and only the
	// refs that were asked for are kept.
	maxListing = 64 << 20
)

// Heads returns the SHA of each of the named refs that the remote has, by its full
// name. Over http it asks for these alone (protocol version 2, see gitprotocol-v2), so
// that a repository with a hundred thousand branches answers like a small one; git
// itself would list all and choose, and is asked only over ssh, or when
// GIT_SSL_CAINFO says whom it trusts. It takes at most 20 seconds.
func Heads(ctx context.Context, r Remote, refs ...string) (map[string]string, error) {
	remote, err := r.endpoint()
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		if ref != "HEAD" && (!strings.HasPrefix(ref, "refs/") || hasControl(ref) || strings.Contains(ref, " ")) {
			return nil, delivery.E(delivery.Invalid, "the name of the branch to look up is not one that git accepts")
		}
	}
	if len(refs) == 0 {
		return map[string]string{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, headsLimit)
	defer cancel()
	if !strings.HasPrefix(remote.url, "http:") && (!strings.HasPrefix(remote.url, "https:") || os.Getenv("GIT_SSL_CAINFO") != "") {
		return wanted(ctx, r, refs)
	}
	l := listing{endpoint: remote, refs: refs}
	heads, err := l.read(ctx)
	if errors.Is(err, errDumb) {
		return wanted(ctx, r, refs)
	}
	if err != nil && ctx.Err() != nil {
		return nil, stopped("ls-refs", context.Cause(ctx))
	}
	return heads, err
}

// wanted asks git, and keeps exactly the refs.
func wanted(ctx context.Context, r Remote, refs []string) (map[string]string, error) {
	all, err := LsRemote(ctx, r, refs...)
	for ref := range all {
		if !slices.Contains(refs, ref) {
			delete(all, ref)
		}
	}
	return all, err
}

// errDumb is a server that does not speak the smart protocol.
var errDumb = errors.New("no smart protocol")

// listing asks a server over http for some refs.
type listing struct {
	endpoint
	refs []string
}

const smart = "application/x-git-upload-pack-"

func (l listing) read(ctx context.Context) (map[string]string, error) {
	heads := map[string]string{}
	v2, format, err := l.advertised(ctx, heads)
	if err != nil || !v2 {
		return heads, err
	}
	var ask bytes.Buffer
	ask.WriteString(packet("command=ls-refs\n"))
	if format != "" {
		ask.WriteString(packet(format + "\n"))
	}
	ask.WriteString("0001")
	for _, ref := range l.refs {
		ask.WriteString(packet("ref-prefix " + ref + "\n"))
	}
	ask.WriteString("0000")
	res, err := l.call(ctx, http.MethodPost, "/git-upload-pack", &ask)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != smart+"result" {
		return nil, odd("no list of refs")
	}
	return heads, l.collect(res.Body, heads)
}

// advertised reads the server's greeting. An old server lists every ref in it; a new
// one says which objects it has, which has to be repeated.
func (l listing) advertised(ctx context.Context, heads map[string]string) (v2 bool, format string, err error) {
	res, err := l.call(ctx, http.MethodGet, "/info/refs?service=git-upload-pack", nil)
	if err != nil {
		return false, "", err
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != smart+"advertisement" {
		return false, "", errDumb
	}
	err = packets(io.LimitReader(res.Body, maxListing), func(line string) error {
		switch {
		case line == "version 2":
			v2 = true
		case v2 && strings.HasPrefix(line, "object-format="):
			format = line
		case !v2:
			l.keep(line, heads)
		}
		return nil
	})
	return v2, format, err
}

func (l listing) collect(body io.Reader, heads map[string]string) error {
	return packets(io.LimitReader(body, maxListing), func(line string) error {
		if why, bad := strings.CutPrefix(line, "ERR "); bad {
			return delivery.E(delivery.Unavailable, "the repository's server says: "+clip(why))
		}
		l.keep(line, heads)
		return nil
	})
}

// keep takes "SHA ref", with whatever comes after the ref.
func (l listing) keep(line string, heads map[string]string) {
	line, _, _ = strings.Cut(line, "\x00")
	sha, ref, _ := strings.Cut(line, " ")
	ref, _, _ = strings.Cut(ref, " ")
	if objectName.MatchString(sha) && slices.Contains(l.refs, ref) {
		heads[ref] = sha
	}
}

func (l listing) call(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(l.url, "/")+path, body)
	if err != nil {
		return nil, badURL("cannot be called")
	}
	req.Header.Set("Git-Protocol", "version=2")
	req.Header.Set("User-Agent", "git/2.x shiplock")
	if body != nil {
		req.Header.Set("Content-Type", smart+"request")
		req.Header.Set("Accept", smart+"result")
	}
	if header, ok := l.header(); ok {
		name, value, _ := strings.Cut(header, ":")
		req.Header.Set(name, strings.TrimSpace(value))
	}
	if err := l.reach(ctx); err != nil {
		return nil, err
	}
	client := http.Client{Transport: l.transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the URL is the user's own
		}
		return nil, delivery.Wrap(delivery.Unavailable, msgDown, err)
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, classify("ls-refs", fmt.Sprintf("the server returned error: %d", res.StatusCode), errors.New(res.Status))
	}
	return res, nil
}

// transport dials through the network, if there is one; nil is the usual one.
func (l listing) transport() http.RoundTripper {
	if l.network == nil {
		return nil
	}
	t := l.network.Transport()
	t.DisableKeepAlives = true
	return t
}

// header is what authenticates, if anything does.
func (l listing) header() (string, bool) {
	for key, value := range l.config {
		if strings.HasSuffix(key, ".extraHeader") {
			return value, true
		}
	}
	return "", false
}

func clip(s string) string { return s[:min(len(s), 200)] }
