package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/shiplock/shiplock/internal/delivery"
)

// What a runner is told, by environment variables; see package runner.
const (
	envServer    = "SHIPLOCK_SERVER"
	envAttempt   = "SHIPLOCK_ATTEMPT"
	envCodeFD    = "SHIPLOCK_CODE_FD"
	envWorkspace = "SHIPLOCK_WORKSPACE" // also in the processes of steps
	envCache     = "SHIPLOCK_CACHE"
	envLockFD    = "SHIPLOCK_LOCK_FD"
)

// Start starts the attempt unless its key was started before.
func (e *Executor) Start(ctx context.Context, spec delivery.AttemptSpec) (delivery.AttemptStatus, error) {
	a, err := e.attempt(spec.Key)
	if err != nil {
		return delivery.AttemptStatus{}, err
	}
	lock, err := a.takeOrStarted(ctx)
	if err != nil {
		return delivery.AttemptStatus{}, err
	}
	if lock == nil {
		return e.observe(a)
	}
	defer func() { _ = lock.Close() }() // the runner has its own hold by then
	if a.started() {
		_ = lock.Close() // or observing would find it held by ourselves
		return e.observe(a)
	}
	if err := e.launch(a, spec, lock); err != nil {
		return delivery.AttemptStatus{}, delivery.Wrap(delivery.Unavailable, "the build process cannot be started; check the executor's directory and runner", err)
	}
	return delivery.AttemptStatus{Phase: delivery.AttemptAlive}, nil
}

// launch starts the runner with the lock in its hands.
func (e *Executor) launch(a attempt, spec delivery.AttemptSpec, lock *os.File) error {
	if err := os.MkdirAll(a.path(workspace), 0o700); err != nil {
		return err
	}
	code, err := told(spec.ClaimCode)
	if err != nil {
		return err
	}
	defer func() { _ = code.Close() }()
	pidfd := -1
	cmd := exec.Command(e.Runner[0], e.Runner[1:]...)
	cmd.Dir, cmd.Env = a.dir, e.runnerEnv(a, spec)
	cmd.ExtraFiles = []*os.File{lock, code} // become 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd}

	e.mu.Lock() // so that nobody adopts it before we watch it
	defer e.mu.Unlock()
	if e.closed {
		return errors.New("the executor has ended")
	}
	log, err := os.OpenFile(a.path(logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return errors.Join(err, os.Remove(a.path(logFile)))
	}
	w, err := newWatch(a, cmd.Process.Pid, pidfd)
	if err != nil {
		return fmt.Errorf("watch the runner: %w", err)
	}
	w.child = cmd
	e.watch(w)
	e.Logger.Info("attempt started", "attempt", a.key)
	return nil
}

// told returns the reading end of a pipe that holds text, which is short. Unlike a
// file or a variable, nobody else reads it, and nothing need be removed.
func told(text string) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	_, err = w.WriteString(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (e *Executor) runnerEnv(a attempt, spec delivery.AttemptSpec) []string {
	env := append([]string(nil), e.Env...)
	if c := e.CacheDir; c != "" {
		// Tools that lock or write atomically, so that builds may share them.
		env = append(env, "GOCACHE="+filepath.Join(c, "go-build"), "GOMODCACHE="+filepath.Join(c, "go-mod"),
			"npm_config_cache="+filepath.Join(c, "npm"), envCache+"="+c)
	}
	return append(env,
		envServer+"="+spec.ServerURL, envAttempt+"="+a.key, envLockFD+"=3", envCodeFD+"=4",
		envWorkspace+"="+a.path(workspace))
}
