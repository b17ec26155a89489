package oidc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config is what a Provider needs.
type Config struct {
	// Issuer is the provider's URL, as its ID tokens say it.
	Issuer                 string
	ClientID, ClientSecret string
	// RedirectURL is where the provider sends people back to.
	RedirectURL string
	Scopes      []string
	// UsernameClaim and GroupsClaim name claims; a dot leads into an object, as in
	// "realm_access.roles".
	UsernameClaim, GroupsClaim string
	// Domains are those of e-mail addresses that may sign in; none is all.
	Domains []string
	// Key seals what a browser keeps of a log-in under way.
	Key []byte
	Now func() time.Time
}

// Limits of what is asked of the provider.
const (
	answerTimeout = 10 * time.Second
	maxAnswer     = 1 << 20
	// pause is between two attempts to find a provider that does not answer.
	pause = 5 * time.Second
)

// Provider signs people in. It looks for the identity provider when somebody logs in
// first, so that the server starts without it.
type Provider struct {
	cfg    Config
	sealer sealer
	spent  spent
	client *http.Client

	mu     sync.Mutex
	found  *found
	failed error
	again  time.Time
}

// found is the provider as it describes itself.
type found struct {
	*goidc.Provider
	// namesItself promises the parameter iss in answers (RFC 9207).
	namesItself bool
}

// New returns a Provider.
func New(cfg Config) (*Provider, error) {
	s, err := newSealer(cfg.Key)
	return &Provider{
		cfg: cfg, sealer: s, spent: spent{till: map[[32]byte]time.Time{}},
		client: &http.Client{
			Timeout: answerTimeout, Transport: bounded{http.DefaultTransport},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return errors.New("the identity provider sends the server elsewhere, which is not followed")
			},
		},
	}, err
}

// find asks the provider to describe itself, once.
func (p *Provider) find(ctx context.Context) (*found, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.failed != nil && p.cfg.Now().Before(p.again) {
		return nil, p.failed
	}
	// Keys are fetched later too, so this outlives the request; the client has limits.
	lasting := goidc.ClientContext(context.WithoutCancel(ctx), p.client)
	provider, err := goidc.NewProvider(lasting, p.cfg.Issuer)
	var said struct {
		NamesItself bool `json:"authorization_response_iss_parameter_supported"`
	}
	if err == nil {
		err = provider.Claims(&said)
	}
	if err != nil {
		p.failed = delivery.Wrap(delivery.Unavailable, "the identity provider "+p.cfg.Issuer+" does not answer: log in with a token, or try again", err)
		p.again = p.cfg.Now().Add(pause)
		return nil, p.failed
	}
	p.found = &found{provider, said.NamesItself}
	return p.found, nil
}

func (p *Provider) oauth(f *found) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: f.Endpoint(), RedirectURL: p.cfg.RedirectURL,
		Scopes: append([]string{goidc.ScopeOpenID}, slices.DeleteFunc(slices.Clone(p.cfg.Scopes), func(s string) bool { return s == goidc.ScopeOpenID })...),
	}
}

// Begin returns where to send a browser, and what it keeps in a cookie meanwhile. next
// is where a log-in leads.
func (p *Provider) Begin(ctx context.Context, next string) (to, cookie string, err error) {
	found, err := p.find(ctx)
	if err != nil {
		return "", "", err
	}
	f := flow{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Issuer: p.cfg.Issuer, Next: next, Expires: p.cfg.Now().Add(FlowLife),
	}
	cookie, err = p.sealer.seal(f)
	return p.oauth(found).AuthCodeURL(f.State, goidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), cookie, err
}

// Finish takes the provider's answer, which the browser brings with its cookie, and
// returns who signed in and where that leads. Denied when anything does not fit.
func (p *Provider) Finish(ctx context.Context, cookie string, answer url.Values) (c delivery.Claims, next string, err error) {
	f, err := p.sealer.open(cookie)
	if err == nil {
		err = f.check(p.cfg.Now(), p.cfg.Issuer, answer.Get("state"))
	}
	if err != nil {
		return c, "", err
	}
	found, err := p.find(ctx)
	if err != nil {
		return c, "", err
	}
	if err := p.sentBy(found, answer); err != nil {
		return c, "", err
	}
	if !p.spent.spend(f, p.cfg.Now()) {
		return c, "", errStrange
	}
	if refused := answer.Get("error"); refused != "" {
		return c, "", delivery.E(delivery.Denied, fmt.Sprintf("the identity provider refused the log-in (%.60q): ask whoever runs it", refused))
	}
	ctx = goidc.ClientContext(ctx, p.client)
	token, err := p.oauth(found).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return c, "", refusal(err)
	}
	c, err = p.read(ctx, found, token, f.Nonce)
	return c, f.Next, err
}

// sentBy refuses the answer of another provider, to which an attacker may have turned
// the log-in (RFC 9207).
func (p *Provider) sentBy(f *found, answer url.Values) error {
	if by := answer["iss"]; len(by) > 0 || f.namesItself {
		if len(by) != 1 || by[0] != p.cfg.Issuer {
			return delivery.E(delivery.Denied, "the answer is not of the identity provider that was asked: begin again, and tell whoever runs Shiplock")
		}
	}
	return nil
}

// refusal says why a code was not taken: by the provider's word, or since it was not to
// be had.
func refusal(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < http.StatusInternalServerError {
		return delivery.Wrap(delivery.Denied, "the identity provider does not take the log-in back: begin again", err)
	}
	return delivery.Wrap(delivery.Unavailable, "the identity provider does not answer: try again", err)
}
