package forge

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

// StatusClient sets commit statuses by the API that GitHub made and Gitea has taken
// over. It is safe for concurrent use.
type StatusClient struct {
	http           *Client
	maxDescription int
}

// NewStatusClient checks the configuration; nothing is called yet. The forge takes
// maxDescription runes of description.
func NewStatusClient(c Config, maxDescription int) (*StatusClient, error) {
	client, err := NewClient(c)
	return &StatusClient{client, maxDescription}, err
}

// Close drops idle connections.
func (c *StatusClient) Close() { c.http.Close() }

// states are the API's words: it has none for running or canceled.
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
// be repeated. Errors are those of Client.Post.
func (c *StatusClient) SetStatus(ctx context.Context, s delivery.CommitStatus) error {
	path, ok := OwnerAndName(s.Path)
	state := states[s.State]
	if !ok || !IsSHA(s.SHA) || state == "" {
		return delivery.E(delivery.Invalid, "a commit status needs "+c.http.Forge+"'s owner/name, the full SHA, and a state")
	}
	return c.http.Post(ctx, "/repos/"+path+"/statuses/"+s.SHA, status{
		State: state, Context: Clip(s.Context, MaxText), TargetURL: s.URL,
		Description: Clip(s.Description, c.maxDescription),
	})
}
