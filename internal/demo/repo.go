package demo

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/shiplock/shiplock/internal/git"
)

// repo is a developer's working copy.
type repo struct {
	dir string
}

// newRepo makes a working copy with these files; origin needs the credentials.
func newRepo(ctx context.Context, dir, origin, user, password string, files map[string][]byte) (*repo, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, fmt.Errorf("parse the repository's address: %w", err)
	}
	u.User = url.UserPassword(user, password)
	r := &repo{dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"remote", "add", "origin", u.String()}} {
		if _, err := r.git(ctx, args...); err != nil {
			return nil, err
		}
	}
	return r, r.write(files)
}

func (r *repo) write(files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(r.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// commit commits everything and returns the SHA.
func (r *repo) commit(ctx context.Context, message string) (string, error) {
	if _, err := r.git(ctx, "add", "-A"); err != nil {
		return "", err
	}
	if _, err := r.git(ctx, "commit", "-q", "--allow-empty", "-m", message); err != nil {
		return "", err
	}
	return r.git(ctx, "rev-parse", "HEAD")
}

// push pushes HEAD to a branch.
func (r *repo) push(ctx context.Context, branch string) error {
	_, err := r.git(ctx, "push", "-q", "--force", "origin", "HEAD:refs/heads/"+branch)
	return err
}

// revert takes the last commit back, as a developer would after a bad one.
func (r *repo) revert(ctx context.Context) error {
	_, err := r.git(ctx, "revert", "--no-edit", "HEAD")
	return err
}

func (r *repo) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(git.Env(nil),
		"GIT_AUTHOR_NAME=Demo", "GIT_AUTHOR_EMAIL=demo@example.com",
		"GIT_COMMITTER_NAME=Demo", "GIT_COMMITTER_EMAIL=demo@example.com")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}
