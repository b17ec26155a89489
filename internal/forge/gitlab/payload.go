package gitlab

import (
	"cmp"
	"strconv"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
)

// payload is what we read of a push. GitLab lists the newest 20 commits, oldest
// of them first, and none of a system hook's.
type payload struct {
	ObjectKind   string         `json:"object_kind"`
	EventName    string         `json:"event_name"`
	Ref          string         `json:"ref"`
	Before       string         `json:"before"`
	After        string         `json:"after"`
	CheckoutSHA  string         `json:"checkout_sha"`
	UserName     string         `json:"user_name"`
	UserUsername string         `json:"user_username"`
	ProjectID    int64          `json:"project_id"`
	Project      project        `json:"project"`
	Commits      []forge.Commit `json:"commits"`
	Total        int            `json:"total_commits_count"`
}

type project struct {
	ID      int64  `json:"id"`
	Path    string `json:"path_with_namespace"`
	HTTPURL string `json:"git_http_url"`
	SSHURL  string `json:"git_ssh_url"`
	WebURL  string `json:"web_url"`
	Default string `json:"default_branch"`
}

func (p *payload) repo() delivery.Repo {
	return delivery.Repo{
		Forge:     Name,
		ProjectID: strconv.FormatInt(cmp.Or(p.ProjectID, p.Project.ID), 10),
		Path:      p.Project.Path,
		CloneURL:  p.Project.HTTPURL,
		SSHURL:    p.Project.SSHURL,
		WebURL:    p.Project.WebURL,
	}
}

// push is the push as it was sent.
func (p *payload) push() delivery.Push {
	push := delivery.Push{
		Repo: p.repo(), Before: p.Before, After: p.After,
		Pusher: forge.Line(cmp.Or(p.UserUsername, p.UserName)), DefaultBranch: forge.Line(p.Project.Default),
	}
	if forge.IsZero(p.After) {
		return push
	}
	forge.Describe(&push, p.Commits, p.UserName)
	push.Paths, push.PathsComplete = forge.Paths(p.Before, p.Commits, p.Total)
	return push
}
