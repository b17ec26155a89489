// Package supervisor is the daemon that runs apps as local processes, each
// Target behind one proxy. package local is its client.
//
// The supervisor holds the proxies, and the apps are sessions of their own. When
// it dies, by SIGKILL too, apps run on without a proxy until the next supervisor
// of the same directory, which adopts them by pid, start time and a marker in
// their environment, and opens the same ports. SIGTERM (the end of Run's context)
// does the same in an orderly way. Only Shutdown and Remove stop apps.
//
// It needs Linux: /proc and pidfds.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/deployer/local"
)

// Run serves until ctx ends, which leaves the apps running, or a client asks for
// Shutdown, which stops them. Conflict: another supervisor has the directory.
func Run(ctx context.Context, cfg Config) (err error) {
	if cfg, err = cfg.withDefaults(); err != nil {
		return err
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return err
	}
	unlock, err := lock(cfg.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	listener, err := listenSocket(cfg.Dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var targets sync.WaitGroup
	defer targets.Wait()
	defer cancel()
	reg := newRegistry(cfg, func(t *target, from saved) {
		targets.Go(func() { t.run(ctx, from) })
	})
	if err := reg.restore(cfg); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serveAPI(ctx, listener, reg, cfg.Log)
}

func newRegistry(cfg Config, spawn func(*target, saved)) *registry {
	h, p, client := newHub(cfg.Now()), newPorts(), newHealthClient()
	return &registry{
		make:    func(key string) *target { return newTarget(cfg, key, p, h, client) },
		spawn:   spawn,
		hub:     h,
		targets: map[string]*target{},
	}
}

// restore brings back the Targets on disk, after it has ended processes that no
// state tells of: those started in the moment when the last supervisor died.
func (r *registry) restore(cfg Config) error {
	files, err := filepath.Glob(filepath.Join(cfg.Dir, "targets", "*", promiseFile))
	if err != nil {
		return err
	}
	var all []saved
	known := map[string]bool{}
	for _, file := range files {
		s, err := restoreState(filepath.Dir(file), cfg.Log)
		if err != nil {
			// One broken file must not take the other Targets down.
			cfg.Log.Error("target not restored: apply it again", "err", err)
			continue
		}
		for _, slot := range s.slots {
			known[local.DirID(cfg.Dir)+"."+slot.ID] = true
		}
		all = append(all, s)
	}
	killAll(func(m string) bool { return strings.HasPrefix(m, local.DirID(cfg.Dir)+".") && !known[m] })
	r.mu.Lock()
	defer r.mu.Unlock()
	var opening []*target
	for _, s := range all {
		opening = append(opening, r.add(s.Wish.Key, s))
	}
	for _, t := range opening {
		<-t.open // who can reach us, can reach the apps
	}
	return nil
}

func restoreState(dir string, log *slog.Logger) (saved, error) {
	p, err := loadPromise(dir)
	if err != nil {
		return saved{}, err
	}
	slots, err := loadSlots(dir)
	if err != nil {
		log.Warn("instances start anew", "target", p.Wish.Key, "err", err)
	}
	return saved{p, slots}, nil
}

// serveAPI answers clients until ctx ends or one of them asked for Shutdown.
func serveAPI(ctx context.Context, listener net.Listener, reg *registry, log *slog.Logger) error {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	requests, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	server := &http.Server{
		Handler:           newAPI(reg, quit),
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	log.Info("supervisor runs", "pid", os.Getpid(), "targets", len(reg.keys()))
	select {
	case err := <-ended:
		return fmt.Errorf("serve the supervisor's socket: %w", err)
	case <-ctx.Done():
	}
	hangUp() // ends watches and followed logs
	stop, cancel := context.WithTimeout(context.Background(), settleLimit)
	defer cancel()
	err := server.Shutdown(stop)
	<-ended
	return err
}

// lock makes this process the only supervisor of dir for as long as it lives.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Join(dir, "targets"), 0o700); err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "make the supervisor's directory", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, local.LockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "open the supervisor's lock", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(delivery.Wrap(delivery.Conflict, "another supervisor runs on "+dir, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

// listenSocket opens the API's socket. The lock is held, so a file that is there
// is a leftover.
func listenSocket(dir string) (net.Listener, error) {
	path, err := local.SocketPath(dir)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, delivery.Wrap(delivery.Unavailable, "remove the old socket", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "open the supervisor's socket", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}
