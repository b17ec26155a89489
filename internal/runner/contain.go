package runner

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/internal/cache"
)

// contain makes this process the parent of orphans below it, and closes its
// memory and /proc entries to other processes of the same user.
func contain() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("close the process to others: %w", err)
	}
	return nil
}

// threads is how many threads this process may come to need at once: for goroutines and
// the collector, for the ends of steps that are waited for, and for files.
const threads = 24

// readyThreads has the runtime make its threads now, and keep them. A build may use up
// the processes that its pod or user can have, threads included, and a Go program that
// gets no thread then ends in the middle of everything.
func readyThreads() {
	var all sync.WaitGroup
	ready, release := make(chan struct{}), make(chan struct{})
	for range threads {
		all.Go(func() {
			runtime.LockOSThread() // two that are locked at once are two threads
			defer runtime.UnlockOSThread()
			ready <- struct{}{}
			<-release
		})
	}
	for range threads {
		<-ready
	}
	close(release)
	all.Wait()
}

// ownMounts keeps the mounts of this process to itself, and the privileges that let
// it mount from the steps, which would inherit them.
func ownMounts() error {
	// Linux keeps these per thread.
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("keep privileges to this process: %w", errno)
	}
	return cache.OwnMounts()
}

// Hold keeps the lock that an executor passed by EnvLockFD until this process
// ends, and not in its children, and writes the process id into it. Without the
// variable there is nothing to hold.
func Hold(getenv func(string) string) error {
	value := getenv(EnvLockFD)
	if value == "" {
		return nil
	}
	fd, err := passed(EnvLockFD, value)
	if err != nil {
		return err
	}
	// No os.File: its finalizer would let the lock go.
	if _, err := unix.Pwrite(fd, []byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("write the process id into the lock: %w", err)
	}
	return nil
}

// passed is the file descriptor that a variable names; children do not get it.
func passed(name, value string) (int, error) {
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 3 {
		return 0, fmt.Errorf("%s=%q is not a file descriptor above 2", name, value)
	}
	syscall.CloseOnExec(fd)
	return fd, nil
}
