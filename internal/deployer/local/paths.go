package local

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/shiplock/shiplock/internal/delivery"
)

// maxSocketPath is below the 108 bytes of sockaddr_un.sun_path (104 on BSD).
const maxSocketPath = 100

// LockFile, in the data directory, is locked (flock) for as long as a supervisor of it
// lives.
const LockFile = "supervisor.lock"

// SocketPath is where the supervisor of a data directory listens: inside it, or,
// when that path is too long for a socket, in a private directory under
// os.TempDir named after it.
func SocketPath(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", delivery.Wrap(delivery.Invalid, "data directory", err)
	}
	path := filepath.Join(dir, "supervisor.sock")
	if len(path) <= maxSocketPath {
		return path, nil
	}
	private := filepath.Join(os.TempDir(), "shiplock-"+strconv.Itoa(os.Getuid())+"-"+DirID(dir))
	path = filepath.Join(private, "s.sock")
	if len(path) > maxSocketPath {
		return "", invalid("%s is too long for a socket: choose a shorter data directory or TMPDIR", path)
	}
	return path, privateDir(private)
}

// DirID is a short name for a data directory, the same in every process.
func DirID(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:6])
}

// privateDir makes path, or checks that nobody else could have made it: a
// directory in a shared place with a guessable name may be a trap.
func privateDir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !os.IsExist(err) {
		return delivery.Wrap(delivery.Unavailable, "make the socket's directory", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return delivery.Wrap(delivery.Unavailable, "look at the socket's directory", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || info.Mode().Perm() != 0o700 || int(stat.Uid) != os.Getuid() {
		return delivery.E(delivery.Denied, fmt.Sprintf("%s is not a private directory of this user: remove it", path))
	}
	return nil
}
