package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/executor/local"
)

func TestLifeOfAnAttempt(t *testing.T) {
	t.Parallel()
	m := boot(t, t.TempDir(), "idle")
	if got := m.phase(t, key); got != delivery.AttemptUnknown {
		t.Errorf("before: %s", got)
	}
	if got := m.start(t, key).Phase; got != delivery.AttemptAlive {
		t.Errorf("started: %s", got)
	}
	m.awaitRunner(t, key)
	if got := m.start(t, key).Phase; got != delivery.AttemptAlive {
		t.Errorf("started again: %s", got)
	}
	if err := m.Forget(t.Context(), key); delivery.KindOf(err) != delivery.Conflict {
		t.Errorf("forgotten alive: %v", err)
	}
	if err := m.Stop(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	m.awaitEnd(t, key)
	status, err := m.Observe(t.Context(), key)
	if err != nil || status.Phase != delivery.AttemptOver || !slices.Equal(status.Cause.Evidence, []string{"idle"}) {
		t.Errorf("after: %+v, %v", status, err)
	}
	if got := m.start(t, key).Phase; got != delivery.AttemptOver {
		t.Errorf("started after its end: %s", got)
	}
	if err := m.Stop(t.Context(), key); err != nil {
		t.Errorf("stopped after its end: %v", err)
	}
	until(t, "the workspace's removal", func() bool {
		return !exists(filepath.Join(m.dir, key, "ws")) && !exists(filepath.Join(m.dir, key, "code"))
	})
	if n := len(m.pids(key)); n != 1 {
		t.Errorf("ran %d times", n)
	}
	if err := m.Forget(t.Context(), key); err != nil || exists(filepath.Join(m.dir, key)) {
		t.Errorf("forgotten: %v", err)
	}
}

func TestServersRaceToStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	servers := []*machine{boot(t, dir, "idle"), boot(t, dir, "idle"), boot(t, dir, "idle")}
	for n := range 10 {
		key := fmt.Sprintf("race-%d-build-1", n+1)
		var wg sync.WaitGroup
		for _, m := range slices.Concat(servers, servers) {
			wg.Go(func() {
				if got := m.start(t, key).Phase; got != delivery.AttemptAlive {
					t.Errorf("%s: %s", key, got)
				}
			})
		}
		wg.Wait()
		servers[0].awaitRunner(t, key)
		for _, m := range servers {
			until(t, "stop", func() bool { return m.Stop(t.Context(), key) == nil })
			until(t, "the end", func() bool { return m.phase(t, key) == delivery.AttemptOver })
		}
		if n := len(servers[0].pids(key)); n != 1 {
			t.Errorf("%s: %d runners", key, n)
		}
	}
}

func TestStubbornRunnerIsKilled(t *testing.T) {
	t.Parallel()
	m := boot(t, t.TempDir(), "stubborn")
	m.start(t, key)
	pid := m.awaitRunner(t, key)
	for range 2 {
		if err := m.Stop(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	m.awaitEnd(t, key)
	if !gone(pid) {
		t.Error("it lives")
	}
}

func TestAttemptOutlivesTheServer(t *testing.T) {
	t.Parallel()
	first := boot(t, t.TempDir(), "idle")
	first.start(t, key)
	pid := first.awaitRunner(t, key)
	first.stop()
	if gone(pid) {
		t.Fatal("the runner ended with its server")
	}
	second := boot(t, first.dir, "idle")
	if got := second.phase(t, key); got != delivery.AttemptAlive {
		t.Errorf("after a restart: %s", got)
	}
	if err := second.Stop(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	second.awaitEnd(t, key)
	if len(first.ended) != 0 {
		t.Error("a server that has ended tells of ends")
	}
}

// A server that runs already notices the end of what one that ended had started.
func TestAttemptOfAServerThatEnded(t *testing.T) {
	t.Parallel()
	first := boot(t, t.TempDir(), "idle")
	second := bootWith(t, local.Config{Dir: first.dir, Runner: []string{"x"}, LookEvery: 10 * time.Millisecond})
	first.start(t, key)
	pid := first.awaitRunner(t, key)
	first.stop()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	second.awaitEnd(t, key)
	until(t, "the workspace's removal", func() bool { return !exists(filepath.Join(first.dir, key, "ws")) })
}

func TestEndWhileNobodyWatches(t *testing.T) {
	t.Parallel()
	first := boot(t, t.TempDir(), "idle")
	first.start(t, key)
	pid := first.awaitRunner(t, key)
	first.stop()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "the end", func() bool { return first.phase(t, key) == delivery.AttemptOver || gone(pid) })
	second := boot(t, first.dir, "idle")
	second.awaitEnd(t, key)
	until(t, "the workspace's removal", func() bool { return !exists(filepath.Join(first.dir, key, "ws")) })
	second.stop()
	third := boot(t, first.dir, "idle")
	third.stop()
	if len(third.ended) != 0 {
		t.Error("an end that is settled is told again")
	}
}

// A process id on disk may be another's by now, or that of a mere thread.
func TestForeignProcessIsLeftAlone(t *testing.T) {
	t.Parallel()
	other := bystander(t)
	for name, pid := range map[string]int{"process": other.Process.Pid, "thread": anyThread(t)} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, key, "ws"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"runner.log": "", "lock": strconv.Itoa(pid) + "\n"} {
			if err := os.WriteFile(filepath.Join(dir, key, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m := boot(t, dir, "idle")
		m.awaitEnd(t, key)
		if err := m.Stop(t.Context(), key); err != nil {
			t.Error(name, err)
		}
		if got := m.phase(t, key); got != delivery.AttemptOver || gone(other.Process.Pid) {
			t.Errorf("%s: %s, bystander gone: %t", name, got, gone(other.Process.Pid))
		}
	}
}

// anyThread returns the id of a thread of this process that is not its first.
func anyThread(t *testing.T) int {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		if id, err := strconv.Atoi(thread.Name()); err == nil && id != os.Getpid() {
			return id
		}
	}
	t.Fatal("this process has one thread only")
	return 0
}

func TestStartThatFailsCanBeRepeated(t *testing.T) {
	t.Parallel()
	broken := bootWith(t, local.Config{Dir: t.TempDir(), Runner: []string{"/nonexistent/runner"}})
	_, err := broken.Start(t.Context(), delivery.AttemptSpec{Key: key})
	if delivery.KindOf(err) != delivery.Unavailable {
		t.Fatal(err)
	}
	if got := broken.phase(t, key); got != delivery.AttemptUnknown {
		t.Errorf("%s", got)
	}
	m := boot(t, broken.dir, "idle")
	m.start(t, key)
	m.awaitRunner(t, key)
	if err := m.Stop(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	m.awaitEnd(t, key)
}

func TestOldRecordsExpire(t *testing.T) {
	t.Parallel()
	first := boot(t, t.TempDir(), "idle")
	first.start(t, key)
	first.awaitRunner(t, key)
	if err := first.Stop(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	first.awaitEnd(t, key)
	first.stop()
	tomorrow := func() time.Time { return time.Now().Add(25 * time.Hour) }
	bootWith(t, local.Config{Dir: first.dir, Runner: []string{"x"}, Now: tomorrow})
	until(t, "the record's removal", func() bool { return !exists(filepath.Join(first.dir, key)) })
}

func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	m := boot(t, t.TempDir(), "idle")
	for _, key := range []string{"", "..", "../../etc-1-build-1", "a/b-1-build-1", "x-1-../../y-1", "shop-0-build-1"} {
		if _, err := m.Start(t.Context(), delivery.AttemptSpec{Key: key}); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// forever is a server that hands out one script and never hears enough.
func forever(t *testing.T, script string) string {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+api.RunnerClaimPath, func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(api.Assignment{
			Protocol: api.RunnerProtocol, Heartbeat: 50, Plan: delivery.Plan{Steps: []delivery.PlanStep{{Name: "work", Kind: delivery.StepRun, Run: script}}},
		})
	})
	mux.HandleFunc("POST "+api.RunnerReportsPath, func(w http.ResponseWriter, r *http.Request) {
		var list api.Reports
		_ = json.NewDecoder(r.Body).Decode(&list)
		ack := api.ReportsAck{}
		for _, report := range list.Reports {
			ack.Seq = report.Seq
		}
		_ = json.NewEncoder(w).Encode(ack)
	})
	mux.HandleFunc("POST "+api.RunnerLogPath, func(w http.ResponseWriter, r *http.Request) {
		var b api.LogBatch
		_ = json.NewDecoder(r.Body).Decode(&b)
		_ = json.NewEncoder(w).Encode(api.LogAck{Line: b.First + int64(len(b.Lines)) - 1})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

const family = `
echo $$ >>pids
(setsid sh -c 'echo $$ >>pids; sleep 300' &)
(sleep 300 & echo $! >>pids; wait) &
while [ "$(wc -l <pids)" -lt 3 ]; do sleep 0.01; done
touch ready
mkdir -p ro/only; chmod 500 ro/only ro
sleep 300`

func startFamily(t *testing.T, m *machine) []int {
	t.Helper()
	_, err := m.Start(t.Context(), delivery.AttemptSpec{Key: key, ClaimCode: "c0de", ServerURL: forever(t, family)})
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(m.dir, key, "ws", "src")
	until(t, "the step's processes", func() bool { return exists(filepath.Join(src, "ready")) })
	data, err := os.ReadFile(filepath.Join(src, "pids"))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for line := range strings.Lines(string(data)) {
		pid, _ := strconv.Atoi(strings.TrimSpace(line))
		pids = append(pids, pid)
	}
	return pids
}

func runnerPID(t *testing.T, m *machine) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.dir, key, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func expectGone(t *testing.T, m *machine, pids []int) {
	t.Helper()
	for _, pid := range pids {
		if !gone(pid) {
			t.Errorf("process %d lives", pid)
		}
	}
	until(t, "the workspace's removal", func() bool { return !exists(filepath.Join(m.dir, key, "ws")) })
}

func TestKilledRunnerLeavesNoProcess(t *testing.T) {
	t.Parallel()
	m := boot(t, t.TempDir(), "runner")
	pids := startFamily(t, m)
	if err := syscall.Kill(runnerPID(t, m), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	m.awaitEnd(t, key)
	expectGone(t, m, pids)
}

// Both the runner and the server die; the next server clears up.
func TestNextServerClearsUp(t *testing.T) {
	t.Parallel()
	m := boot(t, t.TempDir(), "runner")
	pids := startFamily(t, m)
	runner := runnerPID(t, m)
	m.stop()
	if err := syscall.Kill(runner, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the runner's end", func() bool { return gone(runner) })
	next := boot(t, m.dir, "runner")
	next.awaitEnd(t, key)
	expectGone(t, next, pids)
}

func TestStopEndsTheSteps(t *testing.T) {
	t.Parallel()
	m := bootWith(t, local.Config{Dir: t.TempDir(), Runner: boot(t, t.TempDir(), "runner").Runner})
	pids := startFamily(t, m)
	if exists(filepath.Join(m.dir, key, "code")) {
		t.Error("the claim code stays on disk")
	}
	if err := m.Stop(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	m.awaitEnd(t, key)
	expectGone(t, m, pids)
}

func TestToolEnv(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	if err := os.MkdirAll(filepath.Join(config, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "go", "env"), []byte("GOPROXY=off\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := local.ToolEnv([]string{"PATH=/bin", "SHIPLOCK_TOKEN=x", "GOFLAGS=-mod=mod", "AWS_SECRET=y", "npm_config_registry=z", "HOME=/root"})
	want := []string{"PATH=/bin", "GOFLAGS=-mod=mod", "npm_config_registry=z", "GOENV=" + filepath.Join(config, "go", "env")}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func BenchmarkStart(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan string, 1)
	e, err := local.New(local.Config{Dir: b.TempDir(), Runner: []string{self, "idle"}, OnExit: func(key string) { ended <- key }})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		key := fmt.Sprintf("bench-%d-build-1", n)
		if _, err := e.Start(b.Context(), delivery.AttemptSpec{Key: key}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := e.Stop(b.Context(), key); err != nil {
			b.Fatal(err)
		}
		<-ended
		b.StartTimer()
	}
}
