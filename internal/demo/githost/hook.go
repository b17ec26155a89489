package githost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// hook is one delivery; every repetition of it has the same header.
type hook struct {
	header http.Header
	body   []byte
}

func (h *Host) queue(p payload, base string) {
	body, err := json.Marshal(p)
	if err != nil {
		h.log.Error("payload was not encoded", "err", err)
		return
	}
	event, id := "Push Hook", uuid.NewString()
	if p.ObjectKind == "tag_push" {
		event = "Tag Push Hook"
	}
	header := http.Header{}
	for name, value := range map[string]string{
		"Content-Type":          "application/json",
		"User-Agent":            "GitLab/19.0.0",
		"X-Gitlab-Event":        event,
		"X-Gitlab-Token":        h.config.HookToken,
		"X-Gitlab-Instance":     base,
		"X-Gitlab-Webhook-UUID": h.webhookUUID,
		"X-Gitlab-Event-UUID":   uuid.NewString(),
		"Idempotency-Key":       id,
		"webhook-id":            id,
		"webhook-timestamp":     fmt.Sprint(h.config.Now().Unix()),
	} {
		header.Set(name, value)
	}
	select {
	case h.hooks <- hook{header: header, body: body}:
	default:
		h.log.Warn("hook was dropped, too many wait")
	}
}

// hookLimit is GitLab's default time limit for a receiver.
const hookLimit = 10 * time.Second

// sender delivers hooks to one receiver.
type sender struct {
	url     string
	backoff []time.Duration
	http    *http.Client
}

func newSender(c Config) *sender {
	return &sender{url: c.HookURL, backoff: c.Backoff, http: &http.Client{
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		Timeout:   hookLimit,
	}}
}

func (s *sender) close() { s.http.CloseIdleConnections() }

// deliver posts the hook until it is taken, refused for good, or given up.
func (s *sender) deliver(ctx context.Context, h hook) error {
	again, err := s.post(ctx, h)
	for _, wait := range s.backoff {
		if err == nil || !again {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		again, err = s.post(ctx, h)
	}
	return err
}

func (s *sender) post(ctx context.Context, h hook) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(h.body))
	if err != nil {
		return false, err
	}
	req.Header = h.header.Clone()
	res, err := s.http.Do(req)
	if err != nil {
		return true, err
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	if res.StatusCode/100 == 2 {
		return false, nil
	}
	again = res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests
	return again, fmt.Errorf("post hook: %s: %.200q", res.Status, said)
}
