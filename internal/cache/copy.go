package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/internal/delivery"
)

// stamp changes when a file does: nobody but the kernel sets a file's ctime.
type stamp struct {
	inode, size  uint64
	mode         uint32
	ctime, mtime int64 // ns
}

func stampOf(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return stamp{}, err
	}
	return stamp{st.Ino, uint64(st.Size), st.Mode, st.Ctim.Nano(), st.Mtim.Nano()}, nil
}

// copier copies a tree of folders, files and symbolic links, which it does not
// follow. Anything else is left out. Files are given to several workers: making them
// takes longer than filling them.
type copier struct {
	from, to string
	// link is the path of a file that is the same for ever, to be linked instead of
	// copied; "" copies. nil copies all.
	link func(rel string) string
	// stamps asks to note every file as it was made.
	stamps bool

	mu     sync.Mutex
	placed map[string]stamp
	copied atomic.Bool // a file's content, and not by sharing its blocks
	shared atomic.Bool // a file's blocks
	folder []folder    // whose mode is set at the end: a file may be made in it until then
}

type folder struct {
	path string
	mode fs.FileMode
}

func (c *copier) run(ctx context.Context) error {
	c.placed = map[string]stamp{}
	g, ctx := errgroup.WithContext(ctx)
	files := make(chan string, 256)
	for range 2 * runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for rel := range files {
				if err := c.file(rel); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(files)
		return filepath.WalkDir(c.from, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return c.entry(ctx, path, d, files)
		})
	})
	if err := g.Wait(); err != nil {
		return err
	}
	for i := len(c.folder) - 1; i >= 0; i-- { // the inner ones first
		if err := os.Chmod(c.folder[i].path, c.folder[i].mode); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) entry(ctx context.Context, path string, d fs.DirEntry, files chan<- string) error {
	rel, err := filepath.Rel(c.from, path)
	if err != nil {
		return err
	}
	to := filepath.Join(c.to, rel)
	switch {
	case d.IsDir():
		info, err := d.Info()
		if err != nil {
			return err
		}
		if err := os.Mkdir(to, 0o700); err != nil && (rel != "." || !errors.Is(err, fs.ErrExist)) {
			return err
		}
		c.folder = append(c.folder, folder{to, info.Mode().Perm()})
	case d.Type() == fs.ModeSymlink:
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case d.Type().IsRegular():
		select {
		case files <- rel:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (c *copier) file(rel string) error {
	from, to := filepath.Join(c.from, rel), filepath.Join(c.to, rel)
	if c.link != nil {
		if same := c.link(rel); same != "" {
			err := os.Link(same, to)
			if !errors.Is(err, unix.EMLINK) {
				return err
			}
			from = same
		}
	}
	if err := c.copy(from, to); err != nil || !c.stamps {
		return err
	}
	now, err := stampOf(to)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.placed[rel] = now
	return err
}

// copy makes a file of the same content, mode and time.
func (c *copier) copy(from, to string) (err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := c.fill(out, in, info.Size()); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		if err := out.Chmod(mode); err != nil {
			return err
		}
	}
	return setTime(to, info.ModTime())
}

// fill copies the content, by sharing its blocks if the disk can.
func (c *copier) fill(out, in *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	if !c.copied.Load() {
		if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) == nil {
			c.shared.Store(true)
			return nil
		}
		c.copied.Store(true)
	}
	_, err := io.Copy(out, in)
	return err
}

func setTime(path string, at time.Time) error {
	t := unix.NsecToTimespec(at.UnixNano())
	return unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
}

// how names the way in which the content was copied.
func (c *copier) how() string {
	if c.shared.Load() && !c.copied.Load() {
		return delivery.RestoredReflink
	}
	return delivery.RestoredCopy
}
