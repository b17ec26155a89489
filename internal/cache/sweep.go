package cache

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Info is a snapshot as people see it.
type Info struct {
	Place
	Meta
	ID string
	// UsedAt is when it was last restored, or published; Hits how often it was
	// restored.
	UsedAt time.Time
	Hits   int64
	dir    string
}

// purpose is what a newer snapshot must have in common to replace an older one.
type purpose struct {
	Place
	key string
}

func (i Info) purpose() purpose { return purpose{i.Place, i.Key.Digest} }

// List lists all snapshots that can be used, the one that was used last first.
func (s *Store) List() ([]Info, error) {
	all, _, err := s.list()
	return all, err
}

// list also returns the directories of snapshots that cannot be used.
func (s *Store) list() (all []Info, broken []string, err error) {
	places, err := s.places()
	for _, p := range places {
		ids, idErr := s.ids(p)
		err = errors.Join(err, idErr)
		for _, id := range ids {
			sn, openErr := s.open(p, id)
			if openErr != nil {
				if exists(sn.dir) {
					broken = append(broken, sn.dir)
				}
				continue
			}
			i := Info{Place: p, Meta: sn.Meta, ID: id, UsedAt: sn.At, dir: sn.dir}
			if st, statErr := os.Stat(filepath.Join(sn.dir, leaseFile)); statErr == nil {
				i.UsedAt, i.Hits = st.ModTime().UTC(), st.Size()
			}
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b Info) int {
		return cmp.Or(b.UsedAt.Compare(a.UsedAt), cmp.Compare(b.ID, a.ID))
	})
	return all, broken, err
}

// Drop has snapshots removed: from here on none of them is restored, and nothing that
// was made of one is published. Files that a build works on go when it has ended.
func (s *Store) Drop(ctx context.Context, which func(Info) bool) (dropped []Info, err error) {
	all, err := s.List()
	for _, i := range all {
		if !which(i) {
			continue
		}
		if moveErr := s.discard(i.dir, i.ID); moveErr != nil {
			err = errors.Join(err, moveErr)
			continue
		}
		dropped = append(dropped, i)
	}
	return dropped, errors.Join(err, s.emptyTrash(ctx, trashDir))
}

// discard takes a snapshot out of everybody's sight.
func (s *Store) discard(dir, id string) error {
	trash := filepath.Join(s.Dir, trashDir)
	if err := os.MkdirAll(trash, 0o700); err != nil {
		return err
	}
	err := os.Rename(dir, filepath.Join(trash, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another was faster
	}
	return err
}

// Swept says what a Sweep removed.
type Swept struct {
	Snapshots int
	Bytes     int64
	// Left is how much the snapshots have that are left.
	Left int64
}

// batch bounds how many snapshots one Sweep removes when the disk is not full.
const batch = 16

// Sweep removes what writers left that died, what newer snapshots replace, and, the
// least recently used first, what goes beyond the limit or fills the disk. What is in
// use stays.
func (s *Store) Sweep(ctx context.Context) (Swept, error) {
	err := s.emptyTrash(ctx, tmpDir, trashDir)
	all, broken, listErr := s.list()
	err = errors.Join(err, listErr)
	var w Swept
	for _, dir := range broken {
		err = errors.Join(err, s.discard(dir, filepath.Base(dir)))
	}
	newest := map[purpose]string{}
	for _, i := range all {
		w.Left += i.Bytes
		newest[i.purpose()] = max(newest[i.purpose()], i.ID)
	}
	for _, old := range []func(Info) bool{
		func(i Info) bool { return i.ID < newest[i.purpose()] },
		func(Info) bool { return s.Limit > 0 && w.Left > s.Limit && w.Snapshots < batch },
		func(Info) bool { return s.full() },
	} {
		for n := len(all) - 1; n >= 0 && ctx.Err() == nil; n-- {
			if !old(all[n]) {
				continue
			}
			gone, removeErr := s.remove(all[n])
			err = errors.Join(err, removeErr)
			if gone {
				w.Snapshots, w.Bytes, w.Left = w.Snapshots+1, w.Bytes+all[n].Bytes, w.Left-all[n].Bytes
				all = slices.Delete(all, n, n+1)
			}
		}
	}
	return w, errors.Join(err, s.emptyTrash(ctx, trashDir), s.harden(all))
}

func (s *Store) full() bool {
	free, reserve, err := space(s.Dir)
	return err == nil && free < reserve
}

// remove removes a snapshot unless it is in use.
func (s *Store) remove(i Info) (bool, error) {
	f, err := lock(filepath.Join(i.dir, leaseFile), unix.LOCK_EX)
	if f == nil || err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	if !same(f, filepath.Join(i.dir, leaseFile)) {
		return true, nil
	}
	if err := s.discard(i.dir, i.ID); err != nil {
		return false, err
	}
	return true, removeAll(filepath.Join(s.Dir, trashDir, i.ID))
}

// young is how long a writer may take from making its directory to its lease.
const young = time.Minute

// emptyTrash removes what is in folders of the Store that nobody holds a lease on.
func (s *Store) emptyTrash(ctx context.Context, folders ...string) error {
	var errs []error
	for _, folder := range folders {
		names, err := dirNames(filepath.Join(s.Dir, folder))
		errs = append(errs, err)
		for _, name := range names {
			if ctx.Err() != nil {
				return errors.Join(errs...)
			}
			errs = append(errs, s.removeLeft(filepath.Join(s.Dir, folder, name)))
		}
	}
	return errors.Join(errs...)
}

func (s *Store) removeLeft(dir string) error {
	path := filepath.Join(dir, leaseFile)
	f, err := lock(path, unix.LOCK_EX)
	if err != nil {
		return err
	}
	if f == nil {
		if info, err := os.Stat(dir); exists(path) || err != nil || s.Now().Sub(info.ModTime()) < young {
			return nil
		}
		return removeAll(dir)
	}
	defer func() { _ = f.Close() }()
	return removeAll(dir)
}

// harden marks snapshots that are on disk for sure, having waited for the disk once
// for all of them.
func (s *Store) harden(all []Info) error {
	var soft []Info
	for _, i := range all {
		if !exists(filepath.Join(i.dir, durableFile)) {
			soft = append(soft, i)
		}
	}
	if len(soft) == 0 {
		return nil
	}
	d, err := os.Open(s.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		return err
	}
	var errs []error
	for _, i := range soft {
		err := os.WriteFile(filepath.Join(i.dir, durableFile), nil, 0o600)
		if !errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// removeAll removes a tree in which tools may have left read-only folders. It follows
// no symbolic link.
func removeAll(path string) error {
	if err := os.RemoveAll(path); err == nil {
		return nil
	}
	walked := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			return errors.Join(os.Chmod(path, 0o700), err) // before it is read, and again if that fails
		}
		return err
	})
	if err := os.RemoveAll(path); err != nil {
		return errors.Join(walked, err)
	}
	return nil
}
