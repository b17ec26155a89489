package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// maxAnswer is how much of an answer is read, maxSaid how much of it is repeated.
const (
	maxAnswer = 64 << 10
	maxSaid   = 200
)

// post sends one message, and judges the answer.
func (s *Sender) post(ctx context.Context, v vendor, target string, body any) (said string, err error) {
	data, err := encode(body)
	if err != nil {
		return "", fmt.Errorf("encode a message for %s: %w", v.name(), err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(data))
	if err != nil {
		return "", delivery.E(delivery.Invalid, "the address of the bot of "+v.name()+" cannot be used: copy it from the bot's settings")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	res, err := s.http.Do(req)
	if err != nil {
		return "", delivery.Wrap(delivery.Unavailable, v.name()+" does not answer", reason(err))
	}
	defer res.Body.Close()
	// Reading to the end keeps the connection for the next call.
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return "", delivery.Wrap(delivery.Unavailable, v.name()+" does not answer", reason(err))
	}
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		return "", later(delivery.E(delivery.Unavailable, v.name()+" asks to be left alone for a while"), retryAfter(res.Header, time.Minute))
	case res.StatusCode/100 == 5:
		return "", delivery.E(delivery.Unavailable, v.name()+" is down: it answers "+res.Status)
	case res.StatusCode/100 == 3:
		return "", delivery.E(delivery.Invalid, "the address of the bot of "+v.name()+" leads elsewhere: copy it from the bot's settings")
	case res.StatusCode/100 == 4 && !json.Valid(answer):
		return "", delivery.E(delivery.Invalid, v.name()+" refuses the message: it answers "+res.Status)
	}
	return v.judge(answer)
}

// encode leaves <, > and & as they are: escaped they would count six times.
func encode(body any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(body)
	return bytes.TrimSpace(b.Bytes()), err
}

// reason is why a request failed, without its URL, which is a secret.
func reason(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		if about.Timeout() {
			return errors.New("it took too long")
		}
		return about.Err
	}
	return err
}

// deferred is an error that says when to try again.
type deferred struct {
	error
	after time.Duration
}

// RetryAfter is how long to wait, from the answer on.
func (d *deferred) RetryAfter() time.Duration { return d.after }

func (d *deferred) Unwrap() error { return d.error }

func later(err error, after time.Duration) error { return &deferred{err, after} }

// retryAfter reads how many seconds a server asks for, within reason.
func retryAfter(h http.Header, otherwise time.Duration) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds <= 0 {
		return otherwise
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

// verdict is what a code of a vendor's means.
type verdict struct {
	kind delivery.Kind
	// what says it for people, and what to do.
	what string
	// after is how long to wait before the next message.
	after time.Duration
}

// judgeCode makes an error of what a vendor answered; a code that nobody knows is a
// refusal, as trying again would hold up all others.
func judgeCode(name string, code int, msg string, known map[int]verdict) (said string, err error) {
	said = strings.TrimSpace(strconv.Itoa(code) + " " + clip(inert(msg), maxSaid))
	if code == 0 {
		return said, nil
	}
	v, ok := known[code]
	if !ok {
		v = verdict{kind: delivery.Invalid, what: name + " refuses the message"}
	}
	err = delivery.Wrap(v.kind, v.what, errors.New(said))
	if v.after > 0 {
		err = later(err, v.after)
	}
	return said, err
}

func unreadable(name string) error {
	return delivery.E(delivery.Unavailable, name+" answers what it never does: see that the address is that of a bot")
}

// hide takes the bot's address and key out of a text.
func (b bot) hide(text string) string {
	secrets := []string{b.url.String(), b.url.RequestURI(), b.sign}
	for _, values := range b.url.Query() {
		secrets = append(secrets, values...)
	}
	_, last, _ := strings.Cut(b.url.Path, "/hook/")
	for _, s := range append(secrets, last) {
		if len(s) >= 6 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}

// hidden does so with an error, whose meaning stays.
func (b bot) hidden(err error) error {
	if err == nil || b.hide(err.Error()) == err.Error() {
		return err
	}
	safe := delivery.E(delivery.KindOf(err), b.hide(err.Error()))
	var wait *deferred
	if errors.As(err, &wait) {
		return later(safe, wait.after)
	}
	return safe
}
