package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/image"
)

// registryOptions are of the registry that runs push to in place of the embedded one.
type registryOptions struct {
	// address is HOST[/PREFIX]; empty is the embedded registry.
	address        string
	user, password string
	auth, ca       string // files
	plainHTTP      bool
	shared         bool
}

func (o *registryOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.address, "registry", "", "OCI registry that runs push to, as host[:port][/path]; each app's repository is below it (default: the embedded one)")
	f.StringVar(&o.user, "registry-user", "", "user name for --registry; the password is SHIPLOCK_REGISTRY_PASSWORD")
	f.StringVar(&o.auth, "registry-auth", "", "file of logins for --registry, as docker login writes it; a login may be for one repository (host/path)")
	f.StringVar(&o.ca, "registry-ca", "", "file of certificates (PEM) that --registry's may be signed by, beside the system's")
	f.BoolVar(&o.plainHTTP, "registry-plain-http", false, "speak plain HTTP to --registry; only for tests, on loopback or a private address")
	f.BoolVar(&o.shared, "registry-shared-credential", false, "give builds the one login of --registry when it has no token service: any build can then write any image")
}

func (o *registryOptions) environment(get func(string) string) {
	o.user = cmp.Or(o.user, get("SHIPLOCK_REGISTRY_USER"))
	o.password = get("SHIPLOCK_REGISTRY_PASSWORD")
}

func (o registryOptions) external() bool { return o.address != "" }

// registryAddress is host[:port][/path], the path in the words of repositories.
var registryAddress = regexp.MustCompile(`^[a-zA-Z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)

func (o *registryOptions) check() error {
	o.address = strings.TrimSuffix(o.address, "/")
	switch {
	case !o.external():
		if o.user+o.auth+o.ca != "" || o.plainHTTP || o.shared {
			return delivery.E(delivery.Invalid, "--registry-user, --registry-auth and the like are for a registry: name it with --registry")
		}
		return nil
	case !registryAddress.MatchString(o.address):
		return delivery.E(delivery.Invalid, fmt.Sprintf("--registry %q is not host[:port][/path], such as registry.example.com/apps", o.address))
	case o.plainHTTP && !private(o.host()):
		return delivery.E(delivery.Invalid, "--registry-plain-http is for loopback and private addresses only, and "+o.host()+" is neither: give the registry a certificate")
	case o.user == "" && o.password != "":
		return errHalfLogin()
	}
	_, err := o.endpoint()
	return err
}

// checkLogin is for when secrets are known.
func (o *registryOptions) checkLogin() error {
	if o.external() && (o.user == "") != (o.password == "") {
		return errHalfLogin()
	}
	return nil
}

func errHalfLogin() error {
	return delivery.E(delivery.Invalid, "--registry-user and SHIPLOCK_REGISTRY_PASSWORD belong together: give both, or neither")
}

func (o registryOptions) host() string {
	host, _, _ := strings.Cut(o.address, "/")
	return host
}

// private tells whether a host is this machine or in a private network, by its address.
func private(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate())
}

// endpoint reads the files.
func (o registryOptions) endpoint() (endpoint, error) {
	e := endpoint{Registry: o.address, PlainHTTP: o.plainHTTP, Logins: image.Keys{}}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return e, delivery.Wrap(delivery.Invalid, "the file of --registry-ca cannot be read", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			return e, delivery.E(delivery.Invalid, o.ca+" of --registry-ca has no certificate in PEM")
		}
		e.CA = string(pem)
	}
	if o.auth != "" {
		text, err := os.ReadFile(o.auth)
		if err == nil {
			e.Logins, err = image.ParseKeys(text)
		}
		if err != nil {
			return e, delivery.Wrap(delivery.Invalid, "the file of --registry-auth cannot be used", err)
		}
	}
	if o.user != "" {
		e.Logins[o.host()] = image.Login{Username: o.user, Password: o.password}
	}
	return e, nil
}

// served is the registry that this server serves, if any.
func (in *instance) served() http.Handler {
	if in.opts.registry.external() {
		return nil
	}
	return in.registry
}

// pushes opens an external registry for runners.
func (in *instance) pushes(e endpoint) engine.Pushes {
	if !in.opts.registry.external() {
		return nil
	}
	return pushes{in.images, e, in.opts.registry.shared}
}

// seedWait is how long a registry that is away holds up the start of an engine.
const seedWait = 5 * time.Second

// seedBeside seeds an external registry, and waits for that for a while: it may be away,
// and have everything from before.
func (in *instance) seedBeside(ctx context.Context, g *errgroup.Group) {
	seeded := make(chan struct{})
	g.Go(func() error {
		defer close(seeded)
		return in.seedOutside(ctx)
	})
	limit := time.NewTimer(seedWait)
	defer limit.Stop()
	select {
	case <-seeded:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// seedOutside seeds an external registry, and says early that it will refuse builds,
// which they would say one by one.
func (in *instance) seedOutside(ctx context.Context) error {
	in.seed(ctx)
	e, err := readEndpoint(in.opts.data)
	if err != nil {
		return err
	}
	for key := range e.Logins {
		if strings.HasPrefix(key, e.Registry+"/") {
			return nil // some apps have logins of their own
		}
	}
	if _, err := in.pushes(e).Open(ctx, ownRepositories+"base", nil); delivery.KindOf(err) == delivery.Denied {
		in.log.Error("builds cannot push", "err", err)
	}
	return nil
}

// pushes gives a runner what opens its own app's repository, and no other.
type pushes struct {
	client *image.Client
	endpoint
	shared bool
}

func (p pushes) Open(ctx context.Context, repository string, of []string) (api.PushLogin, error) {
	repo := p.Registry + "/" + repository
	token, err := p.client.PushToken(ctx, repo, of...)
	if !errors.Is(err, image.ErrNoTokens) {
		return api.PushLogin{Token: token}, err
	}
	key, l := p.Logins.For(repo)
	if key != repo && !p.shared {
		return api.PushLogin{}, delivery.E(delivery.Denied, fmt.Sprintf("the registry %s gives no tokens for one repository, and its login would let a build write any image: add a login for %s alone to the file of --registry-auth, or accept that with --registry-shared-credential", p.Registry, repo))
	}
	return api.PushLogin{Username: l.Username, Password: l.Password}, nil
}
