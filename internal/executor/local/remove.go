package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// removeAll removes a tree that build tools may have left with read-only
// directories, such as Go's module cache. It follows no symbolic link.
func removeAll(path string) error {
	if err := os.RemoveAll(path); err == nil {
		return nil
	}
	walked := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			// Called before a directory is read, and again if that fails.
			return errors.Join(os.Chmod(path, 0o700), err)
		}
		return err
	})
	err := os.RemoveAll(path)
	if err != nil {
		return errors.Join(walked, err)
	}
	return nil
}
