package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/forge/gitea"
	"github.com/shiplock/shiplock/internal/forge/github"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
	"github.com/shiplock/shiplock/internal/git"
	"github.com/shiplock/shiplock/internal/server"
)

// forge is the engine's view of the forges and of git itself.
type forge struct {
	hubs []hub
	credential
	mirrors *git.Mirrors
	network git.Network
}

// hub is one forge that is told commit statuses.
type hub struct {
	name, url string // the URL without a trailing slash
	client    statusClient
}

type statusClient interface {
	SetStatus(ctx context.Context, s delivery.CommitStatus) error
}

// newHooks reads the deliveries of every kind of forge, all with the same secrets.
func newHooks(secrets []string) (map[string]server.HookReader, error) {
	hooks, err := gitlab.NewHooks(secrets, time.Now)
	return map[string]server.HookReader{
		gitlab.Name: hooks,
		gitea.Name:  gitea.NewHooks(secrets),
		github.Name: github.NewHooks(secrets),
	}, err
}

func newForge(o options) (forge, error) {
	own, err := newCredential(o)
	if err != nil {
		return forge{}, err
	}
	f := forge{credential: own, mirrors: newMirrors(filepath.Join(o.data, "history"))}
	for _, err := range []error{
		add(&f, gitlab.Name, o.gitlabURL, func() (statusClient, error) {
			return gitlab.NewClient(gitlab.Config{URL: o.gitlabURL, Token: o.gitlabToken})
		}),
		add(&f, gitea.Name, o.giteaURL, func() (statusClient, error) {
			return gitea.NewClient(gitea.Config{URL: o.giteaURL, Token: o.giteaToken})
		}),
		add(&f, github.Name, o.githubURL, func() (statusClient, error) {
			return github.NewClient(github.Config{URL: o.githubURL, Token: o.githubToken})
		}),
	} {
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// add adds the forge if it has a URL.
func add(f *forge, name, url string, connect func() (statusClient, error)) error {
	if url == "" {
		return nil
	}
	client, err := connect()
	f.hubs = append(f.hubs, hub{name: name, url: url, client: client})
	return err
}

func (f forge) SetStatus(ctx context.Context, s delivery.CommitStatus) error {
	for _, h := range f.hubs {
		if h.name == s.Forge {
			return h.client.SetStatus(ctx, s)
		}
	}
	return engine.ErrNoForge
}

// Repo takes namespace/name as a repository of the forge that is configured, and
// recognises the configured forges' own URLs, so that statuses reach both.
func (f forge) Repo(setting string) (delivery.Repo, error) {
	for _, h := range f.hubs {
		if path, ok := strings.CutPrefix(setting, h.url+"/"); ok {
			return h.repo(strings.TrimSuffix(path, ".git"), setting), nil
		}
	}
	switch {
	case strings.Contains(setting, ":") || strings.HasPrefix(setting, "/"):
		return delivery.Repo{CloneURL: setting}, nil
	case len(f.hubs) == 0:
		return delivery.Repo{}, delivery.E(delivery.Invalid, fmt.Sprintf("%q cannot be cloned from: write the App's whole clone URL, or start the server with --gitlab-url, --gitea-url or --github-url", setting))
	case len(f.hubs) > 1:
		return delivery.Repo{}, delivery.E(delivery.Invalid, fmt.Sprintf("%q may be on several forges: write the App's whole clone URL", setting))
	}
	return f.hubs[0].repo(setting, f.hubs[0].url+"/"+setting+".git"), nil
}

// repo names a repository by its path, which every forge takes for an id.
func (h hub) repo(path, cloneURL string) delivery.Repo {
	return delivery.Repo{Forge: h.name, ProjectID: path, Path: path, CloneURL: cloneURL}
}

func (f forge) Head(ctx context.Context, repo delivery.Repo, branch string) (delivery.Commit, error) {
	found, err := f.Heads(ctx, repo, branch)
	if err != nil {
		return delivery.Commit{}, err
	}
	sha, ok := found[branch]
	if !ok {
		return delivery.Commit{}, delivery.E(delivery.NotFound, "the repository has no branch "+branch+": push it, or name a commit with --commit")
	}
	return delivery.Commit{SHA: sha, Branch: branch}, nil
}

func (f forge) Changed(ctx context.Context, repo delivery.Repo, before, after string) ([]string, error) {
	paths, err := git.Changed(ctx, f.remote(repo), before, after)
	return paths, f.explain(repo, err)
}

func (f forge) remote(repo delivery.Repo) git.Remote {
	user, password := f.of(repo)
	return git.Remote{URL: repo.CloneURL, Username: user, Token: password, Network: f.network}
}
