package client

import (
	"context"
	"net/url"

	"github.com/shiplock/shiplock/internal/api"
)

// Windows lists the windows.
func (c *Client) Windows(ctx context.Context, _ Filter) (api.Page[api.Window], error) {
	return fetch[api.Page[api.Window]](ctx, c, path("windows"))
}

// Calendars lists the calendars.
func (c *Client) Calendars(ctx context.Context, _ Filter) (api.Page[api.Calendar], error) {
	return fetch[api.Page[api.Calendar]](ctx, c, path("calendars"))
}

// CheckWindow tells whether something may begin; with an empty at, now.
func (c *Client) CheckWindow(ctx context.Context, app, env, at, action string) (api.WindowCheck, error) {
	return fetch[api.WindowCheck](ctx, c, path("targets", app, env, "window")+query("at", at, "action", action))
}

// WindowMonth tells it day by day of a month.
func (c *Client) WindowMonth(ctx context.Context, month, env, app, action, zone string) (api.WindowMonth, error) {
	return fetch[api.WindowMonth](ctx, c, path("windows", "month")+query("month", month, "env", env, "app", app, "action", action, "zone", zone))
}

// query joins names and values, leaving out what is empty.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return "?" + q.Encode()
}
