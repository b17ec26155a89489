package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFiles bounds a snapshot.
const maxFiles = 1_000_000

// survey is what is in a folder after a build, beside what it was filled from.
type survey struct {
	bytes, fresh int64
	files        int
	// kept are the files of the snapshot that the folder still has.
	kept map[string]bool
}

// look surveys a folder. from is nil for one that was empty.
func look(ctx context.Context, dir string, from *Restored) (survey, error) {
	s := survey{kept: map[string]bool{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !d.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if s.files++; s.files > maxFiles {
			return fmt.Errorf("there are more than %d files in %s", maxFiles, dir)
		}
		return s.add(path, rel, from)
	})
	return s, err
}

func (s *survey) add(path, rel string, from *Restored) error {
	now, err := stampOf(path)
	if err != nil {
		return err
	}
	s.bytes += int64(now.size)
	if from != nil {
		kept, err := from.kept(path, rel, now)
		if err != nil {
			return err
		}
		if kept {
			s.kept[rel] = true
			return nil
		}
	}
	s.fresh += int64(now.size)
	return nil
}

// kept tells whether a file is the snapshot's, in content and mode. Tools that set
// the time of what they use have it copied by an overlay.
func (r *Restored) kept(path, rel string, now stamp) (bool, error) {
	if !r.touched(rel, now) {
		return true, nil
	}
	old := filepath.Join(r.From.dir, treeDir, rel)
	was, err := stampOf(old)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case was.size != now.size || was.mode != now.mode:
		return false, nil
	}
	return equal(old, path)
}

// equal compares the content of two files of one size.
func equal(a, b string) (bool, error) {
	x, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer func() { _ = x.Close() }() // it was only read
	y, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer func() { _ = y.Close() }() // it was only read
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(x, p)
		m, err2 := io.ReadFull(y, q)
		if !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err2 != nil && !errors.Is(err2, io.EOF) && !errors.Is(err2, io.ErrUnexpectedEOF) {
			return false, err2
		}
		if ended || err != nil {
			if ended {
				err = nil
			}
			return err == nil, err
		}
	}
}
