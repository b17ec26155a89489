package github

import (
	"context"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
)

// Config of a Client.
type Config struct {
	// URL is https://github.com, or the address of a GitHub Enterprise Server.
	URL string
	// Token may write commit statuses.
	Token string
	// Timeout bounds one call; 0 means 10 seconds.
	Timeout time.Duration
}

// Client calls one GitHub. It is safe for concurrent use.
type Client struct{ http *forge.Client }

// NewClient checks the configuration; nothing is called yet.
func NewClient(c Config) (*Client, error) {
	url, api := c.URL, "/api/v3"
	if strings.TrimSuffix(url, "/") == "https://github.com" {
		url, api = "https://api.github.com", ""
	}
	client, err := forge.NewClient(forge.Config{
		Forge: "GitHub", URL: url, API: api, Token: c.Token, Scheme: "Bearer", Timeout: c.Timeout,
		Accept: "application/vnd.github+json",
		Needs:  "the permission to write commit statuses (scope repo:status)",
	})
	return &Client{client}, err
}

// Close drops idle connections.
func (c *Client) Close() { c.http.Close() }

// maxDescription is GitHub's limit in runes.
const maxDescription = 140

// states are GitHub's words: it has none for running or canceled.
var states = map[delivery.CommitState]string{
	delivery.CommitPending: "pending", delivery.CommitRunning: "pending",
	delivery.CommitSuccess: "success", delivery.CommitFailed: "failure", delivery.CommitCanceled: "error",
}

type status struct {
	State       string `json:"state"`
	Context     string `json:"context,omitempty"`
	TargetURL   string `json:"target_url,omitempty"`
	Description string `json:"description,omitempty"`
}

// SetStatus sets a commit's status in the repository of this path, owner/name. It may
// be repeated. Errors are those of forge.Client.Post.
func (c *Client) SetStatus(ctx context.Context, s delivery.CommitStatus) error {
	path, ok := forge.OwnerAndName(s.Path)
	state := states[s.State]
	if !ok || !forge.IsSHA(s.SHA) || state == "" {
		return delivery.E(delivery.Invalid, "a commit status needs GitHub's owner/name, the full SHA, and a state")
	}
	return c.http.Post(ctx, "/repos/"+path+"/statuses/"+s.SHA, status{
		State: state, Context: forge.Clip(s.Context, forge.MaxText), TargetURL: s.URL,
		Description: forge.Clip(s.Description, maxDescription),
	})
}
