package local

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownMounts gives a process that is to be started mounts of its own, and what it
// takes to mount. Unless we are root that takes a user namespace, in which it is the
// same user as outside, with privileges over nothing but its own files.
func ownMounts(attr *syscall.SysProcAttr) {
	attr.Cloneflags = unix.CLONE_NEWNS
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		return
	}
	attr.Cloneflags |= unix.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	attr.AmbientCaps = []uintptr{ // what overlayfs does on behalf of who mounted it
		unix.CAP_SYS_ADMIN, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_FOWNER, unix.CAP_CHOWN, unix.CAP_FSETID,
	}
}
