package supervisor

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is one running start.sh with all its descendants. It writes to a FIFO
// that it holds open for reading too: when the supervisor dies, output waits in
// the pipe instead of killing the app, and the next supervisor reads on.
type process struct {
	identity
	marker string
	child  *exec.Cmd // nil: adopted, so its exit status is not ours to read
	output *os.File
	fifo   string

	patience atomic.Pointer[time.Time] // until when descendants may end by themselves
	down     chan struct{}             // closed when the leader has exited
	exited   chan struct{}             // closed when all are gone and the output is read
	code     *int                      // valid after exited; see exitCode
}

// launch describes a process to be started.
type launch struct {
	dir    string // holds start.sh
	arg    string
	env    []string
	marker string
	fifo   string
}

func start(l launch) (*process, error) {
	out, in, err := openFIFO(l.fifo, true)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	cmd, err := startFresh(func() *exec.Cmd { return command(l, in) })
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	// It cannot be gone from /proc: we have not waited for it.
	id, err := identify(cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(err, out.Close(), cmd.Process.Kill(), cmd.Wait())
	}
	return newProcess(id, l, cmd, out), nil
}

func command(l launch, in *os.File) *exec.Cmd {
	cmd := exec.Command(filepath.Join(l.dir, "start.sh"), l.arg)
	cmd.Args[0] = "./start.sh"
	cmd.Dir = l.dir
	cmd.Env = append([]string{markerEnv + "=" + l.marker}, l.env...)
	cmd.Stdout, cmd.Stderr = in, in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// startFresh starts a script that was written a moment ago. A process that was
// forked meanwhile may hold the file open for writing until its own exec
// (golang.org/issue/22315), which is over in milliseconds.
func startFresh(build func() *exec.Cmd) (*exec.Cmd, error) {
	for try := time.Duration(1); ; try++ {
		cmd := build()
		err := cmd.Start()
		if errors.Is(err, syscall.ENOEXEC) { // no "#!": a script for sh, as any shell takes it
			cmd = build()
			cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh"}, cmd.Args...)
			err = cmd.Start()
		}
		if !errors.Is(err, syscall.ETXTBSY) || try > 5 {
			return cmd, err
		}
		time.Sleep(try * time.Millisecond)
	}
}

// adopt takes over a process that an earlier supervisor started.
func adopt(id identity, l launch) (*process, error) {
	if !id.alive(l.marker) {
		return nil, fs.ErrNotExist
	}
	out, _, err := openFIFO(l.fifo, false)
	if err != nil {
		return nil, err
	}
	return newProcess(id, l, nil, out), nil
}

func newProcess(id identity, l launch, child *exec.Cmd, out *os.File) *process {
	return &process{
		identity: id, marker: l.marker, child: child, output: out, fifo: l.fifo,
		down: make(chan struct{}), exited: make(chan struct{}),
	}
}

// openFIFO returns our end for reading and, for a new process, its end.
func openFIFO(path string, fresh bool) (out, in *os.File, err error) {
	if fresh {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, nil, err
		}
		_ = os.Remove(path) // of an earlier start; mkfifo tells if it could not go
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			return nil, nil, &os.PathError{Op: "mkfifo", Path: path, Err: err}
		}
		if in, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
			return nil, nil, err
		}
	}
	out, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil && in != nil {
		err = errors.Join(err, in.Close())
	}
	return out, in, err
}

// watch follows the process to its end, or until ctx ends and it is left to run.
func (p *process) watch(ctx context.Context, sink io.Writer) {
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_ = copyLines(sink, p.output) // ends with the last writer or at Close
	}()
	defer func() {
		_ = p.output.Close()
		<-copied
	}()
	if p.awaitLeader(ctx) != nil {
		return
	}
	close(p.down)
	p.reap()
	if p.child != nil {
		_ = p.child.Wait() // the status says it all
		p.code = exitCode(p.child.ProcessState)
	}
	// All writers are gone, so the end of the output comes at once; one who got
	// away under another environment must not hold us.
	_ = p.output.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	<-copied
	_ = os.Remove(p.fifo)
	close(p.exited)
}

func (p *process) awaitLeader(ctx context.Context) error {
	err := awaitExit(ctx, p.PID)
	for err != nil && ctx.Err() == nil {
		// Out of descriptors or the like: look again rather than lose the process.
		time.Sleep(100 * time.Millisecond)
		err = awaitExit(ctx, p.PID)
	}
	return err
}

// reap ends what the leader has left behind: at once, unless terminate allows
// the rest of its grace.
func (p *process) reap() {
	until := p.patience.Load()
	if until == nil {
		killAll(p.owns)
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), *until)
	defer cancel()
	awaitGone(ctx, p.owns)
}

// terminate asks the whole group to end, kills it after grace, and returns when
// every process is gone, or when ctx ends, which leaves it to the next supervisor.
func (p *process) terminate(ctx context.Context, grace time.Duration) {
	until := time.Now().Add(grace)
	p.patience.Store(&until)
	p.signal(syscall.SIGTERM)
	p.signalStrays(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-p.down:
	case <-timer.C:
		p.signal(syscall.SIGKILL)
	}
	select {
	case <-ctx.Done():
	case <-p.exited:
	}
}

// signal reaches the group while its leader, and so the group's number, lives.
func (p *process) signal(sig syscall.Signal) {
	select {
	case <-p.down:
	default:
		if p.alive(p.marker) {
			_ = syscall.Kill(-p.PID, sig)
		}
	}
}

// signalStrays reaches the descendants that have left the group.
func (p *process) signalStrays(sig syscall.Signal) {
	for _, pid := range marked(p.owns) {
		if group, err := unix.Getpgid(pid); err == nil && group != p.PID {
			sendTo(pid, sig, p.owns)
		}
	}
}

func (p *process) owns(marker string) bool { return marker == p.marker }

// exitCode is the status of an exit, or minus the signal that caused it.
func exitCode(s *os.ProcessState) *int {
	if s == nil {
		return nil
	}
	code := s.ExitCode()
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		code = -int(ws.Signal())
	}
	return &code
}
