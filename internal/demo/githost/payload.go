package githost

import (
	"context"
	"path"
	"strings"
)

// payload is GitLab's push or tag_push event, version 17.
type payload struct {
	ObjectKind   string      `json:"object_kind"`
	EventName    string      `json:"event_name"`
	Before       string      `json:"before"`
	After        string      `json:"after"`
	Ref          string      `json:"ref"`
	RefProtected bool        `json:"ref_protected"`
	CheckoutSHA  *string     `json:"checkout_sha"`
	Message      *string     `json:"message"`
	UserID       int64       `json:"user_id"`
	UserName     string      `json:"user_name"`
	UserUsername string      `json:"user_username"`
	UserEmail    string      `json:"user_email"`
	UserAvatar   *string     `json:"user_avatar"`
	ProjectID    int64       `json:"project_id"`
	Project      projectInfo `json:"project"`
	Commits      []commit    `json:"commits"`
	Total        int         `json:"total_commits_count"`
	PushOptions  struct{}    `json:"push_options"`
	Repository   repository  `json:"repository"`
}

type projectInfo struct {
	ID            int64   `json:"id"`
	Name          string  `json:"name"`
	Description   string  `json:"description"`
	WebURL        string  `json:"web_url"`
	AvatarURL     *string `json:"avatar_url"`
	SSHURL        string  `json:"git_ssh_url"`
	HTTPURL       string  `json:"git_http_url"`
	Namespace     string  `json:"namespace"`
	Visibility    int     `json:"visibility_level"`
	Path          string  `json:"path_with_namespace"`
	DefaultBranch string  `json:"default_branch"`
	CIConfigPath  *string `json:"ci_config_path"`
}

type repository struct {
	Name       string `json:"name"`
	URL        string `json:"url"`
	Homepage   string `json:"homepage"`
	HTTPURL    string `json:"git_http_url"`
	Visibility int    `json:"visibility_level"`
}

type author struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

type commit struct {
	ID        string   `json:"id"`
	Message   string   `json:"message"`
	Title     string   `json:"title"`
	Timestamp string   `json:"timestamp"`
	URL       string   `json:"url"`
	Author    author   `json:"author"`
	Added     []string `json:"added"`
	Modified  []string `json:"modified"`
	Removed   []string `json:"removed"`
}

func (r *repo) payload(ctx context.Context, c change, head string, refs map[string]string, by pusher) (payload, error) {
	web, clone, name := by.base+"/"+r.Path, r.CloneURL(by.base), path.Base(r.Path)
	p := payload{
		ObjectKind: "push", Before: c.before, After: c.after, Ref: c.ref,
		UserID: 1, UserName: by.user, UserUsername: by.user,
		ProjectID: r.ID,
		Project: projectInfo{
			ID: r.ID, Name: name, WebURL: web, HTTPURL: clone, Namespace: path.Dir(r.Path),
			Path: r.Path, DefaultBranch: head,
		},
		Commits:    []commit{},
		Repository: repository{Name: name, URL: clone, Homepage: web, HTTPURL: clone},
	}
	if strings.HasPrefix(c.ref, "refs/tags/") {
		p.ObjectKind = "tag_push"
	}
	p.EventName = p.ObjectKind
	if c.after == zeros {
		return p, nil
	}
	p.CheckoutSHA = &c.after
	commits, total, err := r.commits(ctx, c.revisions(head, refs))
	if err != nil {
		return payload{}, err
	}
	for i := range commits {
		commits[i].URL = web + "/-/commit/" + commits[i].ID
	}
	if len(commits) > 0 {
		p.Commits, p.Total = commits, total
	}
	return p, nil
}
