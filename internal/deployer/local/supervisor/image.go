package supervisor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const unpackLimit = 5 * time.Minute

// images are the unpacked images of one Target. A Target does not share them
// with another, since apps write below their own directory.
type images struct {
	dir    string
	unpack func(ctx context.Context, ref, dir string) error
	mu     sync.Mutex // one unpacking at a time
}

func (im *images) path(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return filepath.Join(im.dir, hex.EncodeToString(sum[:8]))
}

// ensure returns the directory of an image, which is either whole or not there.
func (im *images) ensure(ctx context.Context, ref string) (string, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	path := im.path(ref)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(im.dir, 0o700); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(im.dir, ".unpacking-")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, unpackLimit)
	defer cancel()
	if err := im.unpack(ctx, ref, temp); err != nil {
		return "", errors.Join(fmt.Errorf("unpack %s: %w", ref, err), os.RemoveAll(temp))
	}
	return path, os.Rename(temp, path)
}

// discard takes every image but those named out of use and returns what is then
// to be removed, which may take long. While one is being unpacked it leaves all
// to the next call.
func (im *images) discard(keep []string) (trash []string, err error) {
	if !im.mu.TryLock() {
		return nil, nil
	}
	defer im.mu.Unlock()
	kept := map[string]bool{}
	for _, ref := range keep {
		kept[im.path(ref)] = true
	}
	entries, err := filepath.Glob(filepath.Join(im.dir, "*"))
	for _, entry := range entries {
		if kept[entry] {
			continue
		}
		gone := filepath.Join(im.dir, ".trash-"+filepath.Base(entry))
		if renameErr := os.Rename(entry, gone); renameErr != nil {
			err = errors.Join(err, renameErr)
			continue
		}
		trash = append(trash, gone)
	}
	return trash, err
}
