package blob

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// enter makes the folder of this store's unfinished writes. The lock on it ends with
// the process.
func (d *Dir) enter() error {
	if err := d.root.Mkdir(tmp, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := d.sweep(); err != nil {
		return err
	}
	for d.hold == nil {
		d.own = path.Join(tmp, rand.Text())
		if err := d.root.Mkdir(d.own, 0o755); err != nil {
			return err
		}
		var err error
		if d.hold, err = d.lock(d.own); err != nil {
			return err
		}
	}
	return nil
}

// lock locks a folder; nil when another store has it, or has removed it.
func (d *Dir) lock(folder string) (*os.File, error) {
	f, err := d.root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		_, err = d.root.Stat(folder) // it may have been swept before it was locked
	}
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, fs.ErrNotExist):
		return nil, f.Close()
	}
	return nil, errors.Join(err, f.Close())
}

// sweep removes what is in nobody's hands.
func (d *Dir) sweep() error {
	entries, err := fs.ReadDir(d.root.FS(), tmp)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := d.sweepEntry(e); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) sweepEntry(e fs.DirEntry) error {
	name := path.Join(tmp, e.Name())
	if !e.IsDir() {
		return d.root.RemoveAll(name)
	}
	held, err := d.lock(name)
	if held == nil || err != nil {
		return err
	}
	return errors.Join(d.root.RemoveAll(name), held.Close())
}
