package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Names in an attempt's directory.
const (
	lockFile  = "lock"
	logFile   = "runner.log"
	workspace = "ws"
)

// attempt is an attempt's directory.
type attempt struct{ key, dir string }

func (a attempt) path(name string) string { return filepath.Join(a.dir, name) }

func (a attempt) started() bool {
	_, err := os.Lstat(a.path(logFile))
	return err == nil
}

// take makes the directory if need be and takes its lock; nil when it is held.
func (a attempt) take() (*os.File, error) {
	for {
		if err := os.MkdirAll(a.dir, 0o700); err != nil {
			return nil, delivery.Wrap(delivery.Unavailable, "the attempt's directory cannot be made", err)
		}
		lock, err := os.OpenFile(a.path(lockFile), os.O_CREATE|os.O_RDWR, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was forgotten in between
		}
		if err != nil {
			return nil, delivery.Wrap(delivery.Unavailable, "the attempt's lock cannot be opened", err)
		}
		ok, err := tryLock(lock)
		if ok && a.current(lock) {
			return lock, nil
		}
		_ = lock.Close()
		if err != nil || !ok {
			return nil, err
		}
	}
}

// takeOrStarted takes the lock, or returns nil when its holder has started a
// runner. Until then it may be a server that is about to, or that has failed to
// and whose other children hold the lock for the moment between fork and exec.
func (a attempt) takeOrStarted(ctx context.Context) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		lock, err := a.take()
		if lock != nil || err != nil || a.started() {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, delivery.E(delivery.Unavailable, "attempt "+a.key+" is being started by another server; try again")
		case <-tick.C:
		}
	}
}

// current tells whether the directory still has this very lock.
func (a attempt) current(lock *os.File) bool {
	ours, err := lock.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Lstat(a.path(lockFile))
	return err == nil && os.SameFile(ours, theirs)
}

// held tells whether anybody holds the lock, without taking it.
func (a attempt) held() (bool, error) {
	lock, err := os.OpenFile(a.path(lockFile), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the lock of %s: %w", a.key, err)
	}
	defer func() { _ = lock.Close() }()
	l := wholeFile()
	if err := unix.FcntlFlock(lock.Fd(), unix.F_OFD_GETLK, &l); err != nil {
		return false, fmt.Errorf("look at the lock of %s: %w", a.key, err)
	}
	return l.Type != unix.F_UNLCK, nil
}

func tryLock(f *os.File) (bool, error) {
	l := wholeFile()
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &l)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return true, nil
}

func wholeFile() unix.Flock_t { return unix.Flock_t{Type: unix.F_WRLCK} }

// pid is the process id that the runner has written; 0 when it has not yet. It is
// the runner's for as long as the lock is held.
func (a attempt) pid() int {
	data, err := os.ReadFile(a.path(lockFile))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 1 {
		return 0
	}
	return pid
}

// lastWords is the end of what the runner itself wrote.
func (a attempt) lastWords() []string {
	const most = 4 << 10
	f, err := os.Open(a.path(logFile))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	data := make([]byte, min(info.Size(), most))
	if _, err := f.ReadAt(data, info.Size()-int64(len(data))); err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if lines[0] == "" {
		return nil
	}
	return lines[max(0, len(lines)-3):]
}

func (a attempt) forget() error {
	if _, err := os.Lstat(a.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := a.take()
	if err != nil {
		return err
	}
	if lock == nil {
		return delivery.E(delivery.Conflict, "attempt "+a.key+" is still running; stop it first")
	}
	defer func() { _ = lock.Close() }()
	return removeAll(a.dir)
}
