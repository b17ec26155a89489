package githost

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

// Project is a hosted repository. Its ID follows from its path, so it is the same
// after a restart.
type Project struct {
	ID   int64
	Path string // group/name
}

func project(path string) Project {
	return Project{ID: int64(crc32.ChecksumIEEE([]byte(path))>>1) + 1, Path: path}
}

// CloneURL is where the project is cloned from and pushed to, on a Host at base
// (http://host:port).
func (p Project) CloneURL(base string) string {
	return strings.TrimSuffix(base, "/") + "/" + p.Path + ".git"
}

type repo struct {
	Project
	dir string
	// pushing serialises pushes: what a push changed is seen by comparing the refs
	// before and after it.
	pushing sync.Mutex
}

var repoPath = regexp.MustCompile(`^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,99}/){1,5}[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$`)

// CreateRepo hosts a repository at path (group/name): a new, empty one, or what
// the directory holds from before.
func (h *Host) CreateRepo(ctx context.Context, path string) (Project, error) {
	if h.config.Dir == "" || !repoPath.MatchString(path) || strings.HasSuffix(path, ".git") {
		return Project{}, delivery.E(delivery.Invalid, "a repository's path must be like group/name")
	}
	r := &repo{Project: project(path), dir: filepath.Join(h.config.Dir, filepath.FromSlash(path)+".git")}
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.repos[path]; known != nil {
		return known.Project, nil
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return Project{}, fmt.Errorf("create repository %s: %w", path, err)
	}
	// On a repository that exists, init changes nothing.
	if _, err := r.git(ctx, "init", "--quiet", "--bare", "--template=", "--initial-branch=main"); err != nil {
		return Project{}, err
	}
	h.repos[path] = r
	return r.Project, nil
}

func (h *Host) repo(path string) *repo {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.repos[path]
}

const gitLimit = time.Minute

func (r *repo) git(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(git.Env(map[string]string{"core.quotePath": "false"}), "GIT_DIR="+r.dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s in %s: %w: %s", args[0], r.Path, err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
