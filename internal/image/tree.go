package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// whiteout starts the name of a layer entry that deletes another one.
const whiteout = ".wh."

// tree is a local directory as it was when it was scanned.
type tree struct {
	root    *os.Root
	into    string
	entries []entry
	stamp   stamp
}

func (t *tree) Close() error { return t.root.Close() }

// scanTree lists dir as the entries of a layer that puts its content into the
// directory into of the image.
func scanTree(dir, into string) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, delivery.Wrap(delivery.Invalid, fmt.Sprintf("there is no directory %s; the build must leave there what belongs into the image", dir), err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	t := &tree{root: root, into: into}
	if err := t.scan(); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", dir, err), root.Close())
	}
	return t, nil
}

func (t *tree) scan() error {
	into := strings.TrimPrefix(t.into, "/")
	s := newStamper(into)
	err := fs.WalkDir(t.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		e, err := t.entry(name, into, info)
		if err != nil {
			return err
		}
		t.entries = append(t.entries, e)
		s.add(name, e, info)
		return nil
	})
	t.stamp = s.stamp()
	return err
}

func (t *tree) entry(name, into string, info fs.FileInfo) (entry, error) {
	if strings.HasPrefix(path.Base(name), whiteout) {
		return entry{}, refuse(name, "has a name that would delete files of the image; rename it")
	}
	e := entry{name: path.Join(into, name), mode: normalMode(info.Mode())}
	switch info.Mode().Type() {
	case 0:
		e.size = info.Size()
		e.open = func() (io.ReadCloser, error) { return t.root.Open(name) }
	case fs.ModeDir:
	case fs.ModeSymlink:
		target, err := t.root.Readlink(name)
		if err != nil {
			return entry{}, err
		}
		if leaves(name, target) || escapes(t.root, name) {
			return entry{}, refuse(name, fmt.Sprintf("is a symbolic link out of the directory, to %.200q; copy the file instead", target))
		}
		e.link = target
	default:
		return entry{}, refuse(name, "is not a file, directory or symbolic link; remove it")
	}
	return e, nil
}

// leaves tells whether a link at name spells a way out of its tree.
func leaves(name, target string) bool {
	if path.IsAbs(target) {
		return true
	}
	to := path.Join(path.Dir(name), target)
	return to == ".." || strings.HasPrefix(to, "../")
}

// escapes tells whether following the link at name, over other links too, ends
// outside root. A link to nothing is harmless.
func escapes(root *os.Root, name string) bool {
	_, err := root.Stat(name)
	return err != nil && !errors.Is(err, fs.ErrNotExist)
}

func refuse(name, why string) error {
	return delivery.E(delivery.Invalid, fmt.Sprintf("%.300q %s", name, why))
}
