package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/shiplock/shiplock/internal/api"
)

// errAway means that the server could not be told of the job's end.
var errAway = errors.New("the server was away for too long")

// Exit codes of a runner's process.
const (
	ExitReported = 0 // the server knows how the job ended
	ExitError    = 1
	ExitGone     = 3 // fenced
	ExitAway     = 4 // the server could not be reached
)

// ExitCode tells a caller of the process how Run ended.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return ExitReported
	case errors.Is(err, errGone):
		return ExitGone
	case errors.Is(err, errAway):
		return ExitAway
	}
	return ExitError
}

// Run claims the attempt and runs its job to the end. When ctx ends, the job ends
// as canceled, which is still reported. It returns nil when the server knows how
// the job ended; see ExitCode.
func Run(ctx context.Context, c Config) error {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return err
	}
	if err := contain(); err != nil {
		return err
	}
	readyThreads()
	if c.Mounts {
		if err := ownMounts(); err != nil {
			return err
		}
	}
	client := newClient(c.Server, c.Attempt, rand.Text())
	defer client.close()
	made := make(chan error, 1)
	go func() { made <- c.makeWorkspace() }() // while the server answers
	a, err := claim(ctx, client, c)
	if err != nil {
		err = fmt.Errorf("claim %s: %w", c.Attempt, err)
	}
	if err := errors.Join(<-made, err); err != nil {
		return err
	}
	return newJob(c, client, a).run(ctx)
}

// makeWorkspace makes the folders that every job works in. They do not inherit the
// set-group-id bit that a pod's volume has: archives note it, and the same commit would
// not give the same image as elsewhere.
func (c Config) makeWorkspace() error {
	err := os.MkdirAll(c.Workspace, 0o755)
	if err == nil {
		err = withoutGroup(c.Workspace)
	}
	if err != nil {
		return fmt.Errorf("make the workspace: %w", err)
	}
	for _, name := range []string{homeDir, tempDir, sourceDir} {
		if err := os.MkdirAll(c.path(name), 0o755); err != nil {
			return fmt.Errorf("make the workspace: %w", err)
		}
	}
	return nil
}

func withoutGroup(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || info.Mode()&fs.ModeSetgid == 0 {
		return err
	}
	return os.Chmod(dir, info.Mode().Perm())
}

func claim(ctx context.Context, client *client, c Config) (a api.Assignment, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.ClaimPatience, errAway)
	defer cancel()
	err = retry(ctx, func(ctx context.Context) error {
		a, err = client.claim(ctx, c.Code, c.Version)
		return err
	})
	if err == nil && a.Protocol != api.RunnerProtocol {
		err = fmt.Errorf("the server chose protocol %d, which this runner does not speak", a.Protocol)
	}
	return a, err
}

func newJob(c Config, client *client, a api.Assignment) *job {
	j := &job{Config: c, Assignment: a, client: client}
	j.caches = newCaches(j)
	secrets := append([]string{a.Clone.Password, client.token}, a.Masks...)
	spool := newSpool(c.Workspace, c.SpoolLimit, a.Line)
	j.journal = &journal{
		masker: newMasker(secrets), spool: spool, now: c.Now,
		broken: func(err error) { j.stop(&brokenError{err}) },
	}
	j.shipper = &shipper{client: client, spool: spool, logger: c.Logger, drained: make(chan struct{}, 1), hurry: make(chan struct{})}
	j.reporter = newReporter(client, a, func() { j.stop(errCanceled) })
	return j
}
