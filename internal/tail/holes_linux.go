package tail

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func identify(info fs.FileInfo) (identity, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	return identity{uint64(st.Dev), st.Ino}, true
}

// deleted tells whether the file has no name left at all.
func (f *file) deleted() bool {
	info, err := f.Stat()
	if err != nil {
		return true
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}

// data is where there is something at or behind an offset; the offset itself where
// that cannot be known.
func (f *file) data(offset int64) int64 {
	at, err := unix.Seek(int(f.Fd()), offset, unix.SEEK_DATA)
	if err != nil {
		return offset
	}
	return at
}

// punch gives the room of a part of a file back to the disk.
func punch(f *os.File, offset, length int64) error {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, length)
}
