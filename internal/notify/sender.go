package notify

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config of a Sender.
type Config struct {
	// Secret opens a secret by name. What is opened is in no error and no log.
	Secret func(ctx context.Context, name string) ([]byte, error)
	// Transport reaches vendors; nil is the usual one.
	Transport http.RoundTripper
	// PublicURL is what people reach the server by, without a trailing slash.
	PublicURL string
	// Timeout bounds one call; 0 means 10 seconds.
	Timeout time.Duration
	Now     func() time.Time
}

// Sender writes to channels. It is safe for concurrent use.
type Sender struct {
	cfg  Config
	http *http.Client
}

// New returns a Sender; nothing is called yet.
func New(c Config) *Sender {
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	return &Sender{cfg: c, http: &http.Client{
		Transport: c.Transport, Timeout: c.Timeout,
		// A redirect would take the message, and the bot's address, elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// vendor knows the ways of one.
type vendor interface {
	// name is the vendor's for people.
	name() string
	// path is what the address of every bot has in it.
	path() string
	// message returns where to post a card, and what.
	message(b bot, c card, now time.Time) (target string, body any)
	// judge reads an answer: what it says, and what that means for the message.
	judge(answer []byte) (said string, err error)
}

func vendorOf(v delivery.ChatVendor) (vendor, error) {
	switch v {
	case delivery.Feishu:
		return feishu{}, nil
	case delivery.DingTalk:
		return dingTalk{}, nil
	case delivery.WeCom:
		return weCom{}, nil
	}
	return nil, delivery.E(delivery.Invalid, fmt.Sprintf("nobody here knows the chat vendor %q: this server is older than the Channel", v))
}

// bot is how to speak as one.
type bot struct {
	url  url.URL
	sign string
}

// Send tells a channel of messages, in one when there are several.
//
// Errors: Unavailable may be tried again, and not before RetryAfter() when an error in
// the chain has that method; Denied, NotFound and Invalid never succeed as it is.
func (s *Sender) Send(ctx context.Context, c delivery.Channel, ms []delivery.Message) error {
	said := digest(c, ms)
	if len(ms) == 1 {
		said = single(c, ms[0], s.cfg.PublicURL)
	}
	_, err := s.say(ctx, c, said)
	return err
}

// Test says that somebody tries the channel, and returns what the vendor answered.
func (s *Sender) Test(ctx context.Context, c delivery.Channel, by delivery.Actor) (string, error) {
	return s.say(ctx, c, trial(c, by, s.cfg.PublicURL))
}

func (s *Sender) say(ctx context.Context, c delivery.Channel, what card) (string, error) {
	v, err := vendorOf(c.Vendor)
	if err != nil {
		return "", err
	}
	b, err := s.bot(ctx, v, c)
	if err != nil {
		return "", err
	}
	target, body := v.message(b, what, s.cfg.Now())
	answer, err := s.post(ctx, v, target, body)
	return b.hide(answer), b.hidden(err)
}

// bot opens the channel's secrets. What is missing now may be set later.
func (s *Sender) bot(ctx context.Context, v vendor, c delivery.Channel) (b bot, err error) {
	address, err := s.secret(ctx, c.URLSecret)
	if err != nil {
		return b, err
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || !strings.Contains(u.Path, v.path()) {
		return b, delivery.E(delivery.Invalid, fmt.Sprintf("the secret %s is no address of a bot of %s: copy it from the bot's settings", c.URLSecret, v.name()))
	}
	b.url = *u
	if c.SignSecret != "" {
		b.sign, err = s.secret(ctx, c.SignSecret)
	}
	return b, err
}

func (s *Sender) secret(ctx context.Context, name string) (string, error) {
	value, err := s.cfg.Secret(ctx, name)
	if delivery.KindOf(err) == delivery.NotFound {
		return "", delivery.E(delivery.Unavailable, fmt.Sprintf("there is no secret %s: set it with `shiplock secret set %s`", name, name))
	}
	return strings.TrimSpace(string(value)), err
}
