package supervisor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/deployer/local"
)

// detached ensures a supervisor in a process of its own.
func detached(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, dir: t.TempDir()}
	b.ensure()
	t.Cleanup(func() {
		b.shutdown()
		b.client.Close()
	})
	return b
}

func (b *bench) ensure() int {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	if b.client != nil {
		b.client.Close()
	}
	b.client, err = local.Ensure(context.Background(), local.EnsureConfig{
		Dir: b.dir, Command: []string{"/usr/bin/env", "TEST_ROLE=supervisor", self, b.dir},
	})
	if err != nil {
		b.Fatal(err)
	}
	info, err := b.client.Ping(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return info.PID
}

// shutdown ends the daemon and all it runs.
func (b *bench) shutdown() {
	b.Helper()
	info, err := b.client.Ping(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	if err := b.client.Shutdown(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.noProcess()
	if err := awaitExit(context.Background(), info.PID); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) killSupervisor(sig syscall.Signal) {
	b.Helper()
	info, err := b.client.Ping(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	if err := syscall.Kill(info.PID, sig); err != nil {
		b.Fatal(err)
	}
	if err := awaitExit(context.Background(), info.PID); err != nil {
		b.Fatal(err)
	}
}

func TestKilledSupervisorIsReplacedAndAppsAreAdopted(t *testing.T) {
	t.Parallel()
	b := detached(t)
	b.apply(wish(3, version("r1", 75, ""), version("r2", 25, "")))
	before := b.healthy(3)

	b.killSupervisor(syscall.SIGKILL)
	began := time.Now()
	first := b.ensure()
	_, status, _ := fetch(t, before.URL)
	t.Logf("serving %s after the restart began", time.Since(began))
	if status != http.StatusOK {
		t.Errorf("first request: %d", status)
	}
	if again := b.ensure(); again != first {
		t.Errorf("a second supervisor: %d, %d", first, again)
	}
	after := b.healthy(3)
	for i, v := range before.Versions {
		if now := after.Versions[i]; now.PIDs[0] != v.PIDs[0] || now.Restarts != 0 {
			t.Errorf("%s: %+v, was %+v", v.ID, now, v)
		}
	}
	if got := share(t, after.URL, 400); got["r2"] < 99 || got["r2"] > 101 {
		t.Errorf("share: %v", got)
	}
	if _, err := b.client.Apply(context.Background(), wish(2, version("r1", 100, ""))); delivery.KindOf(err) != delivery.Conflict {
		t.Errorf("fence: %v", err)
	}
	fetch(t, after.URL+"/say?text=adopted")
	b.apply(wish(4, version("r1", 100, "")))
	b.until("r2 is gone", func(o local.Observation) bool { return o.Generation == 4 && !o.Draining })
	if left := b.processes(); len(left) != 1 || left[0] != before.Versions[0].PIDs[0] {
		t.Errorf("processes: %v", left)
	}
}

func TestAppThatDiedWithTheSupervisorIsStartedAgain(t *testing.T) {
	t.Parallel()
	b := detached(t)
	b.apply(wish(1, version("r1", 100, "parent")))
	before := b.healthy(1)
	b.killSupervisor(syscall.SIGKILL)
	pid := before.Versions[0].PIDs[0]
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := awaitExit(context.Background(), pid); err != nil {
		t.Fatal(err)
	}
	b.ensure()
	after := b.healthy(1)
	if after.Port != before.Port || after.Versions[0].PIDs[0] == pid {
		t.Errorf("after: %+v, before: %+v", after, before)
	}
	// The child of the dead app went with it: two are of the new one, whose child
	// may be between fork and exec when the parent is healthy already.
	left := b.processes()
	for end := time.Now().Add(5 * time.Second); len(left) != 2 && time.Now().Before(end); left = b.processes() {
		runtime.Gosched()
	}
	if len(left) != 2 || slices.Contains(left, pid) {
		t.Errorf("processes: %v", left)
	}
}

func TestAdoptedAppThatCrashesIsNoticed(t *testing.T) {
	t.Parallel()
	b := detached(t)
	b.apply(wish(1, version("r1", 100, "")))
	pid := b.healthy(1).Versions[0].PIDs[0]
	b.killSupervisor(syscall.SIGKILL)
	b.ensure()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	o := b.until("it is back", func(o local.Observation) bool { return o.Versions[0].Restarts == 1 && o.Versions[0].Ready == 1 })
	if v := o.Versions[0]; v.ExitCode != nil || v.PIDs[0] == pid {
		t.Errorf("status: %+v", v)
	}
}

func TestShutdownKeepsWishesForTheNextSupervisor(t *testing.T) {
	t.Parallel()
	b := detached(t)
	b.apply(wish(7, version("r1", 100, "")))
	before := b.healthy(7)
	b.shutdown()
	b.ensure()
	if after := b.healthy(7); after.Port != before.Port {
		t.Errorf("port %d, was %d", after.Port, before.Port)
	}
}

func TestEnsureTellsWhyTheSupervisorDied(t *testing.T) {
	t.Parallel()
	_, err := local.Ensure(context.Background(), local.EnsureConfig{
		Dir: t.TempDir(), Command: []string{"/bin/sh", "-c", "echo no such flag >&2; exit 2"},
	})
	if delivery.KindOf(err) != delivery.Unavailable || !strings.Contains(fmt.Sprint(err), "no such flag") {
		t.Errorf("error: %v", err)
	}
}

func TestRequestInFlightEndsBeforeItsVersion(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	o := b.healthy(1)
	res, err := http.Get(o.URL + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b.apply(wish(2, version("r2", 100, "")))
	b.until("r1 drains", func(o local.Observation) bool {
		v, ok := o.Version("r1")
		return ok && v.State == local.Draining
	})
	if revision, _, _ := fetch(t, o.URL); revision != "r2" {
		t.Errorf("a new request went to %s", revision)
	}
	// Past the proxy, which sends r1 nothing any more.
	pidAddr := appAddr(t, b, o.Versions[0].PIDs[0])
	if _, err := http.Get("http://" + pidAddr + "/slow?end=1"); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != "begin end" {
		t.Errorf("body %q, %v", body, err)
	}
	b.until("r1 is gone", func(o local.Observation) bool { return o.Generation == 2 && !o.Draining })
}

// appAddr finds where an instance listens, from its environment.
func appAddr(t *testing.T, b *bench, pid int) string {
	t.Helper()
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		t.Fatal(err)
	}
	for v := range strings.SplitSeq(string(env), "\x00") {
		if port, ok := strings.CutPrefix(v, "PORT="); ok {
			return "127.0.0.1:" + port
		}
	}
	t.Fatal("no PORT in the environment")
	return ""
}

func TestEveryKindOfProcessIsGoneAfterRemove(t *testing.T) {
	for _, mode := range []string{"", "stubborn", "parent"} {
		for _, image := range []string{"plain", "wrapped"} {
			t.Run(mode+" "+image, func(t *testing.T) {
				b := newBench(t)
				v := version("r1", 100, mode)
				v.Image = image
				b.apply(wish(1, v))
				o := b.healthy(1)
				if err := b.client.Remove(context.Background(), key); err != nil {
					t.Fatal(err)
				}
				b.noProcess()
				if _, err := b.client.Observe(context.Background(), key); delivery.KindOf(err) != delivery.NotFound {
					t.Errorf("observe: %v", err)
				}
				// A process that is just being forked holds the port until its exec.
				eventually(t, "the proxy's port is closed", func() bool {
					conn, err := net.Dial("tcp", strings.TrimPrefix(o.URL, "http://"))
					if err == nil {
						conn.Close()
					}
					return err != nil
				})
				b.apply(wish(1, version("r1", 100, ""))) // the fence went with it
			})
		}
	}
}

func TestAppSeesItsOwnEnvironmentOnly(t *testing.T) {
	t.Setenv("SHIPLOCK_SECRET", "of the server")
	b := &bench{T: t, dir: t.TempDir()}
	b.run()
	v := version("r1", 100, "")
	v.Config.PortEnv = "PORT"
	v.Config.Env["GREETING"] = "hello"
	b.apply(wish(1, v))
	_, _, env := fetch(t, b.healthy(1).URL+"/env")
	for _, want := range []string{"GREETING=hello", "SHIPLOCK_APP=shop", "SHIPLOCK_ENV=prod", "SHIPLOCK_REVISION=r1", "HOME=" + b.dir} {
		if !strings.Contains(env, want) {
			t.Errorf("no %s in %s", want, env)
		}
	}
	if strings.Contains(env, "of the server") {
		t.Error("the supervisor's environment leaks")
	}
}

func TestUpgradedConnectionsPass(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.healthy(1).URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /echo HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get(revisionHeader) != "r1" {
		t.Fatalf("answer: %+v, %v", res, err)
	}
	fmt.Fprint(conn, "hello\n")
	if line, err := r.ReadString('\n'); line != "echo hello\n" {
		t.Errorf("line %q, %v", line, err)
	}
}

func TestLogsFollow(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	url := b.healthy(1).URL
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	logs, err := b.client.Logs(ctx, key, "r1", 10, true)
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	lines := bufio.NewScanner(logs)
	for _, want := range []string{"app r1 starts in prod", "one", "two"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("line %q, want %q: %v", lines.Text(), want, lines.Err())
		}
		fetch(t, url+"/say?text="+map[string]string{"app r1 starts in prod": "one", "one": "two", "two": ""}[want])
	}
	if _, err := b.client.Logs(ctx, key, "r9", 10, false); delivery.KindOf(err) != delivery.NotFound {
		t.Errorf("unknown version: %v", err)
	}
}

func TestServerErrorsAreCounted(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	url := b.healthy(1).URL
	fetch(t, url)
	fetch(t, url+"/error")
	o, err := b.client.Observe(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	if v := o.Versions[0]; v.Requests != 2 || v.Failed != 1 {
		t.Errorf("requests %d, failed %d", v.Requests, v.Failed)
	}
}

func TestFixedPortMovesAndIsKept(t *testing.T) {
	b := newBench(t)
	first := b.apply(wish(1, version("r1", 100, "")))
	b.healthy(1)
	free, err := newPorts().choose()
	if err != nil {
		t.Fatal(err)
	}
	moved := wish(2, version("r1", 100, ""))
	moved.Listen = free
	if o := b.apply(moved); o.Port != free {
		t.Errorf("port %d, want %d", o.Port, free)
	}
	if o := b.apply(wish(3, version("r1", 100, ""))); o.Port != free || o.Port == first.Port {
		t.Errorf("port %d, want %d kept", o.Port, free)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := wish(4, version("r1", 100, ""))
	bad.Listen = taken.Addr().(*net.TCPAddr).Port
	if _, err := b.client.Apply(context.Background(), bad); delivery.KindOf(err) != delivery.Unavailable {
		t.Errorf("taken port: %v", err)
	}
	if o, _ := b.client.Observe(context.Background(), key); o.Generation != 3 {
		t.Errorf("generation %d after a refused wish", o.Generation)
	}
}
