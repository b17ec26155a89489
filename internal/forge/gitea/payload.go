package gitea

import (
	"cmp"
	"strconv"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
)

// payload is what we read of a push, or of a deleted branch. Gitea lists the newest
// commits only, five by default (FEED_MAX_COMMIT_NUM), the newest first.
type payload struct {
	Ref     string         `json:"ref"`
	RefType string         `json:"ref_type"`
	Before  string         `json:"before"`
	After   string         `json:"after"`
	Commits []forge.Commit `json:"commits"`
	// HeadCommit is what an annotated tag points to; null in older payloads.
	HeadCommit forge.Commit `json:"head_commit"`
	// Total is missing in Gogs' and in old payloads.
	Total      int `json:"total_commits"`
	Repository struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
		CloneURL string `json:"clone_url"`
		SSHURL   string `json:"ssh_url"`
		HTMLURL  string `json:"html_url"`
		Default  string `json:"default_branch"`
	} `json:"repository"`
	Pusher user `json:"pusher"`
	Sender user `json:"sender"`
}

type user struct {
	Login    string `json:"login"`
	Username string `json:"username"` // Gogs, and Gitea for compatibility
}

func (p *payload) pusher() string {
	return forge.Line(cmp.Or(p.Pusher.Login, p.Pusher.Username, p.Sender.Login, p.Sender.Username))
}

func (p *payload) repo() delivery.Repo {
	r := p.Repository
	return delivery.Repo{
		Forge: Name, ProjectID: strconv.FormatInt(r.ID, 10), Path: r.FullName,
		CloneURL: r.CloneURL, SSHURL: r.SSHURL, WebURL: r.HTMLURL,
	}
}

// push is the push as it was sent.
func (p *payload) push() delivery.Push {
	push := delivery.Push{Repo: p.repo(), Before: p.Before, After: p.After, Pusher: p.pusher(), DefaultBranch: forge.Line(p.Repository.Default)}
	if forge.IsZero(p.After) {
		return push
	}
	forge.Describe(&push, p.Commits, push.Pusher)
	push.Paths, push.PathsComplete = forge.Paths(p.Before, p.Commits, p.Total)
	return push
}
