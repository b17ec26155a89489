package runner

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// household are the processes of the steps that run now. A process belongs to a step
// by its group or its parents; what has left both becomes this process's child, and is
// known by the step's name in its environment. What hides even that is killed when no
// other step runs.
type household struct {
	mu    sync.Mutex
	heads map[int]bool // the first processes of steps, until they are reaped
}

// envStep is in the environment of every process of a step.
const envStep = "SHIPLOCK_STEP"

// start forks with f, which returns the id of a step's first process.
func (h *household) start(f func() (pid int, err error)) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	pid, err := f()
	if err == nil {
		if h.heads == nil {
			h.heads = map[int]bool{}
		}
		h.heads[pid] = true
	}
	return pid, err
}

// reap takes in a first process that has exited.
func (h *household) reap(pid int) (status syscall.WaitStatus, used syscall.Rusage, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.heads, pid)
	for {
		if _, err = syscall.Wait4(pid, &status, 0, &used); !errors.Is(err, syscall.EINTR) {
			return status, used, err
		}
	}
}

// adopt takes in a child that has exited, unless it is a step's first process.
func (h *household) adopt(pid int) (used syscall.Rusage, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.heads[pid] {
		return used, false
	}
	got, err := syscall.Wait4(pid, nil, syscall.WNOHANG, &used)
	return used, err == nil && got == pid
}

// others tells whether steps run whose first process is not pid.
func (h *household) others(pid int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.heads) > 1 || len(h.heads) == 1 && !h.heads[pid]
}

func (h *household) isHead(pid int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.heads[pid]
}

// unkillable bounds the wait for processes that were killed, which only the
// kernel can delay.
const unkillable = 30 * time.Second

// clear kills and reaps what a step has left behind, and all that nobody owns when no
// other step runs. The step's first process has been reaped.
func (h *household) clear(step string, count func(*syscall.Rusage)) error {
	for until, pause := time.Now().Add(unkillable), time.Millisecond; ; {
		left, err := h.sweep(step, count)
		switch {
		case err != nil:
			return fmt.Errorf("look for what a step left behind: %w", err)
		case !left:
			return nil
		case time.Now().After(until):
			return errors.New("processes that a step left behind cannot be killed")
		}
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// sweep reaps and kills once, and tells whether anything is left.
func (h *household) sweep(step string, count func(*syscall.Rusage)) (left bool, err error) {
	if h.childless() {
		return false, nil
	}
	list, err := processes()
	if err != nil {
		return false, err
	}
	others := h.others(0) // asked after the list was made: a step that began since is not in it
	self := os.Getpid()
	for _, x := range list {
		switch {
		case x.parent != self || h.isHead(x.pid):
		case x.state == 'Z':
			if used, ok := h.adopt(x.pid); ok {
				count(&used)
			}
			left = true // its children may have become ours
		case !others || marked(x.pid, step):
			for _, below := range descendants(list, x.pid) {
				_ = syscall.Kill(below.pid, syscall.SIGKILL)
			}
			_ = syscall.Kill(x.pid, syscall.SIGKILL)
			left = true
		}
	}
	return left, nil
}

// childless tells whether this process has no children at all, which is quick to ask.
func (h *household) childless() bool {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return errors.Is(err, syscall.ECHILD)
}

// marked tells whether a process was started with the step's name.
func marked(pid int, step string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	return err == nil && bytes.Contains(append([]byte{0}, env...), []byte("\x00"+envStep+"="+step+"\x00"))
}
