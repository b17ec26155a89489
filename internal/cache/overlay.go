package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// overlay mounts tree below f's scratch at f.Dir, so that writes go to the scratch.
// It ends with the mounts of this process, which the kernel takes down with the last
// process that has them.
func overlay(tree string, f Folder) error {
	work := filepath.Join(f.Scratch, "work")
	if err := errors.Join(os.MkdirAll(f.upper(), 0o755), os.MkdirAll(work, 0o700)); err != nil {
		return err
	}
	if info, err := os.Stat(tree); err != nil {
		return err
	} else if err := os.Chmod(f.upper(), info.Mode().Perm()); err != nil {
		return err
	}
	options := "lowerdir=" + option(tree) + ",upperdir=" + option(f.upper()) + ",workdir=" + option(work) +
		// Plain files and folders in the upper part, so that they can be compared.
		",redirect_dir=nofollow,metacopy=off,index=off"
	if os.Getuid() != 0 {
		options += ",userxattr" // privileged attributes are the machine's root's
	}
	// Nobody needs the upper part after a crash: volatile leaves syncing out. Kernels
	// before 5.10 do not know it.
	err := unix.Mount("overlay", f.Dir, "overlay", 0, options+",volatile")
	if errors.Is(err, unix.EINVAL) {
		err = unix.Mount("overlay", f.Dir, "overlay", 0, options)
	}
	if err != nil {
		return fmt.Errorf("mount an overlay: %w", err)
	}
	return nil
}

// option writes a path as overlayfs reads it.
func option(path string) string {
	return strings.NewReplacer(`\`, `\\`, `:`, `\:`, `,`, `\,`).Replace(path)
}

// OwnMounts keeps the mounts of this process, which was started with mounts of its
// own, from the rest of the machine.
func OwnMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("keep mounts to this process: %w", err)
	}
	return nil
}
