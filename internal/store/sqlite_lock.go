package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// fileLock tells a replica that no other one is alive on this machine: the kernel
// drops the lock with the process that held it, however that ended.
type fileLock struct {
	file *os.File
	held bool
	err  error // of the last try
}

func openLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &fileLock{file: f}, nil
}

// tryLock takes the lock unless it is held elsewhere or the file system has none.
// The file stays behind: removing it would let two processes lock two files.
func (l *fileLock) tryLock() bool {
	if !l.held {
		l.err = unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if l.held = l.err == nil; l.held {
			l.sign()
		}
	}
	return l.held
}

// works tells, after a try, whether the file system has locks.
func (l *fileLock) works() bool { return l.held || l.err == unix.EWOULDBLOCK }

func (l *fileLock) close() error { return l.file.Close() }
