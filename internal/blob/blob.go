// Package blob keeps named contents in a directory of the local file system.
//
// What a write call has stored survives a power failure: contents and the
// directory entries that lead to them are synced before the call returns.
package blob

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// tmp holds unfinished writes, in a folder for each open store.
const tmp = ".tmp"

// Dir is a store in one directory. A key is a clean slash-separated relative
// path; no key reaches outside the directory, not even through a symbolic link.
// All methods may be called concurrently. A key that is not clean is Invalid,
// one that is not there is NotFound.
type Dir struct {
	root *os.Root
	own  string   // the folder of this store's unfinished writes
	hold *os.File // keeps own from being swept
}

// Open opens the store at dir, making the directory when it is missing, and removes
// what writes of processes that ended have left. Several processes may have a store
// open: what one of them has stored, the others see.
func Open(dir string) (*Dir, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	d := &Dir{root: root}
	if err := d.enter(); err != nil {
		return nil, errors.Join(fmt.Errorf("open blob store: %w", err), root.Close())
	}
	return d, nil
}

// Close releases the directory. Files that were opened stay usable.
func (d *Dir) Close() error {
	return errors.Join(d.root.RemoveAll(d.own), d.hold.Close(), d.root.Close())
}

// Put stores content under key, replacing what was there in one step.
func (d *Dir) Put(key string, content []byte) error {
	if err := check(key); err != nil {
		return err
	}
	name := path.Join(d.own, rand.Text())
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = d.rename(name, key)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("put %s: %w", key, err), d.root.Remove(name))
	}
	return nil
}

// Open opens the content of key for reading at any offset.
func (d *Dir) Open(key string) (*os.File, error) {
	if err := check(key); err != nil {
		return nil, err
	}
	f, err := d.root.Open(key)
	if err != nil {
		return nil, classify("open", key, err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(classify("open", key, fs.ErrNotExist), err, f.Close())
	}
	return f, nil
}

// Get returns the content of key, which must be at most limit bytes long.
func (d *Dir) Get(key string, limit int64) ([]byte, error) {
	f, err := d.Open(key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("get %s: longer than %d bytes", key, limit)
	}
	return content, nil
}

// Stat describes the content of key without reading it.
func (d *Dir) Stat(key string) (fs.FileInfo, error) {
	if err := check(key); err != nil {
		return nil, err
	}
	info, err := d.root.Stat(key)
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, classify("stat", key, err)
	}
	return info, nil
}

// Touch sets the time that Stat tells of key.
func (d *Dir) Touch(key string, at time.Time) error {
	if err := check(key); err != nil {
		return err
	}
	if err := d.root.Chtimes(key, at, at); err != nil {
		return classify("touch", key, err)
	}
	return nil
}

// Append opens key for writing at its end, creating it empty. What is written
// is durable only once Move has given it its final key.
func (d *Dir) Append(key string) (*os.File, error) {
	if err := check(key); err != nil {
		return nil, err
	}
	if err := d.mkdir(path.Dir(key)); err != nil {
		return nil, fmt.Errorf("append %s: %w", key, err)
	}
	f, err := d.root.OpenFile(key, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("append %s: %w", key, err)
	}
	return f, nil
}

// Move makes the content of from durable and gives it the key to, replacing
// what was there in one step.
func (d *Dir) Move(from, to string) error {
	if err := check(to); err != nil {
		return err
	}
	f, err := d.Open(from)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("move %s: %w", from, err)
	}
	if err := d.rename(from, to); err != nil {
		return classify("move", from, err)
	}
	return nil
}

// Delete removes key; a power failure may bring it back. Deleting what is not
// there is no error.
func (d *Dir) Delete(key string) error {
	if err := check(key); err != nil {
		return err
	}
	if err := d.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// List returns the entries directly below the directory prefix ("." for the
// top), sorted by name; a prefix that is not there is empty.
func (d *Dir) List(prefix string) ([]fs.DirEntry, error) {
	if prefix != "." {
		if err := check(prefix); err != nil {
			return nil, err
		}
	}
	entries, err := fs.ReadDir(d.root.FS(), prefix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return prefix == "." && e.Name() == tmp }), nil
}

func (d *Dir) rename(from, to string) error {
	dir := path.Dir(to)
	if err := d.mkdir(dir); err != nil {
		return err
	}
	if err := d.root.Rename(from, to); err != nil {
		return err
	}
	return d.sync(dir)
}

// mkdir makes dir and its parents, each durable in its own parent.
func (d *Dir) mkdir(dir string) error {
	if info, err := d.root.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := path.Dir(dir)
	if err := d.mkdir(parent); err != nil {
		return err
	}
	if err := d.root.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.sync(parent)
}

func (d *Dir) sync(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// check refuses keys that are not clean, would be foreign to some file system,
// or name the store's own files.
func check(key string) error {
	first, _, _ := strings.Cut(key, "/")
	if key == "." || first == tmp || strings.Contains(key, "\x00") || !fs.ValidPath(key) || !filepath.IsLocal(key) {
		return badKey(key)
	}
	return nil
}

func badKey(key string) error {
	return delivery.E(delivery.Invalid, fmt.Sprintf("%.200q is not a valid blob key; use a clean relative path", key))
}

func classify(verb, key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return delivery.Wrap(delivery.NotFound, "no blob "+key, err)
	}
	return fmt.Errorf("%s %s: %w", verb, key, err)
}
