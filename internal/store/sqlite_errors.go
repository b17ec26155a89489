package store

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/shiplock/shiplock/internal/delivery"
)

// classifySQLite gives an error of the database its kind and says what to do.
func classifySQLite(path string, err error) error {
	if classified(err) {
		return err
	}
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return unopenable(path, err)
		}
		return delivery.Wrap(delivery.Internal, "the database "+path, err)
	}
	switch code(failed) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return delivery.Wrap(delivery.Unavailable, "the database "+path+" is locked by another program: end it, or wait for it", err)
	case sqlite3.SQLITE_FULL:
		return full(path, err)
	case sqlite3.SQLITE_IOERR:
		if diskFull(path) {
			return full(path, err)
		}
		return delivery.Wrap(delivery.Unavailable, "the disk of "+path+" does not work: see the system's log", err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY:
		return unopenable(path, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return delivery.Wrap(delivery.Internal, "the database "+path+" is damaged or none of Shiplock's: restore a backup", err)
	}
	return delivery.Wrap(delivery.Internal, "the database "+path, err)
}

// code returns the class of an error: its low byte, the rest is detail.
func code(err *sqlite.Error) int { return err.Code() & 0xff }

// busy tells whether another process holds the lock that was needed. One that
// stops halfway through a commit shows as SQLITE_PROTOCOL: the write-ahead log's
// index stays torn, and reading it is given up after some seconds.
func busy(err error) bool {
	var failed *sqlite.Error
	return errors.As(err, &failed) && (code(failed) == sqlite3.SQLITE_BUSY || code(failed) == sqlite3.SQLITE_PROTOCOL)
}

func full(path string, err error) error {
	return delivery.Wrap(delivery.Unavailable, "the disk is full: free space in "+filepath.Dir(path)+"; Shiplock then goes on by itself", err)
}

func unopenable(path string, err error) error {
	return delivery.Wrap(delivery.Unavailable, "the database "+path+" cannot be opened for writing: make its folder, and let this user write there", err)
}

// diskFull tells a full disk from a broken one: SQLite reports both as an I/O error.
func diskFull(path string) bool {
	var s syscall.Statfs_t
	const least = 1 << 20 // bytes
	return syscall.Statfs(filepath.Dir(path), &s) == nil && s.Bavail*uint64(s.Bsize) < least
}
