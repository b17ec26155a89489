package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
	"github.com/shiplock/shiplock/internal/git"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/joblog"
)

// forge is the engine's view of GitLab and of git itself.
type forge struct {
	statuses             *gitlab.Client // nil: nobody to tell
	cloneUser, clonePass string
}

func (f forge) SetStatus(ctx context.Context, s delivery.CommitStatus) error {
	if f.statuses == nil {
		return delivery.E(delivery.NotFound, "no GitLab is configured for commit statuses: start the server with --gitlab-url and SHIPLOCK_GITLAB_TOKEN")
	}
	return f.statuses.SetStatus(ctx, s.ProjectID, s.SHA, gitlab.Status{
		State: gitlab.State(s.State), Name: s.Context, Ref: s.Ref, TargetURL: s.URL, Description: s.Description,
	})
}

func (f forge) Head(ctx context.Context, repo, branch string) (delivery.Commit, error) {
	ref := "refs/heads/" + branch
	refs, err := git.LsRemote(ctx, git.Remote{URL: repo, Username: f.cloneUser, Token: f.clonePass}, ref)
	if err != nil {
		return delivery.Commit{}, err
	}
	sha, ok := refs[ref]
	if !ok {
		return delivery.Commit{}, delivery.E(delivery.NotFound, "the repository has no branch "+branch+": push it, or name a commit with --commit")
	}
	return delivery.Commit{SHA: sha, Branch: branch}, nil
}

// gitlabHooks reads GitLab's deliveries.
type gitlabHooks struct{ secrets []string }

func (g gitlabHooks) Verify(header http.Header) error { return gitlab.VerifyToken(header, g.secrets) }

func (g gitlabHooks) Parse(header http.Header, body []byte) (hook *delivery.Hook, note string, err error) {
	id, push, note, err := gitlab.ParseHook(header, body)
	if err != nil || push == nil {
		return nil, note, err
	}
	return &delivery.Hook{ID: id, Forge: "gitlab", Push: *push}, "", nil
}

// images checks and tags what runners pushed to the embedded registry.
type images struct {
	client   *image.Client
	registry string
}

func (i images) Accept(ctx context.Context, repository string, digest delivery.Digest, tag string) (int64, error) {
	return i.client.Tag(ctx, i.registry+"/"+repository+"@"+string(digest), tag)
}

// logs keeps job logs.
type logs struct{ store *joblog.Store }

func (l logs) Append(ctx context.Context, attempt string, b api.LogBatch) (int64, error) {
	lines := make([]joblog.Entry, len(b.Lines))
	for i, line := range b.Lines {
		lines[i] = joblog.Entry{At: line.At, Step: line.Step, Stream: line.Stream, Text: line.Text}
	}
	batch := joblog.Batch{First: b.First, Lines: lines}
	if b.Gap != nil {
		batch.Gap = &joblog.Gap{From: b.Gap.From, To: b.Gap.To, Reason: b.Gap.Reason}
	}
	return l.store.Append(ctx, attempt, batch)
}

func (l logs) Last(ctx context.Context, attempt string) (int64, error) {
	page, err := l.store.Read(ctx, attempt, joblog.Query{From: -1, Limit: 1})
	return page.Last, err
}

func (l logs) Close(ctx context.Context, attempt string) error { return l.store.Finish(ctx, attempt) }

// whyStopped turns the end of a context into the reason for it.
func whyStopped(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}
