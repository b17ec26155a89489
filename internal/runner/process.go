package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/internal/delivery"
)

// command is a process to be started in a group of its own.
type command struct {
	step string
	path string
	args []string
	dir  string
	env  []string
	// grace is the time between TERM and KILL.
	grace time.Duration
}

// ending is how a command ended.
type ending struct {
	exit    int    // -1 when a signal ended it
	signal  string // like "SIGKILL"
	stopped bool   // we asked it to end
	usage   delivery.Usage
}

// process is a running command with everything it started.
type process struct {
	command
	house          *household
	pid            int
	stdout, stderr *os.File
	done           chan struct{} // closed when the first process has exited

	stopped time.Time // when it was asked to end; valid after obey
	used    usage
}

// run starts cmd. Its first process dies with this one.
func (h *household) run(cmd command) (*process, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }()
	stdout, outEnd, err := pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = syscall.Close(outEnd) }()
	stderr, errEnd, err := pipe()
	if err != nil {
		return nil, errors.Join(err, stdout.Close())
	}
	defer func() { _ = syscall.Close(errEnd) }()

	// Not os/exec, which would wait for the child itself.
	pid, err := h.start(func() (int, error) {
		return syscall.ForkExec(cmd.path, cmd.args, &syscall.ProcAttr{
			Dir: cmd.dir, Env: cmd.env, Files: []uintptr{null.Fd(), uintptr(outEnd), uintptr(errEnd)},
			Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
		})
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s in %s: %w", cmd.path, cmd.dir, err), stdout.Close(), stderr.Close())
	}
	return &process{command: cmd, house: h, pid: pid, stdout: stdout, stderr: stderr, done: make(chan struct{})}, nil
}

// pipe returns an end to read, with deadlines, and a blocking one for a child.
func pipe() (r *os.File, w int, err error) {
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
		return nil, 0, fmt.Errorf("make a pipe: %w", err)
	}
	if err := syscall.SetNonblock(p[0], true); err != nil {
		return nil, 0, errors.Join(err, syscall.Close(p[0]), syscall.Close(p[1]))
	}
	return os.NewFile(uintptr(p[0]), "pipe"), p[1], nil
}

// wait returns when the first process has exited and everything it started is
// gone. It asks the group to end when ctx ends, and kills it when hard does.
func (p *process) wait(ctx, hard context.Context) (ending, error) {
	var watchers sync.WaitGroup
	watchers.Go(func() { p.obey(ctx, hard) })
	watchers.Go(p.sample)
	err := p.awaitExit() // a zombie: its id, and so its group's, stays taken
	close(p.done)
	watchers.Wait()
	if err != nil {
		return ending{}, err
	}
	p.allowGrace(hard)
	p.signal(syscall.SIGKILL)
	status, used, err := p.house.reap(p.pid)
	if err == nil {
		p.used.add(&used)
		err = p.house.clear(p.step, p.used.add)
	}
	return p.ending(status), err
}

func (p *process) awaitExit() error {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil || !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// obey signals the group as the contexts demand.
func (p *process) obey(ctx, hard context.Context) {
	select {
	case <-p.done:
		return
	case <-ctx.Done():
	case <-hard.Done():
	}
	p.stopped = time.Now()
	if hard.Err() == nil {
		p.signal(syscall.SIGTERM)
		grace := time.NewTimer(p.grace)
		defer grace.Stop()
		select {
		case <-p.done:
			return
		case <-grace.C:
		case <-hard.Done():
		}
	}
	p.signal(syscall.SIGKILL)
}

// allowGrace leaves the rest of the group, after TERM, the rest of its time: a
// shell ends at once, and what it called may have to clean up.
func (p *process) allowGrace(hard context.Context) {
	if p.stopped.IsZero() {
		return
	}
	until := p.stopped.Add(p.grace)
	for time.Now().Before(until) && hard.Err() == nil && p.groupLives() {
		sleep(hard, 10*time.Millisecond)
	}
}

func (p *process) groupLives() bool {
	list, err := processes()
	if err != nil {
		return false
	}
	for _, x := range list {
		if x.group == p.pid && x.state != 'Z' {
			return true
		}
	}
	return false
}

// signal reaches the whole group. It must not be called after the first process
// was reaped: the number may then be another's.
func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.pid, s) }

func (p *process) ending(status syscall.WaitStatus) ending {
	e := ending{exit: status.ExitStatus(), stopped: !p.stopped.IsZero(), usage: p.used.sum()}
	if status.Signaled() {
		e.signal = unix.SignalName(status.Signal())
	}
	return e
}
