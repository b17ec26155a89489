package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
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
	envMounts    = "SHIPLOCK_MOUNTS"
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
	cmd, pidfd, err := e.command(a, spec, lock, code, log)
	if err != nil {
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

// command starts the runner: for a Plan with caches with mounts of its own, if the
// machine lets us.
func (e *Executor) command(a attempt, spec delivery.AttemptSpec, lock, code, log *os.File) (*exec.Cmd, int, error) {
	start := func(mounts bool) (*exec.Cmd, int, error) {
		pidfd := -1
		cmd := exec.Command(e.Runner[0], e.Runner[1:]...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = a.dir, e.runnerEnv(a, spec), log, log
		cmd.ExtraFiles = []*os.File{lock, code} // become 3 and 4
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd}
		if mounts {
			ownMounts(cmd.SysProcAttr)
			cmd.Env = append(cmd.Env, envMounts+"=own")
		}
		err := cmd.Start()
		return cmd, pidfd, err
	}
	if spec.Caches != nil && e.CacheDir != "" && !e.noMounts {
		cmd, pidfd, err := start(true)
		if err == nil {
			return cmd, pidfd, nil
		}
		e.noMounts = true
		e.Logger.Info("builds get no mounts of their own here, so caches are copied", "err", err)
	}
	return start(false)
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
	if e.CacheDir != "" {
		env = append(env, envCache+"="+e.CacheDir)
	}
	return append(env,
		envServer+"="+spec.ServerURL, envAttempt+"="+a.key, envLockFD+"=3", envCodeFD+"=4",
		envWorkspace+"="+a.path(workspace))
}
