package supervisor

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

// The test binary is also the app under supervision and the detached daemon.
func TestMain(m *testing.M) {
	switch os.Getenv("TEST_ROLE") {
	case "app":
		runApp(os.Getenv("APP_MODE"))
	case "child":
		time.Sleep(time.Minute) // select {} is a deadlock to a program without cgo
	case "supervisor":
		if err := Run(context.Background(), testConfig(os.Args[1])); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		goleak.VerifyTestMain(m)
	}
}

func testConfig(dir string) Config {
	return Config{
		Dir: dir, Unpack: unpackTestApp, Log: slog.New(slog.DiscardHandler),
		Drain: 3 * time.Second, Grace: 300 * time.Millisecond, HealthEvery: 50 * time.Millisecond,
	}
}

// unpackTestApp makes an image of this very binary.
func unpackTestApp(_ context.Context, ref, dir string) error {
	if strings.Contains(ref, "missing") {
		return fmt.Errorf("image %s is not in the registry", ref)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	script := "#!/bin/sh\nTEST_ROLE=app exec '" + self + "' \"$1\"\n"
	if strings.Contains(ref, "wrapped") { // as many start.sh are: no exec, so a child
		script = "#!/bin/sh\nTEST_ROLE=app '" + self + "' \"$1\"\necho after\n"
	}
	return os.WriteFile(filepath.Join(dir, "start.sh"), []byte(script), 0o755)
}

func runApp(mode string) {
	fmt.Printf("app %s starts in %s\n", os.Getenv("SHIPLOCK_REVISION"), os.Args[1])
	var sick atomic.Bool
	switch mode {
	case "crash":
		fmt.Println("panic: no database")
		os.Exit(3)
	case "sick":
		sick.Store(true)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "TEST_ROLE=child")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			panic(err)
		}
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", os.Getenv("SHIPLOCK_REVISION"), body)
	})
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if sick.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	http.HandleFunc("/sicken", func(http.ResponseWriter, *http.Request) { sick.Store(true) })
	http.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(4) })
	http.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	http.HandleFunc("/say", func(_ http.ResponseWriter, r *http.Request) { fmt.Println(r.FormValue("text")) })
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Join(os.Environ(), "\n")) })
	http.HandleFunc("/slow", slow)
	http.HandleFunc("/echo", echo)
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// slow sends its head at once and its body when asked to by a second request.
var hold = make(chan struct{})

func slow(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("end") != "" {
		close(hold)
		return
	}
	fmt.Fprint(w, "begin ")
	_ = http.NewResponseController(w).Flush()
	<-hold
	fmt.Fprint(w, "end")
}

// echo speaks a protocol of its own after an upgrade, as WebSockets do.
func echo(w http.ResponseWriter, _ *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_ = rw.Flush()
	line, _ := rw.ReadString('\n')
	_, _ = rw.WriteString("echo " + line)
	_ = rw.Flush()
}

// bench is a supervisor in this process and a client of it.
type bench struct {
	*testing.T
	dir    string
	client *local.Client
}

func newBench(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	b := &bench{T: t, dir: t.TempDir()}
	b.run()
	return b
}

// run begins a supervisor which the test's end shuts down, and checks that it
// leaves no process.
func (b *bench) run() {
	b.Helper()
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- Run(ctx, testConfig(b.dir)) }()
	b.connect()
	b.Cleanup(func() {
		if err := b.client.Shutdown(context.Background()); err != nil {
			b.Errorf("shutdown: %v", err)
		}
		if err := <-ended; err != nil {
			b.Errorf("supervisor: %v", err)
		}
		cancel()
		b.client.Close()
		b.noProcess()
	})
}

func (b *bench) connect() {
	b.Helper()
	client, err := local.NewClient(b.dir)
	if err != nil {
		b.Fatal(err)
	}
	b.client = client
	eventually(b.T, "the supervisor answers", func() bool {
		_, err := client.Ping(context.Background())
		return err == nil
	})
}

func (b *bench) processes() []int {
	owner := local.DirID(b.dir) + "."
	return marked(func(m string) bool { return strings.HasPrefix(m, owner) })
}

func (b *bench) noProcess() {
	b.Helper()
	if left := b.processes(); len(left) > 0 {
		b.Errorf("processes left: %v", left)
	}
}

func (b *bench) apply(w local.Wish) local.Observation {
	b.Helper()
	o, err := b.client.Apply(context.Background(), w)
	if err != nil {
		b.Fatal(err)
	}
	return o
}

// until watches the target until it is as wanted.
func (b *bench) until(what string, ok func(local.Observation) bool) local.Observation {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	var last []local.Observation
	for since := int64(0); ; {
		ch, err := b.client.Watch(ctx, since)
		if err != nil {
			b.Fatalf("wait until %s: %v; last %+v", what, err, last)
		}
		since, last = ch.Version, ch.Targets
		for _, o := range ch.Targets {
			if o.Key == key && ok(o) {
				return o
			}
		}
	}
}

func (b *bench) healthy(generation int64) local.Observation {
	b.Helper()
	return b.until("all is healthy", func(o local.Observation) bool {
		for _, v := range o.Versions {
			if v.Wished && v.Ready < v.Replicas {
				return false
			}
		}
		return o.Generation == generation
	})
}

const key = "shop/prod"

func wish(generation int64, versions ...local.Version) local.Wish {
	return local.Wish{Key: key, Generation: generation, Versions: versions}
}

func version(id string, weight int, mode string) local.Version {
	return local.Version{ID: id, Weight: weight, Image: "shop@" + id, Config: local.Config{
		Env: map[string]string{"APP_MODE": mode}, HealthPath: "/health", HealthTimeoutMS: 5000,
	}}
}

// fetch returns the revision that answered, and the status and body.
func fetch(t testing.TB, url string) (revision string, status int, body string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return "", 0, ""
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.Header.Get(revisionHeader), res.StatusCode, string(data)
}

// eventually is for conditions that nothing announces.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(8 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not true in time: %s", what)
		}
	}
}
