package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
	"github.com/shiplock/shiplock/internal/git"
)

// forge is the engine's view of GitLab and of git itself.
type forge struct {
	gitlabURL            string         // without a trailing slash; empty when there is none
	statuses             *gitlab.Client // nil: nobody to tell
	cloneUser, clonePass string
}

func newForge(o options) (forge, error) {
	f := forge{gitlabURL: o.gitlabURL, cloneUser: o.cloneUser, clonePass: o.clonePassword}
	if o.gitlabURL == "" {
		return f, nil
	}
	var err error
	f.statuses, err = gitlab.NewClient(gitlab.Config{URL: o.gitlabURL, Token: o.gitlabToken})
	return f, err
}

func (f forge) SetStatus(ctx context.Context, s delivery.CommitStatus) error {
	if f.statuses == nil {
		return engine.ErrNoForge
	}
	return f.statuses.SetStatus(ctx, s.ProjectID, s.SHA, gitlab.Status{
		State: gitlab.State(s.State), Name: s.Context, Ref: s.Ref, TargetURL: s.URL, Description: s.Description,
	})
}

// Repo takes namespace/name as a project of the GitLab that is configured, and
// recognises that GitLab's own URLs, so that statuses reach both.
func (f forge) Repo(setting string) (delivery.Repo, error) {
	if path, ok := strings.CutPrefix(setting, f.gitlabURL+"/"); ok && f.gitlabURL != "" {
		path = strings.TrimSuffix(path, ".git")
		return delivery.Repo{ProjectID: path, Path: path, CloneURL: setting}, nil
	}
	if strings.Contains(setting, ":") || strings.HasPrefix(setting, "/") {
		return delivery.Repo{CloneURL: setting}, nil
	}
	if f.gitlabURL == "" {
		return delivery.Repo{}, delivery.E(delivery.Invalid, fmt.Sprintf("%q cannot be cloned from: write the App's whole clone URL, or start the server with --gitlab-url", setting))
	}
	return delivery.Repo{ProjectID: setting, Path: setting, CloneURL: f.gitlabURL + "/" + setting + ".git"}, nil
}

func (f forge) Head(ctx context.Context, repo delivery.Repo, branch string) (delivery.Commit, error) {
	ref := "refs/heads/" + branch
	refs, err := git.LsRemote(ctx, git.Remote{URL: repo.CloneURL, Username: f.cloneUser, Token: f.clonePass}, ref)
	if err != nil {
		return delivery.Commit{}, err
	}
	sha, ok := refs[ref]
	if !ok {
		return delivery.Commit{}, delivery.E(delivery.NotFound, "the repository has no branch "+branch+": push it, or name a commit with --commit")
	}
	return delivery.Commit{SHA: sha, Branch: branch}, nil
}
