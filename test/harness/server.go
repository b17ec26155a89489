// Package harness runs the real binaries for end-to-end tests: a server that can be
// killed, stopped and started again behind one stable address, and a forge.
package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Credentials that the tests' servers are started with.
const (
	AdminToken = "slk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	HookSecret = "the-hook-secret-of-the-tests"
	ForgeToken = "glpat-of-the-tests"
	CloneUser  = "shiplock"
	ClonePass  = "clone-password-of-the-tests"
)

// Bin returns a program that `make build` made.
func Bin(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("SHIPLOCK_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin") // of a test's own directory
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: run `make build` first", path)
	}
	return path
}

// Server is one installation: a data directory and the processes that serve it,
// one after the other or, on a Database, side by side, behind Front.
type Server struct {
	t     testing.TB
	Data  string
	Front *Front
	Flags []string
	// Database is a PostgreSQL URL; empty is SQLite.
	Database string
	log      *os.File
}

// Process is one `shiplock serve`.
type Process struct {
	cmd  *exec.Cmd
	addr string
	done chan struct{}
	err  error
}

// NewServer prepares an installation in a fresh directory. Nothing runs yet.
func NewServer(t testing.TB, flags ...string) *Server {
	t.Helper()
	return NewServerOn(t, loopback, flags...)
}

// NewServerOn prepares an installation that is reached by one of the machine's
// addresses, as from pods.
func NewServerOn(t testing.TB, host string, flags ...string) *Server {
	t.Helper()
	// A short path: sockets in it must stay under 108 bytes.
	dir, err := os.MkdirTemp("", "slk")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, Data: filepath.Join(dir, "data"), Front: NewFrontOn(t, host), Flags: flags, log: log}
	t.Cleanup(func() { // after every process's own
		s.Remove()
		log.Close()
		if t.Failed() {
			t.Logf("kept %s", dir)
			return
		}
		_ = exec.Command("chmod", "-R", "u+w", dir).Run() // module caches are read-only
		os.RemoveAll(dir)
	})
	return s
}

// URL is the installation's stable address.
func (s *Server) URL() string { return s.Front.URL() }

// Start starts a process, waits until it answers, and lets Front lead to it.
func (s *Server) Start() *Process {
	s.t.Helper()
	p := s.Boot()
	s.Serve(p)
	return p
}

// Boot starts a process and waits until it answers.
func (s *Server) Boot() *Process {
	s.t.Helper()
	p := s.Launch()
	if err := p.WaitReady(30 * time.Second); err != nil {
		s.t.Fatalf("the server does not answer: %v\n%s", err, s.LogTail())
	}
	return p
}

// Serve lets Front lead to these processes only.
func (s *Server) Serve(processes ...*Process) {
	addrs := make([]string, len(processes))
	for i, p := range processes {
		addrs[i] = p.addr
	}
	s.Front.To(addrs...)
}

// Launch starts a process and does not wait for it.
func (s *Server) Launch() *Process {
	s.t.Helper()
	addr := FreeAddr(s.t)
	args := append([]string{
		"serve", "--data", s.Data, "--listen", addr, "--url", s.URL(), "--runner-url", s.URL(),
		"--clone-user", CloneUser, "--clone-host", s.Front.Host(), "--allow-host", "127.0.0.0/8", "--allow-host", "localhost", "--log", "info",
	}, s.Flags...)
	cmd := exec.Command(Bin(s.t, "shiplock"), args...)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.Env = append(os.Environ(),
		"SHIPLOCK_ADMIN_TOKEN="+AdminToken, "SHIPLOCK_HOOK_SECRET="+HookSecret,
		"SHIPLOCK_GITLAB_TOKEN="+ForgeToken, "SHIPLOCK_CLONE_PASSWORD="+ClonePass,
		"SHIPLOCK_DATABASE_URL="+s.Database)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	p := &Process{cmd: cmd, addr: addr, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	s.t.Cleanup(func() { p.Kill() })
	return p
}

// LogTail returns the end of what the servers logged.
func (s *Server) LogTail() string {
	b, _ := os.ReadFile(s.log.Name())
	return string(b[max(0, len(b)-4000):])
}

// Remove ends the supervisor and every app of the installation.
func (s *Server) Remove() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, Bin(s.t, "shiplock"), "local", "down", "--data", s.Data).CombinedOutput()
	if err != nil {
		s.t.Errorf("shiplock local down: %v\n%s", err, out)
	}
}

// WaitReady waits until the process answers.
func (p *Process) WaitReady(limit time.Duration) error {
	deadline := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	client := &http.Client{Timeout: time.Second}
	for {
		resp, err := client.Get("http://" + p.addr + "/healthz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("healthz: %s", resp.Status)
		}
		select {
		case <-p.done:
			return fmt.Errorf("the server ended: %w", p.err)
		case <-deadline:
			return err
		case <-tick.C:
		}
	}
}

// URL is the process's own address, without Front before it.
func (p *Process) URL() string { return "http://" + p.addr }

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill is SIGKILL, and waits for the end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Alive tells whether the process has not ended.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Interrupt is SIGTERM.
func (p *Process) Interrupt() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }

// Stop and Continue are SIGSTOP and SIGCONT.
func (p *Process) Stop()     { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *Process) Continue() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// Wait waits for the process's own end; it returns its exit code.
func (p *Process) Wait(limit time.Duration) (int, error) {
	select {
	case <-p.done:
	case <-time.After(limit):
		return 0, errors.New("the process still runs")
	}
	return p.cmd.ProcessState.ExitCode(), nil
}

// FreeAddr returns an address of loopback that nobody listens on.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
