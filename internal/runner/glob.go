package runner

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// glob is a pattern of files, cut at its slashes: as of path.Match, and "**" stands
// for any folders, also for none.
type glob []string

func newGlob(pattern string) glob { return strings.Split(pattern, "/") }

const anyFolders = "**"

// deepest is how many folders a pattern reaches into.
const deepest = 32

// unsearched are folders that "**" does not stand for: they are large, and others'.
var unsearched = [...]string{".git", "node_modules"}

// matches tells whether the pattern names a file. Only the last "**" needs to be
// tried again, so the work is bounded by the product of the lengths.
func (g glob) matches(file []string) bool {
	star, from := -1, 0
	i, k := 0, 0
	for k < len(file) {
		switch {
		case i < len(g) && g[i] == anyFolders:
			star, from = i, k
			i++
		case i < len(g) && matchName(g[i], file[k]):
			i++
			k++
		case star >= 0:
			from++
			i, k = star+1, from
		default:
			return false
		}
	}
	return i == len(g)
}

// leads tells whether files of the pattern may be in a folder, given that they may
// be in the one above it.
func (g glob) leads(folder []string) bool {
	if len(folder) > deepest {
		return false
	}
	name := folder[len(folder)-1]
	if i := slices.Index(g, anyFolders); i >= 0 && i < len(folder) {
		return !slices.Contains(unsearched[:], name)
	}
	return len(folder) < len(g) && matchName(g[len(folder)-1], name)
}

func matchName(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
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
