package git

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// maxChanged bounds the list of changed paths, in bytes; a larger one says
	// nothing that "everything" does not.
	maxChanged   = 4 << 20
	changedLimit = 20 * time.Second
	// maxTrees bounds what is fetched to compare two commits, in bytes.
	maxTrees = 512 << 20
)

// Changed lists the files that differ between two commits of a remote repository. It
// fetches only their trees, where the server knows partial clones, and takes at most
// 20 seconds. Invalid when more than 4 MB of paths differ.
func Changed(ctx context.Context, r Remote, before, after string) ([]string, error) {
	remote, err := r.endpoint()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(checkSHA(before), checkSHA(after)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, changedLimit)
	defer cancel()
	dir, err := os.MkdirTemp("", "shiplock-changed-")
	if err != nil {
		return nil, delivery.Wrap(delivery.Internal, "make a directory to compare commits in", err)
	}
	defer os.RemoveAll(dir)
	return newComparison(remote, dir).paths(ctx, before, after)
}

// comparison is a bare repository that holds two trees.
type comparison struct {
	process
	dir string
}

func newComparison(remote endpoint, dir string) comparison {
	return comparison{newProcess(remote, fetchSettings()), dir}
}

func (c comparison) paths(ctx context.Context, before, after string) ([]string, error) {
	if err := c.initBare(ctx, c.dir, after); err != nil {
		return nil, err
	}
	ctx, stop := watchSize(ctx, c.dir, maxTrees)
	defer stop()
	if _, err := c.run(ctx, c.dir, maxChatter, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--depth=1", "--filter=blob:none", "--end-of-options", c.url, before, after); err != nil {
		return nil, err
	}
	out, err := c.run(ctx, c.dir, maxChanged, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-commit-id", before, after)
	if errors.Is(err, errTooMuch) {
		return nil, delivery.E(delivery.Invalid, "too many files changed to list")
	}
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), nil
}
