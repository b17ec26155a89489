package tail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	maxFiles   = 256    // followed at once
	maxEntries = 10_000 // looked at in one pass
	maxDepth   = 16     // folders
)

// Config says what to follow.
type Config struct {
	Dir string
	// Pattern is of files below Dir, see delivery.PathPattern.
	Pattern string
	// Out gets whole lines. Log is for what goes wrong meanwhile.
	Out, Log io.Writer
	// Tick has the files looked at.
	Tick <-chan time.Time
}

// Run follows the files until ctx ends, and then writes what they have by then. Files
// are known by what they are and not by their names: one that is renamed is not written
// twice. The error is of Dir or Out.
func Run(ctx context.Context, c Config) error {
	f, err := newFollower(c)
	if err != nil {
		return err
	}
	defer f.close()
	for {
		if err := f.pass(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return f.finish()
		case <-c.Tick:
		}
	}
}

// identity is a file's, whatever it is called.
type identity struct{ device, inode uint64 }

type follower struct {
	root     *os.Root
	pattern  delivery.PathPattern
	out, log io.Writer
	files    map[identity]*file
	looked   int  // at entries, in this pass
	crowded  bool // that there are too many files was said
}

func newFollower(c Config) (*follower, error) {
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, err
	}
	return &follower{root: root, pattern: delivery.NewPathPattern(c.Pattern), out: c.Out, log: c.Log, files: map[identity]*file{}}, nil
}

// pass looks for files, and writes out all that they have.
func (f *follower) pass() error {
	f.looked = 0
	f.scan(nil)
	for more := true; more; {
		more = false
		for _, file := range f.files {
			rest, err := file.read(f.out)
			if err != nil {
				return err
			}
			more = more || rest
		}
	}
	f.forget()
	return nil
}

// finish writes what has come since the last pass, lines without an end too.
func (f *follower) finish() error {
	err := f.pass()
	for _, file := range f.files {
		err = errors.Join(err, file.flush(f.out))
	}
	return err
}

// scan looks for files in a folder and in those below it. It follows no link: one could
// lead anywhere.
func (f *follower) scan(folder []string) {
	dir, err := f.root.Open(path.Join(append([]string{"."}, folder...)...))
	if err != nil {
		return // it is gone, or not for us
	}
	defer func() { _ = dir.Close() }()
	for f.looked < maxEntries {
		entries, err := dir.ReadDir(100)
		for _, e := range entries {
			f.looked++
			name := append(folder[:len(folder):len(folder)], e.Name())
			switch {
			case e.IsDir() && len(name) < maxDepth:
				f.scan(name)
			case e.Type().IsRegular() && f.pattern.Matches(name):
				f.found(strings.Join(name, "/"), e)
			}
		}
		if err != nil { // io.EOF, or what the next pass may find better
			return
		}
	}
}

func (f *follower) found(name string, e fs.DirEntry) {
	info, err := e.Info()
	if err != nil {
		return
	}
	id, ok := identify(info)
	if known := f.files[id]; known != nil {
		known.unseen = 0
		return
	}
	if len(f.files) >= maxFiles || !ok {
		if !f.crowded {
			f.crowded = true
			fmt.Fprintf(f.log, "%s is not followed: there are more than %d log files\n", name, maxFiles)
		}
		return
	}
	// Opening may find another file than the entry was of: its own identity counts.
	opened, err := open(f.root, name)
	if err != nil {
		return // it is gone, or not for us
	}
	if id, ok = opened.identity(); !ok || f.files[id] != nil {
		_ = opened.Close()
		return
	}
	f.files[id] = opened
}

// For how many passes a file is followed that has no name of the pattern any more, or
// no name at all: whoever wrote to it may not have noticed yet.
const (
	patienceRenamed = 40
	patienceDeleted = 4
)

// forget lets go of files that nobody can write to, or has written to for long.
func (f *follower) forget() {
	for id, file := range f.files {
		file.unseen++ // found sets it back
		if file.unseen > patienceRenamed || file.unseen > patienceDeleted && file.deleted() {
			_ = file.flush(f.out)
			_ = file.Close()
			delete(f.files, id)
		}
	}
}

func (f *follower) close() {
	for _, file := range f.files {
		_ = file.Close()
	}
	_ = f.root.Close()
}
