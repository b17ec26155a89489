package image

import (
	"context"
	"crypto/x509"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Registry says how one registry is spoken to. All others are read anonymously, over
// TLS, or in plain HTTP on loopback and private addresses that speak no TLS.
type Registry struct {
	// Host is its name, with the port if it has one.
	Host string
	// PlainHTTP speaks plain HTTP to it. Otherwise it is TLS, verified, at any address.
	PlainHTTP bool
	// CA are certificates (PEM) to trust beside the system's.
	CA []byte
	// Login opens a repository (host/name); nil is anonymous. A login with a token is
	// asked for again when the registry takes the token no more.
	Login func(ctx context.Context, repository string) (Login, error)
}

// Login is a user's, for the registry or its token service, or a token that was made
// for it; the zero Login is anonymous.
type Login struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// Identity is a user's refresh token, in place of a password.
	Identity string `json:"identity,omitempty"`
	// Token is what the registry itself takes.
	Token string `json:"token,omitempty"`
}

func (r Registry) roots() *x509.CertPool {
	if len(r.CA) == 0 {
		return nil // the system's
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(r.CA)
	return roots
}

// recently is how old a token may be that was not refused yet: everything that one push
// opens makes do with it.
const recently = 10 * time.Second

// keychain opens the one registry that there is a login for, and remembers logins.
type keychain struct {
	registry Registry

	mu    sync.Mutex
	known map[string]known // by repository
}

type known struct {
	login Login
	since time.Time
}

// Resolve returns what opens a repository; it has the signature that it must have.
func (k *keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if k.registry.Login == nil || r.RegistryStr() != k.registry.Host {
		return authn.Anonymous, nil
	}
	return &opener{keychain: k, repository: r.String()}, nil
}

// login returns the login for a repository: a user's is the same for ever, and a token
// must not be older than so long.
func (k *keychain) login(ctx context.Context, repository string, old time.Duration) (Login, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if had, ok := k.known[repository]; ok && (had.login.Token == "" || time.Since(had.since) < old) {
		return had.login, nil
	}
	l, err := k.registry.Login(ctx, repository)
	if err != nil {
		return Login{}, err
	}
	k.known[repository] = known{l, time.Now()}
	return l, nil
}

// opener is what one connection logs in with.
type opener struct {
	*keychain
	repository string
	asked      atomic.Bool
}

func (o *opener) Authorization() (*authn.AuthConfig, error) {
	return o.AuthorizationContext(context.Background())
}

// AuthorizationContext is called for every request with a user's login, and with a
// token at first and whenever the one before is taken no more.
func (o *opener) AuthorizationContext(ctx context.Context) (*authn.AuthConfig, error) {
	old := recently
	if o.asked.Swap(true) {
		old = 0
	}
	l, err := o.login(ctx, o.repository, old)
	if err != nil {
		return nil, err
	}
	return &authn.AuthConfig{Username: l.Username, Password: l.Password, IdentityToken: l.Identity, RegistryToken: l.Token}, nil
}
