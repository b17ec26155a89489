package runner_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/runner"
)

// The test binary is its own runner: one process runs one job.
func TestMain(m *testing.M) {
	if os.Getenv(runner.EnvAttempt) != "" {
		os.Exit(beRunner())
	}
	goleak.VerifyTestMain(m)
}

// Settings that tests pass to their runner.
const (
	envSpool = "TEST_SPOOL_LIMIT"
	envGrace = "TEST_GRACE"
)

func beRunner() int {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	c, err := runner.FromEnv(os.Getenv)
	if err != nil {
		logger.Error("configure", "err", err)
		return runner.ExitError
	}
	c.Environ, c.Version, c.Logger = os.Environ(), "test", logger
	c.SpoolLimit, _ = strconv.ParseInt(os.Getenv(envSpool), 10, 64)
	c.Grace, _ = time.ParseDuration(os.Getenv(envGrace))
	c.Checkout, c.Image = fakeCheckout, fakeImage
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := runner.Run(ctx, c); err != nil {
		logger.Error("run", "err", err)
		return runner.ExitCode(err)
	}
	return runner.ExitReported
}

// fakeCheckout copies a local folder; a URL that says so fails.
func fakeCheckout(_ context.Context, dir string, c api.Clone) error {
	switch c.URL {
	case "denied":
		return delivery.E(delivery.Denied, "the repository refused the credential")
	case "down":
		return delivery.E(delivery.Unavailable, "the repository's server did not answer")
	case "panic":
		panic("checkout is broken")
	}
	return os.CopyFS(dir, os.DirFS(c.URL))
}

// fakeImage tells what it was given to pack. The registry of a base that says so is
// away at the first two tries.
func fakeImage(_ context.Context, r runner.ImageRequest) (delivery.Artifact, error) {
	if tries := filepath.Join(r.Dir, "tries"); r.Plan.Base == "stumbles" {
		before, _ := os.ReadFile(tries)
		if len(before) < 2 {
			return delivery.Artifact{}, errors.Join(
				delivery.E(delivery.Unavailable, "connection refused"), os.WriteFile(tries, append(before, '+'), 0o600))
		}
	}
	start, err := os.ReadFile(filepath.Join(r.Dir, "start.sh"))
	if err != nil {
		return delivery.Artifact{}, err
	}
	info, err := os.Stat(filepath.Join(r.Dir, "start.sh"))
	r.Say(info.Mode().String() + " " + string(start))
	return delivery.Artifact{Digest: "sha256:abc", Repository: r.Push.Repository, Size: 42}, err
}

// running is a runner's process.
type running struct {
	*exec.Cmd
	server    *server
	workspace string
}

func launch(t testing.TB, s *server, env ...string) *running {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return launchBinary(t, self, s, env...)
}

func launchBinary(t testing.TB, binary string, s *server, env ...string) *running {
	t.Helper()
	s.sync() // what the test has set so far
	r := &running{Cmd: exec.Command(binary), server: s, workspace: filepath.Join(t.TempDir(), "ws")}
	r.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "SECRET_OF_EXECUTOR=1", "GOCACHE=/shared/go-build", "GORACE=atexit_sleep_ms=0",
		runner.EnvServer + "=" + s.url(), runner.EnvAttempt + "=" + attemptKey,
		runner.EnvCode + "=" + claimCode, runner.EnvWorkspace + "=" + r.workspace,
	}, env...)
	r.Stderr = t.Output()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.ProcessState == nil {
			_ = r.Process.Kill()
			_ = r.Wait()
		}
	})
	return r
}

// exit waits for the runner's end.
func (r *running) exit(t testing.TB) int {
	t.Helper()
	limit := time.AfterFunc(15*time.Second, func() { _ = r.Process.Kill() })
	defer limit.Stop()
	_ = r.Wait()
	r.server.sync()
	return r.ProcessState.ExitCode()
}

// until waits for a condition of another process.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// pids reads the process ids that a step has written into a file of its
// workspace, one a line, once there are n of them.
func (r *running) pids(t testing.TB, name string, n int) (list []int) {
	t.Helper()
	until(t, name, func() bool {
		list = nil
		data, _ := os.ReadFile(filepath.Join(r.workspace, "src", name))
		for field := range fields(data) {
			pid, _ := strconv.Atoi(field)
			list = append(list, pid)
		}
		return len(list) >= n
	})
	return list
}

func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || isZombie(stat)
}
