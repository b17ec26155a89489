package phpfpm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is one php-fpm process.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // valid when it has ended
	words *lines
}

// start starts php-fpm in a process group of its own: a SIGTERM to ours would have
// it drop its requests. When we are killed, the kernel ends it.
func (p *Pool) start() (*child, error) {
	args := []string{"--nodaemonize", "--fpm-config", p.conf()}
	if os.Geteuid() == 0 {
		args = append(args, "--allow-to-run-as-root")
	}
	c := &child{cmd: exec.Command(p.Program, args...), ended: make(chan struct{}), words: &lines{out: p.Output}}
	c.cmd.Env = p.Env
	c.cmd.Stdout, c.cmd.Stderr = c.words, c.words
	c.cmd.WaitDelay = time.Second // for workers that hold the output open
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		// The kernel's promise is about the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			c.err = c.cmd.Wait()
			// Workers outlive a master that was killed; the group is theirs as long
			// as there are any.
			_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
			close(c.ended)
		}
	}()
	return c, <-started
}

// reason is why it ended by itself.
func (c *child) reason() error {
	if said := c.words.last(); said != "" {
		return fmt.Errorf("%w: %s", errEnded, said)
	}
	if c.err != nil {
		return c.err
	}
	return errEnded
}

var errEnded = errors.New("php-fpm does not run")

// end asks it to finish its requests, and after grace makes it.
func (c *child) end(grace time.Duration) error {
	if grace > 0 {
		_ = c.cmd.Process.Signal(syscall.SIGQUIT)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-c.ended:
			return nil
		case <-timer.C:
		}
	}
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // it has not been waited for
	<-c.ended
	return nil
}

// lines passes whole lines on, without what php-fpm puts around them.
type lines struct {
	out io.Writer

	mu   sync.Mutex
	part []byte
	said string
}

// longest is what is kept of a line without an end.
const longest = 16 << 10

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = append(l.part, p...)
	for {
		i := bytes.IndexByte(l.part, '\n')
		if i < 0 && len(l.part) < longest {
			return len(p), nil
		}
		if i < 0 {
			i = len(l.part) - 1
		}
		l.line(string(l.part[:i+1]))
		l.part = append(l.part[:0], l.part[i+1:]...)
	}
}

func (l *lines) line(text string) {
	text = unwrapped(strings.TrimRight(text, "\r\n"))
	if text == "" {
		return
	}
	l.said = text
	fmt.Fprintln(l.out, text) // nobody to tell if it fails
}

func (l *lines) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said
}

// unwrapped is "x" of "[26-Nov-2026 07:00:00] WARNING: x" and, of a script, of
// "NOTICE: PHP message: x". What php-fpm only notes is dropped.
func unwrapped(line string) string {
	if rest, ok := strings.CutPrefix(line, "NOTICE: PHP message: "); ok {
		return rest
	}
	stamp, rest, ok := strings.Cut(line, "] ")
	if !ok || !strings.HasPrefix(stamp, "[") || len(stamp) > 40 {
		return line
	}
	level, text, ok := strings.Cut(rest, ": ")
	switch {
	case !ok:
		return line
	case level == "NOTICE" || level == "DEBUG":
		return ""
	case level == "WARNING":
		return "php-fpm: " + text
	}
	return "php-fpm: error: " + text
}
