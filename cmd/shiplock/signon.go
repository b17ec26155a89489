package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shiplock/shiplock/internal/auth/oidc"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/server"
)

// signOnOptions are of the identity provider that people sign in at.
type signOnOptions struct {
	issuer, clientID, secretFile string
	scopes, domains              []string
	usernameClaim, groupsClaim   string
	name                         string
}

func (o *signOnOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.issuer, "oidc-issuer", "", "identity provider (OpenID Connect) that people may sign in at, such as https://id.example.com")
	f.StringVar(&o.clientID, "oidc-client-id", "", "what --oidc-issuer knows Shiplock by; its redirect URL there is --url with /login/oidc/callback")
	f.StringVar(&o.secretFile, "oidc-client-secret-file", "", "file with the secret of --oidc-client-id; a public client has none")
	f.StringSliceVar(&o.scopes, "oidc-scopes", []string{"openid", "profile", "email", "groups"}, "scopes to ask for")
	f.StringVar(&o.usernameClaim, "oidc-username-claim", "preferred_username", "claim that names a user at the first log-in")
	f.StringVar(&o.groupsClaim, "oidc-groups-claim", "groups", "claim with a user's groups; a dot leads into an object, as in realm_access.roles")
	f.StringSliceVar(&o.domains, "oidc-allowed-domain", nil, "only people with a verified e-mail address of this domain may sign in; may be repeated")
	f.StringVar(&o.name, "oidc-name", "", "what the log-in page calls the identity provider (default: its host)")
}

func (o signOnOptions) check() error {
	if o.issuer == "" {
		if o.clientID+o.secretFile+o.name != "" || len(o.domains) > 0 {
			return delivery.E(delivery.Invalid, "--oidc-client-id and the like are for an identity provider: name it with --oidc-issuer")
		}
		return nil
	}
	u, err := url.Parse(o.issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return delivery.E(delivery.Invalid, fmt.Sprintf("--oidc-issuer %q is no URL such as https://id.example.com", o.issuer))
	case u.Scheme != "https" && !(u.Scheme == "http" && loopbackHost(u.Hostname())):
		return delivery.E(delivery.Invalid, fmt.Sprintf("--oidc-issuer %s has to begin with https://: over plain HTTP anybody on the way could sign in as anybody", o.issuer))
	case o.clientID == "":
		return delivery.E(delivery.Invalid, "--oidc-issuer needs --oidc-client-id: register Shiplock at the identity provider")
	case o.usernameClaim == "" || o.groupsClaim == "":
		return delivery.E(delivery.Invalid, "--oidc-username-claim and --oidc-groups-claim name a claim each")
	}
	return nil
}

func loopbackHost(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// signOn is the identity provider as the server asks it; nil without one.
func (in *instance) signOn(ctx context.Context) (server.SignOn, string, error) {
	o := in.opts.signOn
	if o.issuer == "" {
		return nil, "", nil
	}
	var secret []byte
	var err error
	if o.secretFile != "" {
		if secret, err = os.ReadFile(o.secretFile); err != nil {
			return nil, "", delivery.Wrap(delivery.Invalid, "the file of --oidc-client-secret-file cannot be read", err)
		}
	}
	key, err := in.secret(ctx, "signon.secret")
	if err != nil {
		return nil, "", err
	}
	provider, err := oidc.New(oidc.Config{
		Issuer: o.issuer, ClientID: o.clientID, ClientSecret: strings.TrimSpace(string(secret)),
		RedirectURL: in.url + server.SignOnPath, Scopes: o.scopes,
		UsernameClaim: o.usernameClaim, GroupsClaim: o.groupsClaim, Domains: o.domains,
		Key: []byte(key), Now: time.Now,
	})
	name := o.name
	if u, err := url.Parse(o.issuer); err == nil && name == "" {
		name = u.Host
	}
	return provider, name, err
}
