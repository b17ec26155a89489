package image

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config of a Client. The zero value works, with anonymous access.
type Config struct {
	// Registry is the one registry that there is a login for. No other credential is
	// ever read: no file, helper or environment of the machine.
	Registry Registry
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
	// Chunk is how many bytes of a layer are sent in one request; 0 means 32 MiB.
	Chunk int64
}

// Client builds, pushes and unpacks images. Its methods may be called concurrently.
type Client struct {
	keys      *keychain
	cache     cache
	tempDir   string
	transport http.RoundTripper
	timeout   time.Duration
	chunk     int64
	pause     time.Duration // before an upload is tried again, the first time
}

// New returns a Client for c.
func New(c Config) *Client {
	c.Registry.Host = hub(c.Registry.Host)
	if c.Transport == nil {
		t := remote.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = time.Minute
		t.ReadBufferSize = 64 << 10
		t.WriteBufferSize = 256 << 10
		t.TLSClientConfig = &tls.Config{RootCAs: c.Registry.roots(), MinVersion: tls.VersionTLS12}
		c.Transport = t
	}
	return &Client{
		keys:      &keychain{registry: c.Registry, known: make(map[string]known)},
		cache:     cache{dir: c.CacheDir},
		tempDir:   c.TempDir,
		transport: &wire{inner: c.Transport, registry: c.Registry},
		timeout:   cmp.Or(c.Timeout, 15*time.Minute),
		chunk:     cmp.Or(c.Chunk, 32<<20),
		pause:     100 * time.Millisecond,
	}
}

// session is the authorised connections of one operation.
type session struct {
	*remote.Puller
	*remote.Pusher
	client   *Client
	platform v1.Platform
}

func (c *Client) session(ctx context.Context, p v1.Platform) (session, error) {
	options := []remote.Option{
		remote.WithContext(ctx),
		remote.WithTransport(c.transport),
		remote.WithAuthFromKeychain(c.keys),
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
	return session{puller, pusher, c, p}, nil
}

// exists tells whether the registry has the manifest that ref names, with the
// digest want.
func (s session) exists(ctx context.Context, ref name.Reference, want v1.Hash) (bool, error) {
	d, err := s.Head(ctx, ref)
	if status(err) == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, registryError("look up", toPull, ref, err)
	}
	return d.Digest == want, nil
}

func parseRef(what, s string) (name.Reference, error) {
	ref, err := name.ParseReference(s)
	if err == nil && !fs.ValidPath(ref.Context().RepositoryStr()) {
		err = errors.New("its path is not clean") // it becomes part of a URL
	}
	if err == nil {
		_, err = name.ParseReference(ref.Name()) // what it is short for may be too long
	}
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, fmt.Sprintf("%s %q is not an image reference; write host/name:tag or host/name@sha256:…", what, s), err)
	}
	return ref, nil
}
