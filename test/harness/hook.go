package harness

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Push is a push that a test says happened, without any git.
type Push struct {
	// ID is the delivery's id; a redelivery has the same.
	ID        string
	ProjectID int
	// Path is namespace/name of the repository.
	Path, CloneURL, Branch, SHA string
	// Before is the commit before; empty is a new branch.
	Before string
	// Files are what the push changed.
	Files []string
	// Commits is how many there are; only the newest is listed. 0 is one.
	Commits int
}

// Send delivers the push as GitLab would, and returns the answer's status code.
func (p Push) Send(ctx context.Context, client *http.Client, server string) (int, error) {
	const zeros = "0000000000000000000000000000000000000000"
	body, err := json.Marshal(map[string]any{
		"object_kind": "push", "event_name": "push", "ref": "refs/heads/" + p.Branch,
		"before": cmp.Or(p.Before, zeros), "after": p.SHA, "checkout_sha": p.SHA,
		"user_name": "Ada", "user_username": "ada", "project_id": p.ProjectID,
		"project": map[string]any{
			"id": p.ProjectID, "path_with_namespace": p.Path, "git_http_url": p.CloneURL, "default_branch": "main",
		},
		"commits":             []any{map[string]any{"id": p.SHA, "message": "change", "title": "change", "modified": p.Files, "author": map[string]any{"name": "Ada"}}},
		"total_commits_count": max(p.Commits, 1),
	})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/hooks/gitlab", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Gitlab-Event", "Push Hook")
	req.Header.Set("X-Gitlab-Token", HookSecret)
	req.Header.Set("Idempotency-Key", p.ID)
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("send the hook: %w", err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
