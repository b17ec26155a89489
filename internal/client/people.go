package client

import (
	"context"
	"net/url"

	"github.com/shiplock/shiplock/internal/api"
)

// LogIn shows a password, and gets a token.
func (c *Client) LogIn(ctx context.Context, in api.LogIn) (api.LoggedIn, error) {
	return submit[api.LoggedIn](ctx, c, path("login"), in)
}

// LogOut ends the client's token.
func (c *Client) LogOut(ctx context.Context) error {
	return c.post(ctx, path("logout"), nil, nil)
}

// Users lists who may sign in.
func (c *Client) Users(ctx context.Context) (api.Page[api.User], error) {
	return fetch[api.Page[api.User]](ctx, c, path("users"))
}

func (c *Client) AddUser(ctx context.Context, in api.AddUser) (api.UserPassword, error) {
	return submit[api.UserPassword](ctx, c, path("users"), in)
}

func (c *Client) ChangeUser(ctx context.Context, name string, in api.ChangeUser) (api.User, error) {
	return submit[api.User](ctx, c, path("users", name), in)
}

// ResetPassword returns a password for one log-in.
func (c *Client) ResetPassword(ctx context.Context, name string) (api.UserPassword, error) {
	return submit[api.UserPassword](ctx, c, path("users", name, "reset-password"), nil)
}

// Sessions lists what a user is signed in with.
func (c *Client) Sessions(ctx context.Context, user string) (api.Page[api.Token], error) {
	return fetch[api.Page[api.Token]](ctx, c, path("users", user, "sessions"))
}

// RevokeSessions signs a user out everywhere.
func (c *Client) RevokeSessions(ctx context.Context, user string) error {
	return c.post(ctx, path("users", user, "sessions", "revoke"), nil, nil)
}

// Tokens lists the API tokens of a user; "" is one's own, "*" everybody's.
func (c *Client) Tokens(ctx context.Context, user string) (api.Page[api.Token], error) {
	return fetch[api.Page[api.Token]](ctx, c, path("tokens")+"?for="+url.QueryEscape(user))
}

func (c *Client) CreateToken(ctx context.Context, in api.CreateToken) (api.NewToken, error) {
	return submit[api.NewToken](ctx, c, path("tokens"), in)
}

func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.post(ctx, path("tokens", id, "revoke"), nil, nil)
}
