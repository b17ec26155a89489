package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Login is the basic-auth or token-service login to one registry.
type Login struct {
	Username, Password string
}

// Config of a Client. The zero value works, with anonymous access.
type Config struct {
	// Logins by registry host, with its port if it has one. No other credential
	// is ever read: no file, helper or environment of the machine.
	Logins map[string]Login
	// CacheDir remembers what directories and layers were found to be, never
	// their content; "" remembers nothing. Who can write here decides what the
	// next build pushes, so share it only within one trust domain.
	CacheDir string
	// TempDir takes one compressed layer; "" is the system's.
	TempDir string
	// Transport replaces the default one, which allows a minute for an answer
	// to begin.
	Transport http.RoundTripper
	// Timeout bounds one Build, Push or Unpack; 0 means 15 minutes.
	Timeout time.Duration
}

// Client builds, pushes and unpacks images. Registries on loopback and private
// addresses are spoken to in plain HTTP. Its methods may be called concurrently.
type Client struct {
	logins    logins
	cache     cache
	tempDir   string
	transport http.RoundTripper
	timeout   time.Duration
}

// New returns a Client for c.
func New(c Config) *Client {
	if c.Transport == nil {
		t := remote.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = time.Minute
		t.ReadBufferSize = 64 << 10
		t.WriteBufferSize = 256 << 10
		c.Transport = t
	}
	return &Client{
		logins:    c.Logins,
		cache:     cache{dir: c.CacheDir},
		tempDir:   c.TempDir,
		transport: c.Transport,
		timeout:   cmp.Or(c.Timeout, 15*time.Minute),
	}
}

// logins is a keychain that knows nothing but what it was given.
type logins map[string]Login

// Resolve returns the login for a registry; it has the keychain's signature.
func (l logins) Resolve(r authn.Resource) (authn.Authenticator, error) {
	login, ok := l[r.RegistryStr()]
	if !ok {
		return authn.Anonymous, nil
	}
	return &authn.Basic{Username: login.Username, Password: login.Password}, nil
}

// session is the authorised connections of one operation.
type session struct {
	*remote.Puller
	*remote.Pusher
	platform v1.Platform
}

func (c *Client) session(ctx context.Context, p v1.Platform) (session, error) {
	options := []remote.Option{
		remote.WithContext(ctx),
		remote.WithTransport(c.transport),
		remote.WithAuthFromKeychain(c.logins),
		remote.WithPlatform(p),
		remote.WithUserAgent("shiplock"),
	}
	puller, err := remote.NewPuller(options...)
	if err != nil {
		return session{}, fmt.Errorf("open registry session: %w", err)
	}
	pusher, err := remote.NewPusher(options...)
	if err != nil {
		return session{}, fmt.Errorf("open registry session: %w", err)
	}
	return session{puller, pusher, p}, nil
}

// exists tells whether the registry has the manifest that ref names, with the
// digest want.
func (s session) exists(ctx context.Context, ref name.Reference, want v1.Hash) (bool, error) {
	d, err := s.Head(ctx, ref)
	if status(err) == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, registryError("look up", ref, err)
	}
	return d.Digest == want, nil
}

func status(err error) int {
	if e := (*transport.Error)(nil); errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

// registryError classifies what a registry, or the way to it, answered.
func registryError(doing string, ref fmt.Stringer, err error) error {
	err = fmt.Errorf("%s %s: %w", doing, ref, err)
	if errors.Is(err, context.Canceled) || errors.As(err, new(*delivery.Error)) {
		return err
	}
	switch code := status(err); {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return delivery.Wrap(delivery.Denied, "the registry refuses the credentials for "+ref.String()+"; check the registry login", err)
	case code == http.StatusNotFound:
		return delivery.Wrap(delivery.NotFound, ref.String()+" is not in its registry; check the name, or push it first", err)
	case code == http.StatusTooManyRequests || code >= http.StatusInternalServerError || cutOff(err):
		return delivery.Wrap(delivery.Unavailable, "the registry of "+ref.String()+" does not answer as it should; it will be tried again", err)
	case code >= http.StatusBadRequest:
		return delivery.Wrap(delivery.Invalid, "the registry refuses "+ref.String(), err)
	}
	return err
}

// cutOff tells whether the network, and not the registry, ended the exchange.
func cutOff(err error) bool {
	return errors.As(err, new(*net.OpError)) || errors.As(err, new(*url.Error)) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

func parseRef(what, s string) (name.Reference, error) {
	ref, err := name.ParseReference(s)
	if err == nil && !fs.ValidPath(ref.Context().RepositoryStr()) {
		err = errors.New("its path is not clean") // it becomes part of a URL
	}
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, fmt.Sprintf("%s %q is not an image reference; write host/name:tag or host/name@sha256:…", what, s), err)
	}
	return ref, nil
}
