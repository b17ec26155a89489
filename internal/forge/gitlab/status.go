package gitlab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"

	"github.com/shiplock/shiplock/internal/delivery"
)

// State is a commit status as GitLab knows it.
type State string

const (
	Pending  State = "pending"
	Running  State = "running"
	Success  State = "success"
	Failed   State = "failed"
	Canceled State = "canceled"
	Skipped  State = "skipped"
)

// Status is shown beside a commit, in its merge request and its pipeline.
type Status struct {
	State State `json:"state"`
	// Name tells this status from others of the commit; GitLab keeps one line for
	// each.
	Name string `json:"name,omitempty"`
	// Ref is the branch, without refs/heads/. Without it GitLab picks one that
	// holds the commit, and statuses scatter over pipelines.
	Ref       string `json:"ref,omitempty"`
	TargetURL string `json:"target_url,omitempty"`
	// Description is cut to 255 runes.
	Description string `json:"description,omitempty"`
}

// SetStatus sets a commit's status in the project with this id or path. It may be
// repeated: GitLab's refusal of a state that it already shows is success.
//
// Errors are Unavailable (a lost race on GitLab's side, its rate limit, GitLab
// down: call again, and not before RetryAfter() when an error in the chain has
// that method), Denied, NotFound, or Invalid.
func (c *Client) SetStatus(ctx context.Context, projectID, commit string, s Status) error {
	req, err := c.statusRequest(ctx, projectID, commit, s)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return fmt.Errorf("set commit status: %w", cause)
		}
		return delivery.Wrap(delivery.Unavailable, "GitLab did not answer; try again later", err)
	}
	defer res.Body.Close()
	// Reading to the end keeps the connection for the next call.
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return answer(res, body, s.State)
}

const maxAnswer = 64 << 10

func (c *Client) statusRequest(ctx context.Context, projectID, commit string, s Status) (*http.Request, error) {
	if projectID == "" || !sha.MatchString(commit) {
		return nil, delivery.E(delivery.Invalid, "a commit status needs GitLab's project id and the full SHA")
	}
	s.Name, s.Description = clip(s.Name, maxText), clip(s.Description, maxText)
	body, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode commit status: %w", err)
	}
	address := c.api + "/projects/" + url.PathEscape(projectID) + "/statuses/" + commit
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "GitLab's URL cannot be used", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Private-Token", c.token)
	return req, nil
}

// transition is GitLab's refusal of a step that its own state machine lacks.
var transition = regexp.MustCompile(`Cannot transition status via :\w+ from :(\w+)`)

func answer(res *http.Response, body []byte, asked State) error {
	code := res.StatusCode
	if code/100 == 2 {
		return nil
	}
	said := errors.New(res.Status + ": " + clip(printable(string(body)), maxText))
	switch {
	case code == http.StatusConflict:
		return delivery.Wrap(delivery.Unavailable, "GitLab is updating this commit's statuses; try again", said)
	case code == http.StatusTooManyRequests || code >= 500:
		return delivery.Wrap(delivery.Unavailable, "GitLab is busy or down; try again later", later(res.Header, said))
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return delivery.Wrap(delivery.Denied,
			"GitLab refused the access token; it needs the scope api and the role Developer in the project (Maintainer for a protected branch)", said)
	case code == http.StatusNotFound:
		return delivery.Wrap(delivery.NotFound, "GitLab has no such project or commit, or the access token may not see it", said)
	case code/100 == 3:
		return delivery.Wrap(delivery.Invalid, "GitLab's URL redirects to "+clip(printable(res.Header.Get("Location")), maxText)+"; configure the final URL", said)
	}
	if m := transition.FindSubmatch(body); m != nil && State(m[1]) == asked {
		return nil
	}
	return delivery.Wrap(delivery.Invalid, "GitLab refused the commit status", said)
}
