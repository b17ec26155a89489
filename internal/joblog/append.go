package joblog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// commit is a run of records that becomes durable by one sync.
type commit struct {
	buf  []byte
	part segment // describes buf
	done chan struct{}
}

// add returns the bytes that rec takes.
func (c *commit) add(rec record) int64 {
	before := len(c.buf)
	c.buf = rec.appendTo(c.buf)
	size := int64(len(c.buf) - before)
	c.part.extend(rec, size)
	return size
}

// maxForming bounds what concurrent batches of one attempt may pile up in memory.
const maxForming = 8 << 20

// Ack is the answer to a batch.
type Ack struct {
	// Line is the highest number that is durable; the runner sends on from the one
	// after it.
	Line int64
	// Full tells that the size limit is reached: no line need be sent any more.
	Full bool
}

// Append stores a batch. Lines at or below the answer are dropped as
// sent before. When the batch begins beyond the next expected line and has no
// Gap that says why, nothing is stored, and the answer makes the runner rewind.
//
// After the size limit lines are dropped but acknowledged. Errors: Invalid,
// Conflict when the log is sealed and the batch has new lines, NotFound when it
// was deleted meanwhile, Unavailable. After an error nothing is acknowledged,
// though lines may have been stored.
func (s *Store) Append(ctx context.Context, attempt string, b Batch) (Ack, error) {
	if err := b.validate(); err != nil {
		return Ack{}, err
	}
	l, err := s.acquire(attempt)
	if err != nil {
		return Ack{}, err
	}
	defer s.release(l)
	line, full, err := l.append(ctx, b)
	return Ack{Line: line, Full: full}, err
}

func (l *attemptLog) append(ctx context.Context, b Batch) (line int64, full bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(); err != nil {
		return 0, false, err
	}
	for l.forming != nil && len(l.forming.buf) > maxForming {
		if err := l.advance(ctx); err != nil {
			return 0, false, err
		}
	}
	if b.begin() > l.next && l.full == 0 && !l.sealed {
		// Another process may have taken the lines in between.
		if err := l.refresh(); err != nil {
			return 0, false, err
		}
	}
	if l.sealed {
		line, err = l.answerSealed(b)
		return line, false, err
	}
	l.accept(b)
	want := min(b.last(), l.next-1)
	for l.durable < want {
		if err := l.advance(ctx); err != nil {
			return 0, false, err
		}
		if l.next <= want && l.durable < want { // dropped by a failed flush
			return 0, false, errFlushFailed
		}
	}
	if l.full > 0 {
		return max(l.durable, b.last()), l.durable >= l.full, nil
	}
	return l.durable, false, nil
}

var errFlushFailed = unavailable(errors.New("lines were not written"))

func (b Batch) begin() int64 {
	if b.Gap != nil {
		return b.Gap.From
	}
	return b.First
}

func (l *attemptLog) answerSealed(b Batch) (int64, error) {
	if b.last() > l.durable {
		return 0, errSealed
	}
	return l.durable, nil
}

// accept takes the batch's new records into the forming commit.
func (l *attemptLog) accept(b Batch) {
	if g := b.Gap; g != nil && g.From <= l.next && l.next <= g.To {
		l.put(record{
			kind: kindLost,
			n:    l.next,
			to:   g.To,
			at:   l.cfg.Now().UnixMilli(),
			text: cut(clean(g.Reason), maxReasonBytes),
		})
	}
	if len(b.Lines) == 0 || b.First > l.next {
		return
	}
	for i := l.next - b.First; i < int64(len(b.Lines)) && l.full == 0; i++ {
		l.put(b.Lines[i].record(b.First + i))
	}
}

func (l *attemptLog) put(rec record) {
	if l.full > 0 {
		return
	}
	if l.bytes >= l.cfg.MaxBytes || rec.to > l.cfg.MaxLines {
		rec = record{kind: kindLimit, n: l.next, to: l.next, at: l.cfg.Now().UnixMilli()}
		l.full = rec.n
	}
	if l.forming == nil {
		l.forming = &commit{part: segment{first: rec.n}, done: make(chan struct{})}
	}
	l.bytes += l.forming.add(rec)
	l.next = rec.to + 1
}

// advance waits for the flush in progress, or else flushes the forming commit
// itself. The caller holds mu, which is free meanwhile.
func (l *attemptLog) advance(ctx context.Context) error {
	if c := l.flushing; c != nil {
		l.mu.Unlock()
		defer l.mu.Lock()
		select {
		case <-c.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	c := l.forming
	if c == nil {
		return errFlushFailed
	}
	l.flushing, l.forming = c, nil
	seg := l.currentSegment(c.part.first)
	l.mu.Unlock()
	err := l.flush(seg, c)
	l.mu.Lock()
	l.settle(seg, c, err)
	return err
}

// currentSegment returns the segment that this process appends to.
func (l *attemptLog) currentSegment(first int64) segment {
	if l.current == "" {
		l.current = segmentName(first, l.cfg.Writer)
	}
	return l.known(l.current, first)
}

// flush writes c at seg's end, makes it durable, and only then looks for a
// seal: see the package comment for why in that order.
func (l *attemptLog) flush(seg segment, c *commit) error {
	if l.file == nil {
		f, err := createSegment(l.cfg.Root, l.dir, seg.name)
		if err != nil {
			return unavailable(err)
		}
		l.file = f
	}
	if _, err := l.file.Write(c.buf); err != nil {
		return unavailable(err)
	}
	if err := syncData(l.file); err != nil {
		// The kernel may show the unsynced bytes from now on as if they were
		// safe; take them away.
		return unavailable(errors.Join(err, l.file.Truncate(seg.size)))
	}
	return l.checkFence(seg.name)
}

// checkFence fails when the log was sealed, finished or deleted under us.
func (l *attemptLog) checkFence(segment string) error {
	// In this order: the seal is removed only once the archive is there, and
	// segments only after that.
	for _, name := range []string{sealName, archiveName} {
		if there, err := exists(filepath.Join(l.dir, name)); err != nil {
			return unavailable(err)
		} else if there {
			return errSealed
		}
	}
	if there, err := exists(filepath.Join(l.dir, segment)); err != nil {
		return unavailable(err)
	} else if !there {
		return errDeleted
	}
	return nil
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// settle ends the flush of c. The caller holds mu.
func (l *attemptLog) settle(seg segment, c *commit, err error) {
	l.flushing = nil
	defer close(c.done)
	if err != nil {
		l.abandon(seg)
		l.deleted = l.deleted || err == errDeleted
		l.publish()
		return
	}
	seg.join(c.part)
	l.replace(seg)
	l.durable = max(l.durable, seg.last)
	l.publish()
}

func (l *attemptLog) replace(seg segment) {
	// A fresh slice, since snapshots share the old one.
	l.segments = slices.Clone(l.segments)
	for i := range l.segments {
		if l.segments[i].name == seg.name {
			l.segments[i] = seg
			return
		}
	}
	l.segments = append(l.segments, seg)
	slices.SortFunc(l.segments, bySegmentName)
}

// abandon forgets everything that is not durable and leaves the segment; the
// next call learns the state from disk and begins another one.
func (l *attemptLog) abandon(seg segment) {
	l.closeFile()
	if seg.last == 0 && seg.scan(l.dir) == nil && seg.last == 0 {
		os.Remove(filepath.Join(l.dir, seg.name)) // the next one may need the name
	}
	l.forming, l.current, l.loaded = nil, "", false
	l.next, l.full, l.bytes = l.durable+1, 0, 0
}

// createSegment makes a new, durable name; an existing file is an error.
func createSegment(root, dir, name string) (*os.File, error) {
	if err := os.Mkdir(dir, 0o750); err == nil {
		if err := syncDir(root); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return nil, err
	}
	if err := syncDir(dir); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
