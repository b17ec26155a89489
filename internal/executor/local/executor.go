package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config of an Executor.
type Config struct {
	// Dir holds one directory per attempt. Servers that share it share attempts.
	Dir string
	// Runner is the command that runs one attempt.
	Runner []string
	// Env is the environment of runners, which pass on what build tools need; nil
	// is ToolEnv(os.Environ()).
	Env []string
	// CacheDir, if set, is where runners keep caches from one attempt to the next.
	CacheDir string
	Logger   *slog.Logger
	// OnExit is called, from a goroutine of its own, when an attempt's process has
	// ended. It is called again, after a restart, for one whose end the server
	// before may not have told. It must not block.
	OnExit func(key string)
	// Grace is the time between asking a runner to end and killing it; 0 is 15 s,
	// which is longer than a runner's own.
	Grace time.Duration
	// LookEvery is how often attempts are looked for that another server started and
	// may not watch any more; 0 is 30 s.
	LookEvery time.Duration
	// Keep is how long the record of an ended attempt stays; 0 is 24 h.
	Keep time.Duration
	Now  func() time.Time
}

// Executor starts, observes and stops attempts. Its methods may be called
// concurrently, and by several servers on one Dir.
type Executor struct {
	Config

	mu       sync.Mutex
	watches  map[string]*watch
	closed   bool
	noMounts bool // a runner could not be given mounts of its own
	wg       sync.WaitGroup
}

// New returns an Executor. Run must be called for ends to be noticed.
func New(c Config) (*Executor, error) {
	if len(c.Runner) == 0 || !filepath.IsAbs(c.Dir) || c.CacheDir != "" && !filepath.IsAbs(c.CacheDir) {
		return nil, delivery.E(delivery.Invalid, "the local executor needs a runner's command and absolute directories")
	}
	if c.Env == nil {
		c.Env = ToolEnv(os.Environ())
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnExit == nil {
		c.OnExit = func(string) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Grace = cmp.Or(c.Grace, 15*time.Second)
	c.LookEvery = cmp.Or(c.LookEvery, 30*time.Second)
	c.Keep = cmp.Or(c.Keep, 24*time.Hour)
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the executor's directory: %w", err)
	}
	return &Executor{Config: c, watches: map[string]*watch{}}, nil
}

// Run takes over the attempts in Dir, those of servers that end meanwhile included,
// tells of ends, and removes old records, until ctx ends. Attempts live on.
func (e *Executor) Run(ctx context.Context) error {
	defer e.close()
	if err := e.takeOver(); err != nil {
		return err
	}
	look := time.NewTicker(e.LookEvery)
	defer look.Stop()
	tidy := time.NewTicker(time.Hour)
	defer tidy.Stop()
	for {
		if err := e.expire(); err != nil {
			e.Logger.Warn("old attempts stay", "err", err)
		}
		if !e.wait(ctx, look.C, tidy.C) {
			return nil
		}
	}
}

// wait looks for attempts of other servers until it is time to tidy up, or ctx ends.
func (e *Executor) wait(ctx context.Context, look, tidy <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tidy:
			return true
		case <-look:
			if err := e.takeOver(); err != nil {
				e.Logger.Warn("attempts of other servers are not watched", "err", err)
			}
		}
	}
}

func (e *Executor) close() {
	e.mu.Lock()
	e.closed = true
	for _, w := range e.watches {
		w.leave()
	}
	e.mu.Unlock()
	e.wg.Wait()
}

// Observe tells what is seen of an attempt.
func (e *Executor) Observe(_ context.Context, key string) (delivery.AttemptStatus, error) {
	a, err := e.attempt(key)
	if err != nil {
		return delivery.AttemptStatus{}, err
	}
	return e.observe(a)
}

func (e *Executor) observe(a attempt) (delivery.AttemptStatus, error) {
	w, err := e.find(a)
	switch {
	case err != nil:
		return delivery.AttemptStatus{}, err
	case w != nil:
		return delivery.AttemptStatus{Phase: delivery.AttemptAlive}, nil
	}
	if !a.started() {
		return delivery.AttemptStatus{Phase: delivery.AttemptUnknown}, nil
	}
	held, err := a.held()
	switch {
	case err != nil:
		return delivery.AttemptStatus{}, err
	case held: // its process id is not known yet
		return delivery.AttemptStatus{Phase: delivery.AttemptAlive}, nil
	}
	cause := delivery.Because("runner.ended", nil)
	cause.Evidence = a.lastWords()
	return delivery.AttemptStatus{Phase: delivery.AttemptOver, Cause: &cause}, nil
}

// Stop asks the attempt's runner to end, which ends its steps first, and kills it
// after Grace. It does not wait.
func (e *Executor) Stop(_ context.Context, key string) error {
	a, err := e.attempt(key)
	if err != nil {
		return err
	}
	w, err := e.find(a)
	if err != nil {
		return err
	}
	if w == nil {
		held, err := a.held()
		if held {
			return delivery.E(delivery.Unavailable, "attempt "+key+" is only just starting; try again")
		}
		return err
	}
	return w.stop(e.Grace)
}

// Forget removes what is left of an ended attempt. A living one is a Conflict.
func (e *Executor) Forget(_ context.Context, key string) error {
	a, err := e.attempt(key)
	if err != nil {
		return err
	}
	return a.forget()
}

// attempt names the directory of a key, and refuses what cannot be one.
func (e *Executor) attempt(key string) (attempt, error) {
	if _, _, _, _, err := delivery.ParseAttemptKey(key); err != nil || strings.ContainsAny(key, "/\x00") || len(key) > 200 {
		return attempt{}, errors.Join(delivery.E(delivery.Invalid, "the attempt's key is not one"), err)
	}
	return attempt{key: key, dir: filepath.Join(e.Dir, key)}, nil
}

// Room tells how many attempts run here.
func (e *Executor) Room(context.Context) (delivery.Room, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return delivery.Room{Executor: "local", Running: delivery.RoomUse{Builds: len(e.watches)}}, nil
}
