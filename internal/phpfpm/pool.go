package phpfpm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/fastcgi"
)

// Config is what a Pool needs.
type Config struct {
	// Program is php-fpm.
	Program string
	// Dir is a folder of our own, for the socket and sessions. Its path is short.
	Dir string
	// Env is what scripts see as their environment.
	Env      []string
	Settings Settings
	// Output takes whole lines of what php-fpm and the scripts say of errors.
	Output io.Writer
}

// Pool is a running php-fpm. Its Run must be called once.
type Pool struct {
	Config
	ready chan struct{} // closed when the first one answers
	once  sync.Once
}

// New prepares a Pool.
func New(c Config) *Pool { return &Pool{Config: c, ready: make(chan struct{})} }

// Ready is closed as soon as requests can be asked.
func (p *Pool) Ready() <-chan struct{} { return p.ready }

func (p *Pool) socket() string { return filepath.Join(p.Dir, "php.sock") }

// Bounds of starting.
const (
	startLimit = 20 * time.Second
	restPause  = 100 * time.Millisecond // before it is started again, doubled up to
	longPause  = 5 * time.Second
	lastedWell = time.Minute // after which a restart begins anew
)

// Run keeps php-fpm running until ctx ends, and then lets it finish what it has.
// An error is that of the first start.
func (p *Pool) Run(ctx context.Context) error {
	if err := p.prepare(); err != nil {
		return err
	}
	pause := restPause
	for first := true; ; first = false {
		began := time.Now()
		err := p.serve(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if first && !p.isReady() {
			return err
		}
		if time.Since(began) > lastedWell {
			pause = restPause
		}
		fmt.Fprintf(p.Output, "error: php-fpm ended: %v; it is started again in %s\n", err, pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

func (p *Pool) isReady() bool {
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

func (p *Pool) prepare() error {
	sessions := filepath.Join(p.Dir, "sessions")
	if err := os.MkdirAll(sessions, 0o700); err != nil {
		return fmt.Errorf("make a folder for sessions: %w", err)
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "root" // as whoever started us; local apps are not isolated
	}
	if err := os.WriteFile(p.conf(), []byte(p.Settings.file(p.socket(), sessions, user)), 0o600); err != nil {
		return fmt.Errorf("write the settings of php-fpm: %w", err)
	}
	return nil
}

func (p *Pool) conf() string { return filepath.Join(p.Dir, "php-fpm.conf") }

// serve runs php-fpm once, to its end.
func (p *Pool) serve(ctx context.Context) error {
	if err := remove(p.socket()); err != nil {
		return err
	}
	c, err := p.start()
	if err != nil {
		return delivery.Wrap(delivery.Invalid, "php-fpm does not start: "+err.Error(), err)
	}
	if err := p.await(ctx, c); err != nil {
		return errors.Join(err, c.end(0))
	}
	p.once.Do(func() { close(p.ready) })
	select {
	case <-c.ended:
		// Nobody is to connect to workers that are about to go.
		return errors.Join(c.reason(), remove(p.socket()))
	case <-ctx.Done():
		return c.end(settle)
	}
}

// remove removes a file that need not be there.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// await waits until php-fpm accepts a connection.
func (p *Pool) await(ctx context.Context, c *child) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("php-fpm did not answer within %s", startLimit))
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := p.connect(ctx); err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.ended:
			return c.reason()
		case <-tick.C:
		}
	}
}

func (p *Pool) connect(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", p.socket())
}

// patience is how long a request waits while php-fpm is started again.
const patience = 3 * time.Second

// Ask asks one request.
func (p *Pool) Ask(ctx context.Context, r fastcgi.Request) (*fastcgi.Response, error) {
	if r.Errors == nil {
		r.Errors = &lines{out: p.Output}
	}
	return fastcgi.Do(ctx, p.dial, r)
}

func (p *Pool) dial(ctx context.Context) (net.Conn, error) {
	conn, err := p.connect(ctx)
	if err == nil {
		return conn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
			if conn, err = p.connect(ctx); err == nil {
				return conn, nil
			}
		}
	}
}
