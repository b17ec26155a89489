package local_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/executor/local"
	"github.com/shiplock/shiplock/internal/runner"
)

// The test binary is also the runners that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "runner":
			os.Exit(beRunner())
		case "idle", "stubborn":
			os.Exit(beIdle(os.Args[1] == "stubborn"))
		}
	}
	goleak.VerifyTestMain(m)
}

func beRunner() int {
	if err := runner.Hold(os.Getenv); err != nil {
		return 90
	}
	c, err := runner.FromEnv(os.Getenv)
	if err != nil {
		return 91
	}
	c.Environ = os.Environ()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return runner.ExitCode(runner.Run(ctx, c))
}

// beIdle notes that it ran, and ends at TERM unless it is stubborn.
func beIdle(stubborn bool) int {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	if err := runner.Hold(os.Getenv); err != nil {
		return 90
	}
	f, err := os.OpenFile("ran", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 92
	}
	fmt.Fprintln(f, os.Getpid())
	fmt.Fprintln(os.Stderr, "idle")
	for {
		if <-term; !stubborn {
			return 0
		}
	}
}

const key = "shop-7-build-1"

// machine is an executor that runs, as in a server.
type machine struct {
	*local.Executor
	dir   string
	ended chan string
	stop  func()
}

func boot(t *testing.T, dir, mode string) *machine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return bootWith(t, local.Config{Dir: dir, Runner: []string{self, mode}, Grace: 100 * time.Millisecond})
}

func bootWith(t *testing.T, c local.Config) *machine {
	t.Helper()
	m := &machine{dir: c.Dir, ended: make(chan string, 100)}
	c.OnExit = func(key string) { m.ended <- key }
	var err error
	if m.Executor, err = local.New(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	m.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(m.stop)
	return m
}

func (m *machine) start(t *testing.T, key string) delivery.AttemptStatus {
	t.Helper()
	status, err := m.Start(t.Context(), delivery.AttemptSpec{Key: key, ClaimCode: "c0de", ServerURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func (m *machine) phase(t *testing.T, key string) delivery.AttemptPhase {
	t.Helper()
	status, err := m.Observe(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return status.Phase
}

func (m *machine) awaitEnd(t *testing.T, key string) {
	t.Helper()
	select {
	case got := <-m.ended:
		if got != key {
			t.Fatalf("%s ended, want %s", got, key)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s has not ended within 10 s", key)
	}
}

// pids are what the idle runners of a key have written.
func (m *machine) pids(key string) (list []int) {
	data, _ := os.ReadFile(filepath.Join(m.dir, key, "ran"))
	for line := range strings.Lines(string(data)) {
		pid, _ := strconv.Atoi(strings.TrimSpace(line))
		list = append(list, pid)
	}
	return list
}

func (m *machine) awaitRunner(t *testing.T, key string) int {
	t.Helper()
	until(t, "the runner", func() bool { return len(m.pids(key)) > 0 })
	return m.pids(key)[0]
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// bystander is a process that has nothing to do with any attempt.
func bystander(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "300")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}
