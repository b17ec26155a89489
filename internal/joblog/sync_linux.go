package joblog

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes f's content and length durable.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
