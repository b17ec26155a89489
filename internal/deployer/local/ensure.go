package local

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// startLimit is how long a supervisor may take to answer. It binds its socket
// before it restores anything, so this is process start and little else.
const startLimit = 10 * time.Second

// EnsureConfig says which supervisor is meant and how to start it.
type EnsureConfig struct {
	Dir string // the supervisor's data directory
	// Command starts the daemon; default: this program with "supervise --data DIR".
	Command []string
}

func (cfg EnsureConfig) command() ([]string, error) {
	if len(cfg.Command) > 0 {
		return cfg.Command, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return []string{self, "supervise", "--data", cfg.Dir}, nil
}

// Ensure returns a client of the running supervisor of cfg.Dir, starting one in
// its own session when none answers; of several at once, one wins and all are
// served by it. Call it again whenever the client answers Unavailable; an open
// Watch tells at once. Unavailable errors carry the end of the daemon's log.
func Ensure(ctx context.Context, cfg EnsureConfig) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "make the supervisor's directory", err)
	}
	client, err := NewClient(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if _, err := client.Ping(ctx); err == nil {
		return client, nil
	}
	exited, err := launch(cfg)
	if err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "start the supervisor", err)
	}
	if err := client.await(ctx, exited); err != nil {
		client.Close()
		return nil, delivery.Wrap(delivery.Unavailable, "the supervisor did not start"+lastLine(cfg.logPath()), err)
	}
	return client, nil
}

func (cfg EnsureConfig) logPath() string { return filepath.Join(cfg.Dir, "supervisor.log") }

// launch starts the daemon in its own session, so that neither a terminal nor
// the end of this process reaches it. Its goroutine lives as long as the daemon:
// were nobody to wait, a dead one would stay in the process table as a zombie.
func launch(cfg EnsureConfig) (exited <-chan error, err error) {
	argv, err := cfg.command()
	if err != nil {
		return nil, err
	}
	out, err := openLog(cfg.logPath())
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	return done, nil
}

// await pings until the supervisor answers. The started process may end first
// because another one holds the lock: then that one has a moment to answer.
func (c *Client) await(ctx context.Context, exited <-chan error) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		_, err := c.Ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-exited:
			exited = nil
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, time.Second)
			defer cancel()
		case <-time.After(pause):
		}
	}
}

// lastLine returns ": " and the last line of a log, or nothing.
func lastLine(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	data := make([]byte, min(end, 2048))
	if _, err := file.ReadAt(data, end-int64(len(data))); err != nil {
		return ""
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return ""
	}
	return ": " + text[strings.LastIndexByte(text, '\n')+1:]
}

// openLog appends to the daemon's log, or begins it anew when it has grown.
func openLog(path string) (*os.File, error) {
	const limit = 1 << 20 // bytes
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > limit {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o600)
}
