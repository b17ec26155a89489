package seal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/internal/delivery"
)

// File keeps master keys in a file that only its owner can read: one a line, in
// base64, the newest first. Several servers may share it.
type File struct {
	path string
	mu   sync.Mutex
}

// OpenFile opens the file of keys, and makes it with one key when it is missing.
// Invalid when others may read it, or it holds no keys.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	_, err := f.read()
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	return f, f.change(func(r ring) (ring, error) {
		if len(r) > 0 {
			return r, nil // another server was first
		}
		k, err := freshKey()
		return ring{k}, err
	})
}

// Wrap implements Keys.
func (f *File) Wrap(_ context.Context, key string, data, bound []byte) ([]byte, error) {
	r, err := f.read()
	if err != nil {
		return nil, err
	}
	return r.wrap(key, data, bound)
}

// Unwrap implements Keys.
func (f *File) Unwrap(_ context.Context, key string, wrapped, bound []byte) ([]byte, error) {
	r, err := f.read()
	if err != nil {
		return nil, err
	}
	return r.unwrap(key, wrapped, bound)
}

// Newest implements Keys.
func (f *File) Newest(context.Context) (string, error) {
	r, err := f.read()
	if err != nil {
		return "", err
	}
	return r[0].name, nil
}

// Make implements Keys.
func (f *File) Make(context.Context) (name string, err error) {
	k, err := freshKey()
	if err != nil {
		return "", err
	}
	return k.name, f.change(func(r ring) (ring, error) { return append(ring{k}, r...), nil })
}

// Retire implements Keys.
func (f *File) Retire(_ context.Context, key string) error {
	return f.change(func(r ring) (ring, error) {
		for i, k := range r {
			if k.name == key {
				return r[:i+1], nil
			}
		}
		return nil, fmt.Errorf("%s: %w", key, ErrUnknownKey)
	})
}

func (f *File) read() (ring, error) {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "read the master keys", err)
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "read the master keys", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, delivery.E(delivery.Invalid, fmt.Sprintf("others may read the master keys in %s: run `chmod 600 %[1]s`", f.path))
	}
	r, err := parseFile(string(text))
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "the file of master keys "+f.path+" is broken: put the one from your backup there", err)
	}
	return r, nil
}

func parseFile(text string) (r ring, err error) {
	for n, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		r = append(r, k)
	}
	if len(r) == 0 {
		return nil, errors.New("it holds no key")
	}
	return r, nil
}

const fileHead = "# Master keys of Shiplock's secrets, the newest first. Without this file the secrets are lost:\n# keep a copy of it, and not beside the backups of the database.\n"

// change replaces the file as a whole; no other server changes it meanwhile.
func (f *File) change(do func(ring) (ring, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	lock, err := os.OpenFile(f.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return delivery.Wrap(delivery.Unavailable, "lock the master keys", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return delivery.Wrap(delivery.Unavailable, "lock the master keys", err)
	}
	r, err := f.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if r, err = do(r); err != nil {
		return err
	}
	return delivery.Wrap(delivery.Unavailable, "write the master keys", f.write(r))
}

// write puts the keys on the disk before their name leads to them.
func (f *File) write(r ring) error {
	var b strings.Builder
	b.WriteString(fileHead)
	for _, k := range r {
		b.WriteString(k.text + "\n")
	}
	dir := filepath.Dir(f.path)
	tmp, err := os.CreateTemp(dir, filepath.Base(f.path)+".new-*") // for its owner only
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(b.String())
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), f.path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
