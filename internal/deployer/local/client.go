package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	callLimit = 10 * time.Second
	// stopLimit covers draining, the grace after SIGTERM, and some air.
	stopLimit   = 60 * time.Second
	answerLimit = 8 << 20 // bytes
)

// Client speaks to one supervisor. Its methods return delivery errors;
// Unavailable means that the supervisor does not answer and Ensure is due.
type Client struct {
	http *http.Client
	dir  string
}

// NewClient returns a client of the supervisor of a data directory, running or not.
func NewClient(dir string) (*Client, error) {
	socket, err := SocketPath(dir)
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{dir: dir, http: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}}}, nil
}

// Close drops idle connections; the supervisor runs on.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ping asks the supervisor who it is.
func (c *Client) Ping(ctx context.Context) (Info, error) {
	var info Info
	return info, c.call(ctx, callLimit, http.MethodGet, "/ping", nil, &info)
}

// Apply makes w the wish of its Target and returns once it is on disk and the
// proxy splits new requests by it. Conflict: a higher generation, or other
// content under the same one, is held already.
func (c *Client) Apply(ctx context.Context, w Wish) (Observation, error) {
	var o Observation
	return o, c.call(ctx, callLimit, http.MethodPut, "/targets/"+w.Key, w, &o)
}

// Observe returns what is true of one Target, or NotFound.
func (c *Client) Observe(ctx context.Context, key string) (Observation, error) {
	var o Observation
	return o, c.call(ctx, callLimit, http.MethodGet, "/targets/"+key, nil, &o)
}

// List returns every Target, ordered by key.
func (c *Client) List(ctx context.Context) ([]Observation, error) {
	var all []Observation
	return all, c.call(ctx, callLimit, http.MethodGet, "/targets", nil, &all)
}

// Watch waits until a Target differs from what it was at version since, and
// returns the Targets that do. Start with 0; without news it returns empty
// Changes after half a minute. A dying supervisor ends it at once with
// Unavailable. Counters of requests alone are no change.
func (c *Client) Watch(ctx context.Context, since int64) (Changes, error) {
	var ch Changes
	return ch, c.call(ctx, stopLimit, http.MethodGet, "/watch?since="+strconv.FormatInt(since, 10), nil, &ch)
}

// Remove drains and stops every instance of a Target and forgets it, the fence
// and the port included. To keep those, apply a wish without versions.
func (c *Client) Remove(ctx context.Context, key string) error {
	return c.call(ctx, stopLimit, http.MethodDelete, "/targets/"+key, nil, nil)
}

// Shutdown drains and stops every instance, then the supervisor itself, and returns
// when it has ended. Wishes stay on disk: the next supervisor of the directory
// starts them again.
func (c *Client) Shutdown(ctx context.Context) error {
	if err := c.call(ctx, stopLimit, http.MethodPost, "/shutdown", nil, nil); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return c.ended(ctx)
}

// ended waits until no process holds the directory.
func (c *Client) ended(ctx context.Context) error {
	lock, err := os.Open(filepath.Join(c.dir, LockFile))
	if err != nil {
		return fmt.Errorf("look at the supervisor's lock: %w", err)
	}
	defer func() { _ = lock.Close() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return delivery.E(delivery.Unavailable, "the supervisor was told to end, and does not")
		case <-tick.C:
		}
	}
}

// Logs returns the last n lines of a version's output and, when follow is set,
// what comes after them until ctx ends. The caller closes it.
func (c *Client) Logs(ctx context.Context, key, version string, n int, follow bool) (io.ReadCloser, error) {
	q := url.Values{"n": {strconv.Itoa(n)}}
	if follow {
		q.Set("follow", "1")
	}
	res, err := c.send(ctx, http.MethodGet, "/targets/"+key+"/logs/"+url.PathEscape(version)+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

func (c *Client) call(ctx context.Context, limit time.Duration, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, answerLimit)).Decode(out); err != nil {
		return unavailable(err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", path, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, body)
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "ask the supervisor for "+path, err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, unavailable(err)
	}
	if res.StatusCode/100 != 2 {
		defer res.Body.Close()
		return nil, decodeError(res)
	}
	return res, nil
}

// unavailable hides neither a cancelled caller nor the technical cause.
func unavailable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return delivery.Wrap(delivery.Unavailable, "the supervisor of local apps does not answer", err)
}
