package runner

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"github.com/shiplock/shiplock/internal/delivery"
)

// glob is a pattern of files that is searched for.
type glob delivery.PathPattern

func newGlob(pattern string) glob { return glob(delivery.NewPathPattern(pattern)) }

// deepest is how many folders a pattern reaches into.
const deepest = 32

// unsearched are folders that "**" does not stand for: they are large, and others'.
var unsearched = [...]string{".git", "node_modules"}

// matches tells whether the pattern names a file.
func (g glob) matches(file []string) bool { return delivery.PathPattern(g).Matches(file) }

// leads tells whether files of the pattern may be in a folder, given that they may
// be in the one above it.
func (g glob) leads(folder []string) bool {
	if len(folder) > deepest {
		return false
	}
	name := folder[len(folder)-1]
	if i := slices.Index(g, delivery.AnyFolders); i >= 0 && i < len(folder) {
		return !slices.Contains(unsearched[:], name)
	}
	return len(folder) < len(g) && delivery.MatchName(g[len(folder)-1], name)
}

// errManyFiles ends a search.
var errManyFiles = errors.New("there are too many files to look through; name the folders in the pattern")

// search looks for files below a folder. It follows no symbolic link.
type search struct {
	root  *os.Root
	looks int // entries that may still be looked at
	found func(file string, info fs.FileInfo) error
}

func (s *search) walk(g glob, folder []string) error {
	d, err := s.root.Open(path.Join(append([]string{"."}, folder...)...))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil // it is gone
	}
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // it was only read
	for {
		entries, err := d.ReadDir(500)
		for _, e := range entries {
			if err := s.look(g, append(slices.Clip(folder), e.Name()), e); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *search) look(g glob, name []string, e fs.DirEntry) error {
	if s.looks--; s.looks < 0 {
		return errManyFiles
	}
	switch {
	case e.IsDir() && g.leads(name):
		return s.walk(g, name)
	case !e.Type().IsRegular() || !g.matches(name):
		return nil
	}
	file := path.Join(name...)
	info, err := s.root.Lstat(file)
	if err != nil {
		return nil // it is gone
	}
	return s.found(file, info)
}
