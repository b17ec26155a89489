package joblog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Info describes a stored log.
type Info struct {
	Attempt string
	Written time.Time // when its files last changed
	Bytes   int64     // on disk
	Closed  bool
}

// List returns the logs that were last written before t, by name.
func (s *Store) List(ctx context.Context, t time.Time) ([]Info, error) {
	entries, err := os.ReadDir(s.cfg.Root)
	if err != nil {
		return nil, unavailable(err)
	}
	var old []Info
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !e.IsDir() || !attemptPattern.MatchString(e.Name()) {
			continue
		}
		info, err := s.inspect(e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, unavailable(err)
		}
		if info.Written.Before(t) {
			old = append(old, info)
		}
	}
	return old, nil
}

func (s *Store) inspect(attempt string) (Info, error) {
	info := Info{Attempt: attempt}
	dir, err := os.Stat(s.dir(attempt))
	if err != nil {
		return info, err
	}
	entries, err := os.ReadDir(s.dir(attempt))
	if err != nil {
		return info, err
	}
	for _, e := range entries {
		f, err := e.Info()
		if err != nil {
			return info, err
		}
		info.Bytes += f.Size()
		info.Closed = info.Closed || e.Name() == archiveName || e.Name() == sealName
		if f.ModTime().After(info.Written) {
			info.Written = f.ModTime()
		}
	}
	if len(entries) == 0 {
		info.Written = dir.ModTime()
	}
	return info, nil
}

// Delete removes the attempt's log and ends its tails; a log that does not
// exist is deleted already.
func (s *Store) Delete(ctx context.Context, attempt string) error {
	return s.maintain(attempt, func(l *attemptLog) error {
		if err := l.delete(ctx); err != nil {
			return err
		}
		s.forget(l)
		return nil
	})
}

func (l *attemptLog) delete(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.flushing != nil {
		if err := l.advance(ctx); err != nil {
			return err
		}
	}
	trash := filepath.Join(l.cfg.Root, trashPrefix+l.attempt+"-"+l.cfg.Writer)
	err := os.RemoveAll(trash)
	if err == nil {
		err = os.Rename(l.dir, trash)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err)
	}
	l.deleted = true
	l.publish()
	return unavailable(errors.Join(syncDir(l.cfg.Root), os.RemoveAll(trash)))
}
