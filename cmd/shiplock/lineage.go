package main

import (
	"context"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

// Bounds of what is kept of histories, in bytes.
const (
	maxMirror  = 512 << 20
	maxMirrors = 2 << 30
)

func newMirrors(dir string) *git.Mirrors {
	return &git.Mirrors{Dir: dir, MaxRepo: maxMirror, MaxAll: maxMirrors}
}

const heads = "refs/heads/"

func (f forge) Heads(ctx context.Context, repo delivery.Repo, branches ...string) (map[string]string, error) {
	refs := make([]string, len(branches))
	for i, b := range branches {
		refs[i] = heads + b
	}
	found, err := git.Heads(ctx, f.remote(repo), refs...)
	if err != nil {
		return nil, f.explain(repo, err)
	}
	byBranch := make(map[string]string, len(found))
	for ref, sha := range found {
		byBranch[strings.TrimPrefix(ref, heads)] = sha
	}
	return byBranch, nil
}

func (f forge) Fork(ctx context.Context, repo delivery.Repo, commit string, others map[string]string) (base, from string, err error) {
	base, from, err = f.mirrors.Fork(ctx, f.remote(repo), commit, others)
	return base, from, f.explain(repo, err)
}

func (f forge) Contains(ctx context.Context, repo delivery.Repo, commit, ancestor string) (bool, error) {
	yes, err := f.mirrors.Contains(ctx, f.remote(repo), commit, ancestor)
	return yes, f.explain(repo, err)
}

func (f forge) Ahead(ctx context.Context, repo delivery.Repo, base, head string) (int, error) {
	n, err := f.mirrors.Ahead(ctx, f.remote(repo), base, head)
	return n, f.explain(repo, err)
}

func (f forge) Where(ctx context.Context, repo delivery.Repo, short string, commits []string) (sha string, in map[string]bool, unknown map[string]error, err error) {
	sha, in, unknown, err = f.mirrors.Where(ctx, f.remote(repo), short, commits)
	return sha, in, unknown, f.explain(repo, err)
}

func (f forge) Describe(ctx context.Context, repo delivery.Repo, sha string) (delivery.Commit, error) {
	title, author, email, err := f.mirrors.Describe(ctx, f.remote(repo), sha)
	return delivery.Commit{SHA: sha, Title: title, Author: author, Email: email}, f.explain(repo, err)
}

func (f forge) Files(ctx context.Context, repo delivery.Repo, commit, folder string, names []string) ([]delivery.SourceFile, error) {
	files, err := git.Files(ctx, f.remote(repo), commit, folder, names)
	return files, f.explain(repo, err)
}
