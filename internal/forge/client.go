package forge

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

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config of a Client.
type Config struct {
	// Forge is the forge's name for people, e.g. "GitLab".
	Forge string
	// URL is the forge's address, with its relative root if it has one; API is the
	// path of its API below that.
	URL, API string
	// Token opens the API. Scheme is what stands before it in Authorization.
	Token, Scheme string
	// TokenHeader carries the token instead of Authorization.
	TokenHeader string
	// Accept is the form of answers asked for; empty is any.
	Accept string
	// Needs says what the token must be allowed to do.
	Needs string
	// Timeout bounds one call; 0 means 10 seconds.
	Timeout time.Duration
}

// Client posts to one forge's API. It is safe for concurrent use.
type Client struct {
	Config
	api  string
	http *http.Client
}

// NewClient checks the configuration; nothing is called yet.
func NewClient(c Config) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, delivery.E(delivery.Invalid, c.Forge+"'s URL must be like https://git.example.com")
	}
	if c.Token == "" || Printable(c.Token) != c.Token {
		return nil, delivery.E(delivery.Invalid, c.Forge+"'s access token is empty or has a line break; give a token with "+c.Needs)
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 8
	return &Client{
		Config: c,
		api:    strings.TrimSuffix(c.URL, "/") + c.API,
		http: &http.Client{
			Transport: transport,
			Timeout:   c.Timeout,
			// A redirect would turn the POST into a GET and take the token elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// Refusal is an answer other than 2xx; it is in the chain of Post's error.
type Refusal struct {
	Code   int
	Header http.Header
	Body   []byte
	status string
}

func (r *Refusal) Error() string {
	return r.status + ": " + Clip(Printable(string(r.Body)), MaxText)
}

// Post sends body as JSON to a path below the API, whose segments are escaped.
//
// Errors are Unavailable (a rate limit, the forge down: call again, and not before
// RetryAfter() when an error in the chain has that method), Denied, NotFound, or
// Invalid.
func (c *Client) Post(ctx context.Context, path string, body any) error {
	req, err := c.request(ctx, path, body)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return fmt.Errorf("call %s: %w", c.Forge, cause)
		}
		return delivery.Wrap(delivery.Unavailable, c.Forge+" did not answer; try again later", err)
	}
	defer res.Body.Close()
	// Reading to the end keeps the connection for the next call.
	said, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode/100 == 2 {
		return nil
	}
	return c.classify(&Refusal{Code: res.StatusCode, Header: res.Header, Body: said, status: res.Status})
}

func (c *Client) request(ctx context.Context, path string, body any) (*http.Request, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode a call to %s: %w", c.Forge, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api+path, bytes.NewReader(data))
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, c.Forge+"'s URL cannot be used", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Accept != "" {
		req.Header.Set("Accept", c.Accept)
	}
	if c.TokenHeader != "" {
		req.Header.Set(c.TokenHeader, c.Token)
	} else {
		req.Header.Set("Authorization", c.Scheme+" "+c.Token)
	}
	return req, nil
}

func (c *Client) classify(r *Refusal) error {
	switch {
	case r.Code == http.StatusConflict:
		return delivery.Wrap(delivery.Unavailable, c.Forge+" is changing the same thing; try again", r)
	case limited(r) || r.Code >= 500:
		return delivery.Wrap(delivery.Unavailable, c.Forge+" is busy or down; try again later", later(r.Header, r))
	case r.Code == http.StatusUnauthorized || r.Code == http.StatusForbidden:
		return delivery.Wrap(delivery.Denied, c.Forge+" refused the access token; it needs "+c.Needs, r)
	case r.Code == http.StatusNotFound:
		return delivery.Wrap(delivery.NotFound, c.Forge+" has no such repository or commit, or the access token may not see it", r)
	case r.Code/100 == 3:
		return delivery.Wrap(delivery.Invalid, c.Forge+"'s URL redirects to "+Line(r.Header.Get("Location"))+"; configure the final URL", r)
	}
	return delivery.Wrap(delivery.Invalid, c.Forge+" refused the request", r)
}

// limited tells a rate limit: 429, or GitHub's 403 with its own signs.
func limited(r *Refusal) bool {
	return r.Code == http.StatusTooManyRequests ||
		r.Code == http.StatusForbidden && (r.Header.Get("Retry-After") != "" || r.Header.Get("X-Ratelimit-Remaining") == "0")
}

// RefusalOf finds the answer in an error of Post; nil when there was none.
func RefusalOf(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
