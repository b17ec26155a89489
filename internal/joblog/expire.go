package joblog

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Expire replaces the lines of a log by one that says why they are gone, so that
// nobody takes it for a log that was never written. It seals the log, and may be
// called again. What was read from it before stays readable to whoever has it open.
func (s *Store) Expire(ctx context.Context, attempt, why string) error {
	return s.maintain(attempt, func(l *attemptLog) error {
		if err := l.seal(ctx); err != nil {
			return err
		}
		l.mu.Lock()
		last := l.durable
		l.mu.Unlock()
		if last == 0 {
			return classify(ctx, l.compact(ctx, s))
		}
		tomb := &tombstone{rec: record{kind: kindLost, n: 1, to: last, at: s.cfg.Now().UnixMilli(), text: cut(clean(why), maxReasonBytes)}}
		if err := l.entomb(ctx, tomb); err != nil {
			return classify(ctx, err)
		}
		return classify(ctx, l.sweep())
	})
}

// entomb puts the archive in place in one step.
func (l *attemptLog) entomb(ctx context.Context, tomb *tombstone) error {
	tmp := filepath.Join(l.dir, "pack-"+l.cfg.Writer+".tmp")
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	err = writeArchive(ctx, f, tomb)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(tmp, filepath.Join(l.dir, archiveName))
	}
	if err != nil {
		return errors.Join(err, remove(tmp))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(syncDir(l.dir), l.refresh())
}

// tombstone is a cursor over one record.
type tombstone struct {
	rec  record
	read bool
}

func (t *tombstone) next() (record, error) {
	if t.read {
		return record{}, io.EOF
	}
	t.read = true
	return t.rec, nil
}

func (t *tombstone) close() {}
