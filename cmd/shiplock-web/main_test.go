//go:build e2e

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/phpfpm"
)

// transcript is what the program writes, while it writes.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed at the next write
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.grown != nil {
		close(t.grown)
		t.grown = nil
	}
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// await returns once part has been written.
func (t *transcript) await(tb testing.TB, part string) {
	tb.Helper()
	late := time.After(20 * time.Second)
	for {
		t.mu.Lock()
		if strings.Contains(t.text.String(), part) {
			t.mu.Unlock()
			return
		}
		if t.grown == nil {
			t.grown = make(chan struct{})
		}
		grown := t.grown
		t.mu.Unlock()
		select {
		case <-grown:
		case <-late:
			tb.Fatalf("%q was not written:\n%s", part, t)
		}
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// phpHere is the version of the machine's php-fpm.
func phpHere(t *testing.T) string {
	t.Helper()
	for _, version := range []string{"8.2", "7.4"} {
		if _, err := phpfpm.Find(t.Context(), os.Getenv("PATH"), version); err == nil {
			return version
		}
	}
	t.Skip("php-fpm is not installed")
	return ""
}

// served is a running server.
type served struct {
	t    *testing.T
	url  string
	out  *transcript
	stop func() error // ends it as SIGTERM does, and waits
}

func start(t *testing.T, o options) served {
	t.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, o.port, _ = net.SplitHostPort(probe.Addr().String())
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	s := served{t: t, url: "http://127.0.0.1:" + o.port, out: &transcript{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, o, s.out) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	s.out.await(t, "serving ")
	return s
}

func phpOptions(t *testing.T, files map[string]string) options {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	return options{root: dir, version: phpHere(t), php: phpfpm.Settings{Workers: 3, MemoryLimit: 64, UploadLimit: 1, TimeLimit: time.Second}}
}

func (s served) ask(method, path string, body io.Reader, header ...string) (int, string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header
}

const echo = `<?php
header('X-Script: ' . $_SERVER['SCRIPT_NAME']);
printf("%s|%s|%s|%s|%s", $_SERVER['REQUEST_URI'], $_SERVER['PATH_INFO'] ?? '', $_SERVER['PHP_SELF'], basename($_SERVER['SCRIPT_FILENAME']), $_GET['q'] ?? '');
`

func TestPHPRouting(t *testing.T) {
	s := start(t, phpOptions(t, map[string]string{
		"index.php": echo, "tool.php": echo, "sub/index.php": echo, "picture.jpg": "<?php echo 'executed';", "style.css": "a {}",
		"vendor/lib/run.php": echo, "vendor/lib/a.css": "b {}", "lib/secret.inc": "s", "composer.json": "{}", "app.log": "l", ".env": "S=1", "old.PHP": "<?php 1;",
		"data/.htaccess": "Require all denied\n", "data/users.txt": "x", "data/x.php": echo, "docs/index.html": "docs",
	}))
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/", 200, "/||/index.php|index.php|"},
		{"/?q=1", 200, "/?q=1||/index.php|index.php|1"},
		{"/tool.php?q=a%20b", 200, "/tool.php?q=a%20b||/tool.php|tool.php|a b"},
		{"/tool.php/a/b", 200, "/tool.php/a/b|/a/b|/tool.php/a/b|tool.php|"},
		{"/tool.php/a/", 200, "/tool.php/a/|/a/|/tool.php/a/|tool.php|"},
		{"/users/7?q=x", 200, "/users/7?q=x||/index.php|index.php|x"},
		{"/nothing.php", 200, "/nothing.php||/index.php|index.php|"},
		{"/sub/", 200, "/sub/||/sub/index.php|index.php|"},
		{"/sub", 301, ""},
		{"/docs/", 200, "docs"},
		{"/style.css", 200, "a {}"}, {"/vendor/lib/a.css", 200, "b {}"},
		{"/picture.jpg", 200, "<?php echo 'executed';"},
		{"/picture.jpg/x.php", 200, "/picture.jpg/x.php||/index.php|index.php|"}, // the front controller: the picture is not executed
		{"/picture.jpg/.php", 404, "not found\n"},
		{"/picture.jpg%00.php", 404, "not found\n"},
		{"/vendor/lib/run.php", 404, "not found\n"}, {"/lib/secret.inc", 404, "not found\n"}, {"/composer.json", 404, "not found\n"},
		{"/app.log", 404, "not found\n"}, {"/.env", 404, "not found\n"}, {"/old.PHP", 404, "not found\n"},
		{"/data/users.txt", 404, "not found\n"}, {"/data/x.php", 404, "not found\n"},
		{"/%2e%2e/%2e%2e/etc/passwd", 200, "/%2e%2e/%2e%2e/etc/passwd||/index.php|index.php|"},
	} {
		if status, text, _ := s.ask(http.MethodGet, c.path, nil); status != c.status || c.want != "" && text != c.want {
			t.Errorf("%s: %d %q, want %d %q", c.path, status, text, c.status, c.want)
		}
	}
}

func TestPHPRequests(t *testing.T) {
	s := start(t, phpOptions(t, map[string]string{
		"index.php": `<?php
			header('X-A: 1'); setcookie('a', 'b'); http_response_code(201);
			echo $_SERVER['REQUEST_METHOD'], ' ', strlen(file_get_contents('php://input')), ' ', $_SERVER['HTTP_X_TEST'] ?? '-', ' ',
				$_SERVER['HTTP_PROXY'] ?? '-', ' ', $_SERVER['HTTPS'] ?? '-', ' ', getenv('PATH') ? 'env' : 'no env';`,
		"broken.php": "<?php\nfunction f() {\n  throw new RuntimeException('DATABASE_URL is not set');\n}\nf();\n",
		"warn.php":   "<?php echo 'ok'; echo $undefined;",
		"slow.php":   "<?php $end = microtime(true) + 30; while (microtime(true) < $end) { usleep(10000); }",
		"moved.php":  "<?php header('Location: /x');",
		"upload.php": "<?php echo $_FILES['f']['size'] ?? 'none';",
	}))
	status, text, header := s.ask(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 100_000)), "X-Test", "t", "Proxy", "evil", "X_Test", "smuggled", "X-Forwarded-Proto", "https")
	if status != 201 || text != "POST 100000 t - on env" || header.Get("X-A") != "1" || header.Get("Set-Cookie") != "a=b" || header.Get("X-Powered-By") != "" {
		t.Errorf("%d %q %v", status, text, header)
	}
	unknown := struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 50_000))} // sent in chunks
	if _, text, _ := s.ask(http.MethodPost, "/", unknown); !strings.HasPrefix(text, "POST 50000 ") {
		t.Errorf("a body of unknown length: %q", text)
	}
	large := func() io.Reader { return strings.NewReader(strings.Repeat("x", 1<<20+1)) }
	if status, _, _ := s.ask(http.MethodPost, "/", large()); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", status)
	}
	if status, _, _ := s.ask(http.MethodPost, "/", struct{ io.Reader }{large()}); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body of unknown length: %d", status)
	}
	if status, text, _ := s.ask(http.MethodGet, "/broken.php", nil); status != 500 || strings.Contains(text, "DATABASE_URL") {
		t.Errorf("an exception: %d %q", status, text)
	}
	s.out.await(t, "PHP Fatal error:  Uncaught RuntimeException: DATABASE_URL is not set in ")
	if status, text, _ := s.ask(http.MethodGet, "/warn.php", nil); status != 200 || text != "ok" {
		t.Errorf("a warning: %d %q", status, text)
	}
	s.out.await(t, "PHP Warning:  Undefined variable $undefined in ")
	if status, _, header := s.ask(http.MethodGet, "/moved.php", nil); status != 302 || header.Get("Location") != "/x" {
		t.Errorf("a redirection: %d %v", status, header)
	}
	if status, _, _ := s.ask(http.MethodGet, "/slow.php", nil); status != http.StatusGatewayTimeout {
		t.Errorf("a slow script: %d", status)
	}
	s.out.await(t, "PHP_TIME_LIMIT is the limit")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s.out.String(), "NOTICE") || strings.Contains(s.out.String(), "PHP message") {
		t.Errorf("noise:\n%s", s.out)
	}
}

// A request that is under way when the end is asked for is answered.
func TestPHPDrains(t *testing.T) {
	entered := filepath.Join(t.TempDir(), "entered")
	s := start(t, phpOptions(t, map[string]string{
		"index.php": fmt.Sprintf("<?php error_log('entered'); touch('%s'); usleep(300000); echo 'done';", entered),
	}))
	answered := make(chan string, 1)
	go func() {
		_, text, _ := s.ask(http.MethodGet, "/", nil)
		answered <- text
	}()
	for tries := 0; ; tries++ {
		if _, err := os.Stat(entered); err == nil {
			break
		}
		if tries > 2000 {
			t.Fatalf("the script was not started:\n%s", s.out)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if text := <-answered; text != "done" {
		t.Errorf("the answer is %q", text)
	}
}

// php-fpm is started again when it dies, its workers do not outlive it, and requests
// wait for the next one.
func TestPHPRestarts(t *testing.T) {
	s := start(t, phpOptions(t, map[string]string{"index.php": "<?php echo posix_getppid(), ' ', getmypid();"}))
	_, text, _ := s.ask(http.MethodGet, "/", nil)
	var master, worker int
	if _, err := fmt.Sscan(text, &master, &worker); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if err := syscall.Kill(master, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.out.await(t, "it is started again in ")
	if status, text, _ := s.ask(http.MethodGet, "/", nil); status != 200 || text == "" {
		t.Errorf("after the restart: %d %q\n%s", status, text, s.out)
	}
	if err := syscall.Kill(worker, 0); !errors.Is(err, syscall.ESRCH) && !zombie(worker) {
		t.Errorf("a worker outlives its master: %v", err)
	}
}

// zombie tells whether a process has ended, and only waits to be asked how.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestStatic(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"index.html": "home"})
	s := start(t, options{root: dir, php: phpfpm.Settings{UploadLimit: 1}})
	if status, text, _ := s.ask(http.MethodGet, "/", nil); status != 200 || text != "home" {
		t.Errorf("%d %q", status, text)
	}
}

func TestStartErrors(t *testing.T) {
	busy, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, port, _ := net.SplitHostPort(busy.Addr().String())
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		says string
	}{
		"no folder":    {[]string{"--root", "/nowhere"}, map[string]string{"PORT": "0"}, "the variable PORT is \"0\""},
		"address used": {nil, map[string]string{"PORT": port}, "address already in use"},
		"bad number":   {nil, map[string]string{"PHP_WORKERS": "many"}, `the variable PHP_WORKERS is "many": set it to a number from 1 to 10000`},
		"an argument":  {[]string{"www"}, nil, `"www" is not expected`},
		"no such php":  {[]string{"--php", "5.2"}, nil, "the app needs PHP 5.2: install Debian's package php5.2-fpm"},
	} {
		var out, errOut bytes.Buffer
		code := run(c.args, func(name string) string { return c.env[name] }, &out, &errOut)
		if code != 1 || !strings.HasPrefix(errOut.String(), "error: ") || !strings.Contains(errOut.String(), c.says) {
			t.Errorf("%s: %d %q", name, code, errOut.String())
		}
	}
}

// php-fpm that refuses its settings, or is none, is an error with its own words.
func TestBrokenPHP(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
	program := filepath.Join(t.TempDir(), "php-fpm")
	script := "#!/bin/sh\necho '[26-Nov-2026 07:00:00] ERROR: no pool defined' >&2\nexit 78\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	var out transcript
	p := phpfpm.New(phpfpm.Config{Program: program, Dir: t.TempDir(), Output: &out, Settings: phpfpm.Settings{Workers: 1}})
	if err := p.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no pool defined") {
		t.Errorf("%v", err)
	}
}

// In a pod it writes out what the app logs to files, to the last line.
func TestTail(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"app.log": "one\n"})
	var out transcript
	var errOut bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run([]string{"tail", dir, "*.log"}, os.Getenv, &out, &errOut) }()
	out.await(t, "one\n")
	write(t, dir, map[string]string{"last.log": "two"})
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := <-done; code != 0 || out.String() != "one\ntwo\n" {
		t.Errorf("%d %q %q", code, out.String(), errOut.String())
	}
	for says, args := range map[string][]string{
		"say which files to write out": {"tail"}, "no such file": {"tail", filepath.Join(dir, "none"), "*"},
	} {
		errOut.Reset()
		if code := run(args, os.Getenv, io.Discard, &errOut); code != 1 || !strings.Contains(errOut.String(), says) {
			t.Errorf("%v: %d %q", args, code, errOut.String())
		}
	}
}
