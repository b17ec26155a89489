package supervisor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	logLimit  = 8 << 20  // bytes of one file; two are kept
	tailBytes = 64 << 10 // the most that a tail in an observation reads
	tailWidth = 512      // bytes of one line in it
	logsKept  = 20       // versions of one Target whose logs stay
)

// logFile is the output of one version: the current file and the one before it.
type logFile struct {
	path  string
	limit int64

	mu      sync.Mutex
	file    *os.File
	size    int64
	turn    int           // counts rotations
	written chan struct{} // closed at the next write; nil when nobody waits
}

func newLogFile(path string, limit int64) *logFile { return &logFile{path: path, limit: limit} }

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	if l.written != nil {
		close(l.written)
		l.written = nil
	}
	return n, err
}

// ready opens the file and rotates it when n more bytes do not fit.
func (l *logFile) ready(n int64) error {
	if l.file != nil && l.size > 0 && l.size+n > l.limit {
		_ = l.file.Close() // nothing is buffered in us
		l.file = nil
		if err := os.Rename(l.path, l.path+".1"); err != nil {
			return err
		}
		l.turn++
	}
	if l.file != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.size = file, info.Size()
	return nil
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

// tail returns the last n lines, each cut to tailWidth.
func (l *logFile) tail(n int) []string {
	data, err := readEnd(l.path, tailBytes)
	if err == nil && len(data) < tailBytes {
		older, _ := readEnd(l.path+".1", tailBytes-int64(len(data)))
		data = append(older, data...)
	}
	data = bytes.TrimRight(data[lastLines(data, n):], "\n")
	if len(data) == 0 {
		return nil
	}
	var lines []string
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		lines = append(lines, string(line[:min(len(line), tailWidth)]))
	}
	return lines
}

// copyTo writes the last n lines to w and, when follow is set, what comes after
// them until ctx ends. A follower that is two rotations late misses the middle.
func (l *logFile) copyTo(ctx context.Context, w io.Writer, n int, follow bool) error {
	file, turn, err := l.open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := l.writeLast(w, file, n); err != nil {
		return err
	}
	for {
		wait := l.wait() // before reading, so that no write slips through
		if _, err := io.Copy(w, file); err != nil || !follow {
			return err
		}
		next, nextTurn, err := l.open()
		if err != nil {
			return err
		}
		if nextTurn != turn {
			_ = file.Close()
			file, turn = next, nextTurn
			continue
		}
		_ = next.Close()
		select {
		case <-ctx.Done():
			return nil
		case <-wait:
		}
	}
}

// writeLast writes what the last n lines have in the older file and leaves file
// at their beginning.
func (l *logFile) writeLast(w io.Writer, file *os.File, n int) error {
	data, err := io.ReadAll(io.LimitReader(file, l.limit+1))
	if err != nil {
		return err
	}
	if missing := n - bytes.Count(data, []byte("\n")); missing > 0 {
		older, err := os.ReadFile(l.path + ".1")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, err := w.Write(older[lastLines(older, missing):]); err != nil {
			return err
		}
	}
	_, err = file.Seek(int64(lastLines(data, n)), io.SeekStart)
	return err
}

func (l *logFile) open() (*os.File, int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ready(0); err != nil {
		return nil, 0, err
	}
	file, err := os.Open(l.path)
	return file, l.turn, err
}

func (l *logFile) wait() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written == nil {
		l.written = make(chan struct{})
	}
	return l.written
}

// discardLogs removes the logs in a directory but for those of the versions that
// wrote last. One that is written to is among these.
func discardLogs(dir string, keep int) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	written := map[string]time.Time{} // by version
	for _, e := range entries {
		if info, statErr := e.Info(); statErr == nil {
			id, _, _ := strings.Cut(e.Name(), ".log")
			written[id] = latest(written[id], info.ModTime())
		}
	}
	newest := slices.SortedFunc(maps.Keys(written), func(a, b string) int { return written[b].Compare(written[a]) })
	for i, id := range newest {
		if i >= keep {
			err = errors.Join(err, removeLog(filepath.Join(dir, id+".log")), removeLog(filepath.Join(dir, id+".log.1")))
		}
	}
	return err
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func removeLog(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// lastLines returns where the last n lines begin; an unended line counts as one.
func lastLines(data []byte, n int) int {
	end := len(data)
	if end > 0 && data[end-1] == '\n' {
		end--
	}
	for ; n > 0; n-- {
		i := bytes.LastIndexByte(data[:end], '\n')
		if i < 0 {
			return 0
		}
		if n == 1 {
			return i + 1
		}
		end = i
	}
	return len(data)
}

func readEnd(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(max(0, info.Size()-limit), io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(file, limit))
}

// copyLines moves output by whole lines, so that replicas that share a log do
// not tear each other's; a line longer than the buffer is passed in pieces.
func copyLines(dst io.Writer, src io.Reader) error {
	buf := make([]byte, 32<<10)
	held := 0
	for {
		n, err := src.Read(buf[held:])
		held += n
		cut := bytes.LastIndexByte(buf[:held], '\n') + 1
		if cut == 0 && (held == len(buf) || err != nil) {
			cut = held
		}
		if cut > 0 {
			// A full disk must not stop the app: its output is dropped instead.
			_, _ = dst.Write(buf[:cut])
			held = copy(buf, buf[cut:held])
		}
		if err != nil {
			if held > 0 {
				_, _ = dst.Write(buf[:held])
			}
			return err
		}
	}
}
