package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
)

// errGone means that the attempt is fenced: another one has taken its place.
var errGone = errors.New("the attempt is no longer the job's current one")

// refusal is an answer that will not change.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the server answers %d: %s", r.status, r.message)
}

// trouble is an answer that may be another one later.
type trouble struct {
	status  int
	message string
}

func (t *trouble) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("the server answers %d: %s", t.status, t.message), ": ")
}

// final tells whether asking again is of no use.
func final(err error) bool {
	var r *refusal
	return errors.Is(err, errGone) || errors.As(err, &r)
}

const (
	requestLimit = 30 * time.Second
	maxAnswer    = 16 << 20
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// client speaks the runner protocol; see package api.
type client struct {
	server, attempt, token string
	http                   *http.Client
}

func newClient(server, attempt, token string) *client {
	// No proxy and no HTTP/2: the server is near, and its two streams have a
	// connection each.
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 2,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
	return &client{server: strings.TrimRight(server, "/"), attempt: attempt, token: token, http: &http.Client{Transport: t}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

func (c *client) claim(ctx context.Context, code, version string) (a api.Assignment, err error) {
	err = c.post(ctx, api.RunnerClaimPath, mustJSON(api.Claim{
		Protocols: []int{api.RunnerProtocol}, Attempt: c.attempt, Code: code, Token: c.token, Version: version,
	}), &a)
	return a, err
}

func (c *client) refine(ctx context.Context, source api.Source) (r api.Refined, err error) {
	err = c.post(ctx, api.RunnerPlanPath, mustJSON(source), &r)
	return r, err
}

func (c *client) push(ctx context.Context) (l api.PushLogin, err error) {
	err = c.post(ctx, api.RunnerPushPath, mustJSON(api.PushAsk{}), &l)
	return l, err
}

func (c *client) reports(ctx context.Context, list []api.Report) (ack api.ReportsAck, err error) {
	err = c.post(ctx, api.RunnerReportsPath, mustJSON(api.Reports{Reports: list}), &ack)
	return ack, err
}

// log sends an encoded api.LogBatch.
func (c *client) log(ctx context.Context, batch []byte) (ack api.LogAck, err error) {
	err = c.post(ctx, api.RunnerLogPath, batch, &ack)
	return ack, err
}

func (c *client) post(ctx context.Context, path string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	target := c.server + strings.Replace(path, "{key}", url.PathEscape(c.attempt), 1)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if err := judge(res.StatusCode, data); err != nil {
		return err
	}
	return json.Unmarshal(data, answer)
}

func judge(status int, body []byte) error {
	var p api.Problem
	switch {
	case status < 300:
		return nil
	case status == http.StatusGone:
		return errGone
	}
	_ = json.Unmarshal(body, &p) // without one, the status must do
	if status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests {
		return &trouble{status, p.Message}
	}
	return &refusal{status, p.Message}
}

// retry asks the server until it answers, its error is final, or ctx ends.
func retry(ctx context.Context, try func(context.Context) error) error {
	return retryUnless(ctx, final, try)
}

// retryUnless calls try until it succeeds, its error is final, or ctx ends.
func retryUnless(ctx context.Context, final func(error) bool, try func(context.Context) error) error {
	pause := firstPause
	for {
		err := try(ctx)
		if err == nil || final(err) {
			return err
		}
		if !sleep(ctx, jitter(pause)) {
			return errors.Join(context.Cause(ctx), err)
		}
		pause = min(2*pause, longestPause)
	}
}

// jitter keeps many runners from coming back at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// sleep returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("runner: value cannot be encoded: " + err.Error()) // our own plain types only
	}
	return b
}
