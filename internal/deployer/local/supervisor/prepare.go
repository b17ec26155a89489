package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

// prepared is what is kept of the last command before a release. It is on the disk
// before the command begins: of a command that may have done something nobody knows
// whether it may be begun again.
type prepared struct {
	Release string            `json:"release"`
	Done    bool              `json:"done,omitempty"`
	Not     *local.Unprepared `json:"not,omitempty"`
}

const preparedFile = "prepared.json"

func (h *host) savePrepared(p prepared) error {
	if err := replace(filepath.Join(h.dir, preparedFile), p, true); err != nil {
		return fmt.Errorf("keep what became of the preDeploy command: %w", err)
	}
	return syncDir(h.dir)
}

// preparerMarker is on all processes of the Target's command before a release.
func (h *host) preparerMarker() string { return h.owner + ".prepare-" + dirName(h.key) }

func (h *host) preparer(marker string) bool { return marker == h.preparerMarker() }

// unprepared is the error of an instance that must not start.
type unprepared struct{ local.Unprepared }

func (u *unprepared) Error() string { return "the preDeploy command is " + string(u.Outcome) }

// prepare returns when the command of the slot's release has succeeded, once for all of
// its replicas. It is an *unprepared when it has not, and is not run again.
func (s *slot) prepare(live context.Context, dir string) error {
	p := s.preparation
	if p == nil {
		return nil
	}
	select {
	case s.host.preparing <- struct{}{}:
		defer func() { <-s.host.preparing }()
	case <-live.Done():
		return live.Err()
	}
	var had prepared
	err := loadJSON(filepath.Join(s.host.dir, preparedFile), &had)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case had.Release != p.Release:
		if err := s.runPreparation(live, *p, dir); err != nil {
			return err
		}
		s.preparation = nil
		return nil
	case had.Done:
		s.preparation = nil // a later release's takes its place on the disk
		return nil
	case had.Not == nil:
		killAll(s.host.preparer) // what outlived the supervisor
		had.Not = &local.Unprepared{Outcome: local.Lost, Detail: "the supervisor of this machine ended while it ran"}
	}
	return &unprepared{*had.Not}
}

func (s *slot) runPreparation(live context.Context, p local.Preparation, dir string) error {
	result := prepared{Release: p.Release}
	if err := s.host.savePrepared(result); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(live, p.Limit())
	defer cancel()
	err := s.command(ctx, p.Run, dir)
	var exit *exec.ExitError
	switch {
	case live.Err() != nil:
		return live.Err() // whoever looks again finds it lost
	case err == nil:
		result.Done = true
	case ctx.Err() != nil:
		result.Not = &local.Unprepared{Outcome: local.Late, Detail: p.Limit().String()}
	case errors.As(err, &exit):
		result.Not = &local.Unprepared{Outcome: local.Failed, Detail: oneLine(err.Error()), Exit: exitCode(exit.ProcessState)}
	default:
		result.Not = &local.Unprepared{Outcome: local.Failed, Detail: oneLine(err.Error())}
	}
	if err := s.host.savePrepared(result); err != nil {
		return err
	}
	if result.Not != nil {
		return &unprepared{*result.Not}
	}
	return nil
}

// command runs a script in the home of the version, in a group that ends with ctx, and
// with the supervisor.
func (s *slot) command(ctx context.Context, script, dir string) error {
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	copied := make(chan struct{})
	s.wg.Go(func() {
		defer close(copied)
		_ = copyLines(s.revision.log, out) // ends with the last writer or at Close
	})
	cmd := exec.CommandContext(ctx, "/bin/sh", "-ec", script)
	cmd.Dir, cmd.Env = dir, append(s.env(dir, 0), markerEnv+"="+s.host.preparerMarker())
	cmd.Stdout, cmd.Stderr = in, in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	ended := make(chan error, 1)
	s.wg.Go(func() {
		// The kernel's promise to end it with us is about the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		ended <- cmd.Run()
	})
	err = <-ended
	killAll(s.host.preparer) // what it has left behind
	// One who got away must not hold us.
	_ = out.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	err = errors.Join(err, in.Close())
	<-copied
	return errors.Join(err, out.Close())
}
