package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// process is a part of the cluster in the background, known by a file of its pid.
type process struct {
	name string
	args []string
}

func (p process) pidFile() string { return layout.Path("run", p.name+".pid") }
func (p process) logFile() string { return layout.Path("logs", p.name+".log") }

// running tells whether the process is alive. The file has the time of its start,
// too, so that another process of the same number is not taken for it.
func (p process) running() (pid int, ok bool) {
	content, err := os.ReadFile(p.pidFile())
	if err != nil {
		return 0, false
	}
	var started string
	if _, err := fmt.Sscan(string(content), &pid, &started); err != nil {
		return 0, false
	}
	return pid, startOf(pid) == started
}

// startOf returns the time of a process's start, in the kernel's words; "" when it
// has ended.
func startOf(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name before may have blanks in it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}

func (p process) start() error {
	if _, ok := p.running(); ok {
		return nil
	}
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Dir = layout.Dir
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	id := fmt.Sprintf("%d %s\n", cmd.Process.Pid, startOf(cmd.Process.Pid))
	return errors.Join(os.WriteFile(p.pidFile(), []byte(id), 0o644), cmd.Process.Release())
}

func startAll(all ...process) error {
	for _, p := range all {
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the process and waits for its end.
func (p process) stop(grace time.Duration) error {
	pid, ok := p.running()
	if !ok {
		return nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("stop %s: %w", p.name, err)
		}
		if ended(fd, grace) {
			return os.Remove(p.pidFile())
		}
	}
	return fmt.Errorf("%s (pid %d) does not end", p.name, pid)
}

func ended(pidfd int, within time.Duration) bool {
	deadline := time.Now().Add(within)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			return n > 0
		}
	}
}

// await waits until a process does what it is there for, and no longer than it
// lives. Its last words go with an error.
func await(ctx context.Context, p process, ready func(context.Context) error) error {
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if _, ok := p.running(); !ok {
			return fmt.Errorf("%s has ended; its last words:\n%s", p.name, p.lastWords())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready in time: %w; its last words:\n%s", p.name, err, p.lastWords())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p process) lastWords() string {
	f, err := os.Open(p.logFile())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, end-2000), io.SeekStart)
	}
	words, _ := io.ReadAll(f)
	return string(words)
}

// warnOfOther says when parts run that another build has started.
func warnOfOther(binary string) {
	file := layout.Path("run", "binary")
	if last, err := os.ReadFile(file); err == nil && string(last) != binary {
		fmt.Fprintf(os.Stderr, "cluster: parts of %s may still run; `make cluster-down` first replaces them\n", last)
	}
	_ = os.WriteFile(file, []byte(binary), 0o644)
}
