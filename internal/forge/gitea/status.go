package gitea

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
)

// Config of a Client.
type Config struct {
	// URL is Gitea's address, with its relative root if it has one.
	URL string
	// Token is an access token with the scope write:repository.
	Token string
	// Timeout bounds one call; 0 means 10 seconds.
	Timeout time.Duration
}

// Client calls one Gitea. It is safe for concurrent use.
type Client struct{ http *forge.Client }

// NewClient checks the configuration; nothing is called yet.
func NewClient(c Config) (*Client, error) {
	client, err := forge.NewClient(forge.Config{
		Forge: "Gitea", URL: c.URL, API: "/api/v1", Token: c.Token, Scheme: "token", Timeout: c.Timeout,
		Needs: "the scope write:repository and write access to the repository",
	})
	return &Client{client}, err
}

// Close drops idle connections.
func (c *Client) Close() { c.http.Close() }

// states are Gitea's words: it has none for running or canceled.
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
		return delivery.E(delivery.Invalid, "a commit status needs Gitea's owner/name, the full SHA, and a state")
	}
	return c.http.Post(ctx, "/repos/"+path+"/statuses/"+s.SHA, status{
		State: state, Context: forge.Clip(s.Context, forge.MaxText), TargetURL: s.URL,
		Description: forge.Clip(s.Description, forge.MaxText),
	})
}
