package joblog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Finish seals the attempt's log, which ends its tails, and packs it into one
// compressed file. It may be called again, also after a crash in the middle of
// it: readers see the whole log at every moment. On error, among them ctx's, the
// log is at least as it was; call again. An attempt without lines becomes an
// empty, closed log.
//
// Unless it is empty, end becomes the last line: why there may be lines that never
// came. Only the first call's is kept; a crash in the middle of it may leave it out.
func (s *Store) Finish(ctx context.Context, attempt, end string) error {
	return s.maintain(attempt, func(l *attemptLog) error {
		if err := l.sealWith(ctx, end); err != nil {
			return err
		}
		release, err := s.compactionTurn(ctx)
		if err != nil {
			return err
		}
		defer release()
		return classify(ctx, l.compact(ctx, s))
	})
}

// maintain changes a log as a whole, one change at a time.
func (s *Store) maintain(attempt string, do func(*attemptLog) error) error {
	l, err := s.acquire(attempt)
	if err != nil {
		return err
	}
	defer s.release(l)
	l.maintenance.Lock()
	defer l.maintenance.Unlock()
	return do(l)
}

// Recover finishes what a crash interrupted: sealed logs are packed, deleted
// ones removed. Call it once after Open, beside normal use.
func (s *Store) Recover(ctx context.Context) error {
	entries, err := os.ReadDir(s.cfg.Root)
	if err != nil {
		return unavailable(err)
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := s.recoverEntry(ctx, e.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) recoverEntry(ctx context.Context, name string) error {
	if strings.HasPrefix(name, trashPrefix) {
		return unavailable(os.RemoveAll(s.dir(name)))
	}
	if !attemptPattern.MatchString(name) {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(s.dir(name), sealName)); err != nil {
		return nil // open, or finished to the end: the seal goes last
	}
	return s.Finish(ctx, name, "")
}

// seal makes the log refuse lines, whoever they are sent to, and learns all
// that were acknowledged.
func (l *attemptLog) seal(ctx context.Context) error { return l.sealWith(ctx, "") }

func (l *attemptLog) sealWith(ctx context.Context, end string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.flushing != nil {
		if err := l.advance(ctx); err != nil {
			return err
		}
	}
	if err := l.refresh(); err != nil || l.archive {
		return err
	}
	if err := createSeal(l.cfg.Root, l.dir); err != nil {
		return unavailable(err)
	}
	// Lines still forming were not acknowledged and are not any more.
	l.forming, l.next = nil, l.durable+1
	if err := l.refresh(); err != nil {
		return err
	}
	l.closeFile()
	defer l.publish()
	return l.writeEnd(end)
}

// writeEnd adds the last line of a sealed log, in a segment of its own that appears as
// a whole. The caller holds mu.
func (l *attemptLog) writeEnd(text string) error {
	if text == "" || l.durable == 0 || slices.ContainsFunc(l.segments, segment.isEnd) {
		return nil
	}
	n := l.durable + 1
	rec := Entry{At: l.cfg.Now().UnixMilli(), Stream: Sys, Text: text}.record(n)
	err := writeWhole(filepath.Join(l.dir, segmentName(n, endWriter)), rec.appendTo(nil))
	return unavailable(errors.Join(err, l.refresh()))
}

// writeWhole makes a durable file in one step.
func writeWhole(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, remove(tmp))
	}
	return syncDir(filepath.Dir(path))
}

func createSeal(root, dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, sealName), os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	f.Close()
	return errors.Join(syncDir(dir), syncDir(root))
}

// compact replaces the segments by an archive. The caller holds maintenance.
func (l *attemptLog) compact(ctx context.Context, s *Store) error {
	l.mu.Lock()
	v, err := l.view(s.dec)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if v.archive == nil {
		packErr := v.pack(ctx, filepath.Join(l.dir, "pack-"+l.cfg.Writer+".tmp"))
		l.mu.Lock()
		err = l.refresh()
		done := l.archive // by us, or by another finisher that swept our files away
		l.mu.Unlock()
		if !done {
			return errors.Join(packErr, err)
		}
	}
	return l.sweep()
}

// pack writes the view to the archive by way of the file tmp.
func (v view) pack(ctx context.Context, tmp string) error {
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	defer f.Close()
	c, err := v.open(1)
	if err != nil {
		return err
	}
	defer c.close()
	if err := writeArchive(ctx, f, c); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	// Another finisher may have been first, and may have removed segments under
	// us: its archive is the good one.
	if err := os.Link(tmp, filepath.Join(v.dir, archiveName)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(v.dir)
}

// sweep removes what the archive replaced, the seal last.
func (l *attemptLog) sweep() error {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == archiveName || e.Name() == sealName {
			continue
		}
		if err := remove(filepath.Join(l.dir, e.Name())); err != nil {
			return err
		}
	}
	return remove(filepath.Join(l.dir, sealName))
}

// remove takes a file away; one that is gone already is fine.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
