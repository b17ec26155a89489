package image

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/shiplock/shiplock/internal/delivery"
)

// ErrNoTokens says that a registry has no token service: it takes passwords, or
// everybody.
var ErrNoTokens = errors.New("the registry has no token service")

// PushToken trades the registry's login for a token that is good for a while, for
// pushing to one repository, and for reading from others of the same registry. What the
// user may not do the token may not either. It is ErrNoTokens where there are none,
// Denied when the login is refused, and Unavailable when nobody answers.
func (c *Client) PushToken(ctx context.Context, repository string, read ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	repo, err := name.NewRepository(repository)
	if err != nil {
		return "", delivery.Wrap(delivery.Invalid, fmt.Sprintf("destination %q is not a repository; write host/name or host/name:tag", repository), err)
	}
	scopes := []string{repo.Scope(transport.PushScope)}
	for _, r := range read {
		if from, err := name.ParseReference(r); err == nil && from.Context().RegistryStr() == repo.RegistryStr() && from.Context() != repo {
			scopes = append(scopes, from.Context().Scope(transport.PullScope))
		}
	}
	token, err := c.token(ctx, repo, scopes)
	if err != nil && !errors.Is(err, ErrNoTokens) {
		err = registryError("log in to push to", toPush, repo, err)
	}
	return token, err
}

func (c *Client) token(ctx context.Context, repo name.Repository, scopes []string) (string, error) {
	challenge, err := transport.Ping(ctx, repo.Registry, c.transport)
	if err != nil {
		return "", err
	}
	if !strings.EqualFold(challenge.Scheme, "bearer") {
		return "", ErrNoTokens
	}
	login, err := authn.Resolve(ctx, c.keys, repo)
	if err != nil {
		return "", err
	}
	t, err := transport.Exchange(ctx, repo.Registry, login, c.transport, scopes, challenge)
	if err != nil {
		return "", err
	}
	if t.AccessToken != "" {
		return t.AccessToken, nil
	}
	return t.Token, nil
}
