package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// AppLogQuery says which lines of an app, and from where.
type AppLogQuery struct {
	// Since is how far back to begin, such as 10m.
	Since string
	// Tail is how many lines of each instance; 0 is the server's default.
	Tail             int
	Previous, Follow bool
}

func (q AppLogQuery) encode() string {
	v := url.Values{}
	if q.Since != "" {
		v.Set("since", q.Since)
	}
	if q.Tail > 0 {
		v.Set("tail", strconv.Itoa(q.Tail))
	}
	if q.Previous {
		v.Set("previous", "true")
	}
	if q.Follow {
		v.Set("follow", "true")
	}
	return "?" + v.Encode()
}

// AppLog calls handle with what an app prints. A log that breaks off is not opened again:
// lines would be lost, or come twice. It is ErrUnreachable then.
func (c *Client) AppLog(ctx context.Context, app, env string, q AppLogQuery, handle func([]api.AppLine) error) error {
	over := false
	err := c.connect(ctx, path("targets", app, env, "logs", "stream")+q.encode(), "", func(e event) error {
		switch e.name {
		case api.EventLines:
			var lines []api.AppLine
			if err := json.Unmarshal(e.data, &lines); err != nil {
				return fmt.Errorf("read the lines of an app: %w", err)
			}
			return handle(lines)
		case api.EventEnd:
			var end api.AppLogEnd
			if err := json.Unmarshal(e.data, &end); err != nil {
				return fmt.Errorf("read the end of an app's log: %w", err)
			}
			if over = true; end.Problem != "" {
				return delivery.E(delivery.Unavailable, end.Problem)
			}
			return errDone
		}
		return nil
	})
	switch {
	case over && errors.Is(err, errDone):
		return nil
	case err == nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		return fmt.Errorf("%w any more: the log broke off; go on with --since 10s", ErrUnreachable)
	}
	return err
}
