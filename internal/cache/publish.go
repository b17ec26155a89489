package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Publication asks to make a snapshot of a folder.
type Publication struct {
	Place
	// App and Run are of the build whose folder it is.
	App, Run string
	Key      Key
	// Dir is the folder; nothing may write to it any more.
	Dir string
	// From is what it was filled from; nil when it was empty.
	From *Restored
}

// Refusal says why a snapshot was not made, for people.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// Why a folder is not worth a snapshot.
const (
	RefusedSame  Refusal = "nothing in it is new"
	RefusedEmpty Refusal = "it is empty"
)

// worth is how many new bytes make a new snapshot for the same key: less is the
// noise of tools that note when they ran.
const worth = 64 << 10

// Publish makes a snapshot, or says by a Refusal why not.
func (s *Store) Publish(ctx context.Context, p Publication) (Meta, error) {
	if err := p.check(); err != nil {
		return Meta{}, err
	}
	seen, err := look(ctx, p.Dir, p.From)
	if err != nil {
		return Meta{}, fmt.Errorf("look through %s: %w", p.Dir, err)
	}
	if err := s.refuse(p, seen); err != nil {
		return Meta{}, err
	}
	m := Meta{App: p.App, Run: p.Run, At: s.Now().UTC(), Key: p.Key, Bytes: seen.bytes, Files: seen.files, Boot: boot()}
	if err := s.write(ctx, p, m, seen); err != nil {
		if errors.Is(err, unix.ENOSPC) {
			return Meta{}, Refusal("the disk is full")
		}
		return Meta{}, fmt.Errorf("publish a cache: %w", err)
	}
	return m, nil
}

func (s *Store) refuse(p Publication, seen survey) error {
	if seen.files == 0 {
		return RefusedEmpty
	}
	if p.From != nil {
		from := p.From.From
		if !from.current() {
			return Refusal("what it started from was dropped meanwhile")
		}
		if from.Key.Digest == p.Key.Digest && seen.fresh < worth {
			return RefusedSame
		}
	}
	if s.SnapshotLimit > 0 && seen.bytes > s.SnapshotLimit {
		return Refusal(fmt.Sprintf("its %s are more than a snapshot may have, %s", delivery.ByteSize(seen.bytes), delivery.ByteSize(s.SnapshotLimit)))
	}
	free, reserve, err := space(s.Dir)
	if err == nil && free < reserve+seen.fresh {
		return Refusal(fmt.Sprintf("the disk has only %s left", delivery.ByteSize(free)))
	}
	return nil
}

// write writes the snapshot beside the others, and gives it its name.
func (s *Store) write(ctx context.Context, p Publication, m Meta, seen survey) (err error) {
	id := s.newID()
	dir := filepath.Join(s.Dir, tmpDir, id)
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.MkdirAll(p.in(s), 0o700)); err != nil {
		return err
	}
	lease, err := os.OpenFile(filepath.Join(dir, leaseFile), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err // a sweeper was faster, and takes the rest
	}
	defer func() { _ = lease.Close() }()
	if err := unix.Flock(int(lease.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	c := &copier{from: p.Dir, to: filepath.Join(dir, treeDir), link: s.linked(p, seen)}
	err = c.run(ctx)
	if err == nil {
		err = writeJSON(filepath.Join(dir, metaFile), m)
	}
	if err == nil && p.From != nil && !p.From.From.current() {
		err = Refusal("what it started from was dropped meanwhile")
	}
	if err == nil {
		err = os.Rename(dir, filepath.Join(p.in(s), id))
	}
	if err != nil {
		return errors.Join(err, removeAll(dir))
	}
	return nil
}

// linked finds the files that the new snapshot may share with the one it came from:
// nobody writes to either. Snapshots of another trust domain are left to themselves.
func (s *Store) linked(p Publication, seen survey) func(string) string {
	if p.From == nil || p.From.From.Domain != p.Domain {
		return nil
	}
	tree := filepath.Join(p.From.From.dir, treeDir)
	return func(rel string) string {
		if !seen.kept[rel] {
			return ""
		}
		return filepath.Join(tree, rel)
	}
}

func writeJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// space is how much of the disk is free, and how much of that is not for caches.
func space(dir string) (free, reserve int64, err error) {
	st, err := disk(dir)
	if err != nil {
		return 0, 0, err
	}
	size := int64(st.Blocks) * st.Bsize
	return int64(st.Bavail) * st.Bsize, min(size/20, 2<<30), nil
}

// DiskSize is how many bytes the disk of a directory has, which need not be there
// yet; 0 when that cannot be told.
func DiskSize(dir string) int64 {
	st, err := disk(dir)
	if err != nil {
		return 0
	}
	return int64(st.Blocks) * st.Bsize
}

// DiskFree is how many bytes of the disk of a directory are free for us.
func DiskFree(dir string) (int64, error) {
	st, err := disk(dir)
	return int64(st.Bavail) * st.Bsize, err
}

func disk(dir string) (st unix.Statfs_t, err error) {
	for ; ; dir = filepath.Dir(dir) {
		err = unix.Statfs(dir, &st)
		if !errors.Is(err, unix.ENOENT) || dir == filepath.Dir(dir) {
			return st, err
		}
	}
}
