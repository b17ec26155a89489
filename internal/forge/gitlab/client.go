package gitlab

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config of a Client.
type Config struct {
	// URL is GitLab's address, with its relative root if it has one.
	URL string
	// Token is a personal, group or project access token with the scope api.
	Token string
	// Timeout bounds one call; 0 means 10 seconds.
	Timeout time.Duration
}

// Client calls one GitLab. It is safe for concurrent use.
type Client struct {
	api   string
	token string
	http  *http.Client
}

// NewClient checks the configuration; nothing is called yet.
func NewClient(c Config) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, delivery.E(delivery.Invalid, "GitLab's URL must be like https://gitlab.example.com")
	}
	if c.Token == "" || printable(c.Token) != c.Token {
		return nil, delivery.E(delivery.Invalid, "GitLab's access token is empty or has a line break; give a token with the scope api")
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 8
	return &Client{
		api:   strings.TrimSuffix(c.URL, "/") + "/api/v4",
		token: c.Token,
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
