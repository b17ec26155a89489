package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

const (
	requestTimeout = 45 * time.Second
	maxAnswer      = 64 << 20
	tries          = 4 // of a request that changes nothing
	firstPause     = 200 * time.Millisecond
)

// Client calls one server. It may be used concurrently.
type Client struct {
	base  string
	token string
	lang  phrase.Lang // of answers; empty is the server's own
	http  *http.Client
}

// New returns a client of the server at base, such as "http://127.0.0.1:8300".
func New(base, token string) *Client {
	return &Client{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{}}
}

// In makes the server answer in a language.
func (c *Client) In(l phrase.Lang) *Client {
	c.lang = l
	return c
}

// ErrUnreachable says that no server answered.
var ErrUnreachable = errors.New("the server does not answer")

// Error is a server's refusal. KindOf finds its kind.
type Error struct {
	Status int
	api.Failure
	// retryable says that the same request may succeed later.
	retryable bool
}

func (e *Error) Error() string { return e.Message }

// Unwrap lets delivery.KindOf see the kind.
func (e *Error) Unwrap() error {
	for k := delivery.Internal; k <= delivery.Unavailable; k++ {
		if k.String() == e.Kind {
			return delivery.E(k, e.Message)
		}
	}
	return nil
}

// get reads JSON; it is tried again while the server cannot answer.
func (c *Client) get(ctx context.Context, path string, into any) error {
	for try := 1; ; try++ {
		err := c.call(ctx, http.MethodGet, path, nil, into)
		if err == nil || try == tries || !worthAnother(err) || !sleep(ctx, firstPause<<(try-1)) {
			return err
		}
	}
}

// post sends a command once: the caller decides whether to repeat it.
func (c *Client) post(ctx context.Context, path string, body, into any) error {
	return c.call(ctx, http.MethodPost, path, body, into)
}

func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var data io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		data = bytes.NewReader(encoded)
	}
	res, err := c.send(ctx, method, path, data, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	return nil
}

// send returns a 2xx answer, or the error that another one carries.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "the server's address is not a URL: log in again with --server http://HOST:PORT", err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.lang != "" {
		req.Header.Set("Accept-Language", string(c.lang))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	switch {
	case err != nil && ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled):
		return nil, context.Cause(ctx)
	case err != nil:
		var wrapped *url.Error // repeats the address
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("%w at %s: is it running? (%w)", ErrUnreachable, c.base, err)
	case res.StatusCode/100 != 2:
		defer res.Body.Close()
		return nil, refusal(res)
	}
	return res, nil
}

func refusal(res *http.Response) error {
	e := &Error{Status: res.StatusCode}
	switch res.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		e.retryable = true
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&e.Failure); err != nil || e.Message == "" {
		e.Message = fmt.Sprintf("the server answered %s; is this Shiplock's address?", res.Status)
	}
	return e
}

func worthAnother(err error) bool {
	var e *Error
	if errors.As(err, &e) {
		return e.retryable
	}
	return errors.Is(err, ErrUnreachable)
}

// sleep waits, and is false when ctx ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
