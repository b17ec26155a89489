package gitlab

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
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
type Client struct{ http *forge.Client }

// NewClient checks the configuration; nothing is called yet.
func NewClient(c Config) (*Client, error) {
	client, err := forge.NewClient(forge.Config{
		Forge: "GitLab", URL: c.URL, API: "/api/v4", Token: c.Token, TokenHeader: "Private-Token", Timeout: c.Timeout,
		Needs: "the scope api and the role Developer in the project (Maintainer for a protected branch)",
	})
	return &Client{client}, err
}

// Close drops idle connections.
func (c *Client) Close() { c.http.Close() }

// status is shown beside a commit, in its merge request and its pipeline.
type status struct {
	State delivery.CommitState `json:"state"`
	// Name tells this status from others of the commit; GitLab keeps one line for
	// each.
	Name string `json:"name,omitempty"`
	// Ref is the branch, without refs/heads/. Without it GitLab picks one that
	// holds the commit, and statuses scatter over pipelines.
	Ref         string `json:"ref,omitempty"`
	TargetURL   string `json:"target_url,omitempty"`
	Description string `json:"description,omitempty"`
}

// SetStatus sets a commit's status in the project of this id or path. It may be
// repeated: GitLab's refusal of a state that it already shows is success.
//
// Errors are Unavailable (a lost race on GitLab's side, its rate limit, GitLab
// down: call again, and not before RetryAfter() when an error in the chain has
// that method), Denied, NotFound, or Invalid.
func (c *Client) SetStatus(ctx context.Context, s delivery.CommitStatus) error {
	if s.ProjectID == "" || !forge.IsSHA(s.SHA) {
		return delivery.E(delivery.Invalid, "a commit status needs GitLab's project id and the full SHA")
	}
	err := c.http.Post(ctx, "/projects/"+url.PathEscape(s.ProjectID)+"/statuses/"+s.SHA, status{
		State: s.State, Name: forge.Clip(s.Context, forge.MaxText), Ref: s.Ref,
		TargetURL: s.URL, Description: forge.Clip(s.Description, forge.MaxText),
	})
	if r := forge.RefusalOf(err); r != nil && shows(r, s.State) {
		return nil
	}
	return err
}

// transition is GitLab's refusal of a step that its own state machine lacks.
var transition = regexp.MustCompile(`Cannot transition status via :\w+ from :(\w+)`)

// shows tells a refusal because the commit has that state already.
func shows(r *forge.Refusal, state delivery.CommitState) bool {
	m := transition.FindSubmatch(r.Body)
	return r.Code == http.StatusBadRequest && m != nil && delivery.CommitState(m[1]) == state
}
