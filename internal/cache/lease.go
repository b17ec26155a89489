package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Snapshot is a snapshot that is leased: it stays until Release, or until the
// process ends.
type Snapshot struct {
	snapshot
	lease *os.File
}

// Release ends the lease; nil has none.
func (s *Snapshot) Release() {
	if s != nil {
		_ = s.lease.Close()
	}
}

// current tells whether the snapshot is still where it was leased.
func (s *Snapshot) current() bool {
	return same(s.lease, filepath.Join(s.dir, leaseFile))
}

// hire leases a snapshot and counts the use; nil when it is being removed.
func hire(sn snapshot) (*Snapshot, error) {
	f, err := lock(filepath.Join(sn.dir, leaseFile), unix.LOCK_SH)
	if f == nil || err != nil {
		return nil, err
	}
	held := &Snapshot{sn, f}
	if !held.current() || !exists(filepath.Join(sn.dir, metaFile)) {
		held.Release()
		return nil, nil
	}
	_, _ = f.Write([]byte{'.'}) // a full disk is no reason to do without
	return held, nil
}

// lock opens a lease and locks it without waiting; nil when there is none, or
// another has it.
func lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, unix.EROFS) && how == unix.LOCK_SH {
		f, err = os.Open(path) // the use is not counted then
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lease a cache: %w", err)
	}
	err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("lease a cache: %w", err)
}

// same tells whether path is the very file that f is.
func same(f *os.File, path string) bool {
	ours, err := f.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Lstat(path)
	return err == nil && os.SameFile(ours, theirs)
}
