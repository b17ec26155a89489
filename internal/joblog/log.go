package joblog

import (
	"container/list"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// attemptLog is what this process knows of one attempt's log.
type attemptLog struct {
	cfg     Config
	attempt string
	dir     string

	users int           // owned by Store
	idle  *list.Element // owned by Store

	maintenance sync.Mutex // held while finishing or deleting; before mu

	mu       sync.Mutex
	loaded   bool
	sealed   bool
	deleted  bool
	segments []segment // sorted by name
	archive  bool      // the archive replaced the segments
	changed  chan struct{}

	durable int64 // highest durable number
	next    int64 // lowest number not accepted yet
	bytes   int64 // accepted
	full    int64 // number of the limit marker, or 0

	forming  *commit  // accepted, waits for its turn
	flushing *commit  // being written, by the goroutine that put it here
	current  string   // name of the segment of this process, or ""
	file     *os.File // of current; used by whoever flushes
}

func newAttemptLog(cfg Config, attempt string) *attemptLog {
	return &attemptLog{
		cfg:     cfg,
		attempt: attempt,
		dir:     filepath.Join(cfg.Root, attempt),
		changed: make(chan struct{}),
	}
}

func (l *attemptLog) load() error {
	if l.deleted {
		return errDeleted
	}
	if l.loaded {
		return nil
	}
	return l.refresh()
}

// refresh learns what other processes wrote, and makes it durable before it is
// relied on. The caller holds mu.
func (l *attemptLog) refresh() error {
	if l.deleted {
		return errDeleted
	}
	// A finisher may remove segments between listing and opening them; then
	// the archive is there.
	for attempt := 0; ; attempt++ {
		err := l.refreshOnce()
		if err == nil {
			l.loaded = true
			return nil
		}
		if attempt == 3 || !errors.Is(err, fs.ErrNotExist) {
			return unavailable(err)
		}
	}
}

func (l *attemptLog) refreshOnce() error {
	entries, err := os.ReadDir(l.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var segments []segment
	for _, e := range entries {
		switch e.Name() {
		case archiveName:
			return l.adoptArchive()
		case sealName:
			l.sealed = true
		}
		first, ok := parseSegmentName(e.Name())
		if !ok {
			continue
		}
		s := l.known(e.Name(), first)
		if s.name != l.current {
			if err := s.scan(l.dir); err != nil {
				return err
			}
		}
		segments = append(segments, s)
	}
	l.adoptSegments(segments)
	return nil
}

func (l *attemptLog) known(name string, first int64) segment {
	for _, s := range l.segments {
		if s.name == name {
			return s
		}
	}
	return segment{name: name, first: first}
}

func (l *attemptLog) adoptArchive() error {
	a, err := openArchive(l.dir)
	if err != nil {
		return err
	}
	l.archive, l.sealed, l.segments = true, true, nil
	l.durable, l.next = a.last, a.last+1
	return nil
}

func (l *attemptLog) adoptSegments(segments []segment) {
	slices.SortFunc(segments, bySegmentName)
	l.segments = segments
	last, full, bytes := int64(0), int64(0), int64(0)
	for _, s := range segments {
		bytes += s.size
		isMarker := s.lastKind == kindLimit
		switch {
		case s.last > last && isMarker:
			last, full = s.last, s.last
		case s.last > last, s.last == last && !isMarker:
			last, full = s.last, 0
		}
	}
	if full > 0 {
		l.full = full
	}
	l.bytes = max(l.bytes, bytes)
	l.durable = max(l.durable, last)
	l.next = max(l.next, l.durable+1)
}

// publish wakes tails. The caller holds mu.
func (l *attemptLog) publish() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *attemptLog) closeFile() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
