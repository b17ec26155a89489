package client

import (
	"context"
	"net/url"
	"strconv"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// DiffTarget tells what the release that is asked for would change.
func (c *Client) DiffTarget(ctx context.Context, ask api.CreateRelease) (api.Comparison, error) {
	v := url.Values{}
	if ask.Run != 0 {
		v.Set("run", strconv.Itoa(ask.Run))
	}
	if ask.Artifact != "" {
		v.Set("artifact", string(ask.Artifact))
	}
	if ask.From != "" {
		v.Set("from", ask.From)
	}
	return fetch[api.Comparison](ctx, c, path("targets", ask.App, ask.Env, "diff")+"?"+v.Encode())
}

// DiffRelease compares a release with a later one; with "", with what it replaces.
func (c *Client) DiffRelease(ctx context.Context, id, with delivery.ReleaseID) (api.Comparison, error) {
	v := url.Values{}
	if with != "" {
		v.Set("with", string(with))
	}
	return fetch[api.Comparison](ctx, c, path("releases", string(id), "diff")+"?"+v.Encode())
}
