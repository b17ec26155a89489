package joblog

import (
	"container/list"
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config says where logs are kept and how large they may grow. Zero limits get
// the documented defaults.
type Config struct {
	// Root is the directory of all logs; it is created. Its file system must
	// support hard links.
	Root string
	// Writer names this process start: at most 40 lower-case letters, digits
	// and dashes, never used before with this Root.
	Writer string
	// MaxBytes and MaxLines bound one attempt's log: 2 GB and 20 million lines.
	MaxBytes int64
	MaxLines int64
	// MaxIdle bounds the logs kept ready, each with a file open, while nobody
	// uses them: 128.
	MaxIdle int
	// Now stamps markers; time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.MaxBytes == 0 {
		c.MaxBytes = 2 << 30
	}
	if c.MaxLines == 0 {
		c.MaxLines = 20_000_000
	}
	if c.MaxIdle == 0 {
		c.MaxIdle = 128
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Store keeps job logs in a directory. Its methods may be called concurrently;
// it runs no goroutines of its own.
type Store struct {
	cfg        Config
	dec        *zstd.Decoder
	compacting chan struct{} // one archive is written at a time, to bound memory
	done       chan struct{} // closed by Close

	mu     sync.Mutex
	closed bool
	logs   map[string]*attemptLog
	idle   list.List // of *attemptLog without users, most recent first
}

// Open returns the store in cfg.Root.
func Open(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if !writerPattern.MatchString(cfg.Writer) {
		return nil, invalid("writer %.80q: use at most 40 lower-case letters, digits and dashes", cfg.Writer)
	}
	if err := os.MkdirAll(cfg.Root, 0o750); err != nil {
		return nil, unavailable(err)
	}
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(2),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(2*maxFrameBytes))
	if err != nil {
		return nil, err
	}
	return &Store{
		cfg:        cfg,
		dec:        dec,
		compacting: make(chan struct{}, 1),
		done:       make(chan struct{}),
		logs:       map[string]*attemptLog{},
	}, nil
}

// Close ends waiting tails and makes later calls fail as Unavailable. It
// returns without waiting for calls in progress, which the caller owns.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.done)
	for s.idle.Len() > 0 {
		s.evictOldest()
	}
	return nil
}

func (s *Store) dir(attempt string) string { return filepath.Join(s.cfg.Root, attempt) }

// acquire returns the attempt's log, which stays valid until release.
func (s *Store) acquire(attempt string) (*attemptLog, error) {
	if err := checkAttempt(attempt); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errStopping
	}
	l := s.logs[attempt]
	if l == nil {
		l = newAttemptLog(s.cfg, attempt)
		s.logs[attempt] = l
	}
	if l.idle != nil {
		s.idle.Remove(l.idle)
		l.idle = nil
	}
	l.users++
	return l, nil
}

func (s *Store) release(l *attemptLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.users--
	if l.users > 0 {
		return
	}
	if s.logs[l.attempt] != l { // deleted
		l.closeFile()
		return
	}
	l.idle = s.idle.PushFront(l)
	if s.closed || s.idle.Len() > s.cfg.MaxIdle {
		s.evictOldest()
	}
}

// forget makes later calls start afresh with the attempt; s.mu must not be held.
func (s *Store) forget(l *attemptLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs[l.attempt] == l {
		delete(s.logs, l.attempt)
	}
}

func (s *Store) evictOldest() {
	l := s.idle.Remove(s.idle.Back()).(*attemptLog)
	l.idle = nil
	delete(s.logs, l.attempt)
	l.closeFile()
}

// compactionTurn waits until no other archive is being written.
func (s *Store) compactionTurn(ctx context.Context) (release func(), err error) {
	select {
	case s.compacting <- struct{}{}:
		return func() { <-s.compacting }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

var (
	errStopping = delivery.E(delivery.Unavailable, "the server is stopping; try again")
	errSealed   = delivery.E(delivery.Conflict, "the attempt has finished; its log takes no more lines")
	errDeleted  = delivery.E(delivery.NotFound, "the log was deleted")
)

func unavailable(err error) error {
	return delivery.Wrap(delivery.Unavailable, "the log store does not answer; check the server's disk", err)
}
