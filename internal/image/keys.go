package image

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Keys are logins by registry host, or by host/path for the repositories at and below
// a path, as of containers-auth.json(5).
type Keys map[string]Login

// ParseKeys reads the file in which `docker login` and others keep logins.
func ParseKeys(text []byte) (Keys, error) {
	var file struct {
		Auths map[string]struct {
			Auth, Username, Password, IdentityToken string
		} `json:"auths"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "it is not JSON with auths by host, as docker login writes it", err)
	}
	keys := Keys{}
	for key, a := range file.Auths {
		l := Login{Username: a.Username, Password: a.Password, Identity: a.IdentityToken}
		if a.Auth != "" {
			plain, err := base64.StdEncoding.DecodeString(strings.TrimRight(a.Auth, "\x00"))
			user, password, ok := strings.Cut(string(plain), ":")
			if err != nil || !ok {
				return nil, delivery.E(delivery.Invalid, fmt.Sprintf("the auth of %s is not user:password in base64", key))
			}
			l.Username, l.Password = user, password
		}
		if l == (Login{}) {
			return nil, delivery.E(delivery.Invalid, fmt.Sprintf("there is no login for %s: a credential helper keeps it, which a server cannot ask; write its auth into the file", key))
		}
		host := keyOf(key)
		if host == "" {
			return nil, delivery.E(delivery.Invalid, fmt.Sprintf("%q under auths names no registry: write its host, or host/path", key))
		}
		keys[host] = l
	}
	return keys, nil
}

// keyOf takes from a key what some tools write around the host.
func keyOf(key string) string {
	if _, rest, ok := strings.Cut(key, "://"); ok {
		key, _, _ = strings.Cut(rest, "/") // with the path of its API
	}
	return hub(strings.TrimSuffix(key, "/"))
}

// hub gives the one registry with two names the name that its protocol knows.
func hub(key string) string {
	if host, path, _ := strings.Cut(key, "/"); host == "docker.io" {
		return strings.TrimSuffix("index.docker.io/"+path, "/")
	}
	return key
}

// For returns the login for a repository (host/name), and the key that it has: the most
// specific one, or "" when there is none.
func (k Keys) For(repository string) (key string, l Login) {
	for key := hub(repository); ; {
		if l, ok := k[key]; ok {
			return key, l
		}
		i := strings.LastIndexByte(key, '/')
		if i < 0 {
			return "", Login{}
		}
		key = key[:i]
	}
}

// Login is For, as a Registry asks for it.
func (k Keys) Login(_ context.Context, repository string) (Login, error) {
	_, l := k.For(repository)
	return l, nil
}
