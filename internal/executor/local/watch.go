package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// watch follows one living runner.
type watch struct {
	attempt
	pid   int
	child *exec.Cmd // nil for a runner that another server started
	// pidfd names the very process, also when its id is given to another.
	pidfd *os.File

	mu     sync.Mutex
	killer *time.Timer // set once it was asked to end
	over   bool        // it has ended, or is watched no more
}

// newWatch owns pidfd from here on.
func newWatch(a attempt, pid, pidfd int) (*watch, error) {
	if pidfd < 0 {
		return nil, errors.New("the kernel gives no process descriptors; Linux 5.4 or newer is needed")
	}
	if err := syscall.SetNonblock(pidfd, true); err != nil { // for the runtime to poll it
		return nil, errors.Join(err, syscall.Close(pidfd))
	}
	return &watch{attempt: a, pid: pid, pidfd: os.NewFile(uintptr(pidfd), "pidfd")}, nil
}

// watch makes w known and follows it to its end. e.mu is held.
func (e *Executor) watch(w *watch) {
	e.watches[w.key] = w
	e.wg.Go(func() { e.follow(w) })
}

// find returns the watch of a living attempt, and begins one for a runner that
// another server started; nil when it is not alive or not known yet.
func (e *Executor) find(a attempt) (*watch, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w := e.watches[a.key]; w != nil || e.closed {
		return w, nil
	}
	pid := a.pid()
	if pid == 0 {
		return nil, nil
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if noProcess(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d of %s: %w", pid, a.key, err)
	}
	// Held only now, the lock proves that the process opened is its holder.
	if held, err := a.held(); err != nil || !held {
		return nil, errors.Join(err, syscall.Close(pidfd))
	}
	w, err := newWatch(a, pid, pidfd)
	if err != nil {
		return nil, err
	}
	e.watch(w)
	return w, nil
}

// noProcess tells that an id is no process's: nobody's, or by now the id of a
// thread, for which kernels before 6.15 answer EINVAL and later ones ENOENT.
func noProcess(err error) bool {
	return errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT)
}

// follow waits for the runner's end, clears up behind it, and tells of it.
func (e *Executor) follow(w *watch) {
	err := w.await()
	w.end()
	if err != nil { // left to run
		if w.child != nil {
			_ = w.child.Process.Release()
		}
		return
	}
	// A runner that ends well leaves nothing.
	if w.child == nil || w.child.Wait() != nil {
		// Right after its end the id, and so the session's, is nobody else's.
		if err := sweep(map[string]bool{w.path(workspace): true}, w.pid); err != nil {
			e.Logger.Error("processes of an ended attempt stay", "attempt", w.key, "err", err)
		}
	}
	e.mu.Lock()
	delete(e.watches, w.key)
	e.mu.Unlock()
	e.tell(w.attempt)
}

// tell makes an end known; the workspace is there as long as that is not done.
func (e *Executor) tell(a attempt) {
	e.Logger.Info("attempt ended", "attempt", a.key)
	e.OnExit(a.key)
	if err := removeAll(a.path(workspace)); err != nil {
		e.Logger.Warn("workspace stays", "attempt", a.key, "err", err)
	}
}

// await returns nil when the process has ended, an error when it was left.
func (w *watch) await() error {
	conn, err := w.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var polled error
	err = conn.Read(func(fd uintptr) (done bool) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(p, 0)
		if err != nil && !errors.Is(err, unix.EINTR) {
			polled = err
		}
		return n > 0 || polled != nil
	})
	return errors.Join(err, polled)
}

// leave ends the watch and lets the process live.
func (w *watch) leave() { _ = w.pidfd.SetReadDeadline(time.Unix(1, 0)) }

// end closes the watch; nothing is signalled any more.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.killer != nil {
		w.killer.Stop()
	}
	_ = w.pidfd.Close()
}

// stop asks the process to end, and has it killed if it does not.
func (w *watch) stop(grace time.Duration) error {
	if err := w.signal(unix.SIGTERM); err != nil {
		return fmt.Errorf("end attempt %s: %w", w.key, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.killer == nil && !w.over {
		w.killer = time.AfterFunc(grace, func() { _ = w.signal(unix.SIGKILL) })
	}
	return nil
}

func (w *watch) signal(s unix.Signal) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return nil
	}
	err := unix.PidfdSendSignal(int(w.pidfd.Fd()), s, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}
