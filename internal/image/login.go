package image

import (
	"context"
	"crypto/x509"
	"sync"

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

// keychain opens the one registry that there is a login for.
type keychain struct{ registry Registry }

func (k keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if k.registry.Login == nil || r.RegistryStr() != k.registry.Host {
		return authn.Anonymous, nil
	}
	return &opener{login: k.registry.Login, repository: r.String()}, nil
}

// opener is the login of one repository.
type opener struct {
	login      func(ctx context.Context, repository string) (Login, error)
	repository string

	mu    sync.Mutex
	known *authn.AuthConfig
}

func (o *opener) Authorization() (*authn.AuthConfig, error) {
	return o.AuthorizationContext(context.Background())
}

// AuthorizationContext is called for every request with a user's login, and with a
// token only when the one before is taken no more.
func (o *opener) AuthorizationContext(ctx context.Context) (*authn.AuthConfig, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known != nil {
		return o.known, nil
	}
	l, err := o.login(ctx, o.repository)
	if err != nil {
		return nil, err
	}
	config := &authn.AuthConfig{Username: l.Username, Password: l.Password, IdentityToken: l.Identity, RegistryToken: l.Token}
	if l.Token == "" {
		o.known = config
	}
	return config, nil
}
