package harness

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/demo/githost"
)

// Forge is a Git forge on loopback whose push hooks go to a server.
type Forge struct {
	t    testing.TB
	Host *githost.Host
	URL  string
}

// NewForge starts a forge; hookURL is where push hooks go.
func NewForge(t testing.TB, hookURL string) *Forge {
	t.Helper()
	return NewForgeOn(t, loopback, hookURL)
}

// NewForgeOn starts a forge on one of the machine's addresses.
func NewForgeOn(t testing.TB, address, hookURL string) *Forge {
	t.Helper()
	host, err := githost.New(githost.Config{
		Dir: t.TempDir(), User: CloneUser, Password: ClonePass,
		HookURL: hookURL, HookToken: HookSecret, APIToken: ForgeToken,
		Backoff: slices.Repeat([]time.Duration{300 * time.Millisecond}, 300), // longer than anything is away
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: host}}
	srv.Start()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = host.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		srv.Close()
	})
	return &Forge{t: t, Host: host, URL: srv.URL}
}

// Repo is a working copy whose origin is a repository of the forge.
type Repo struct {
	t       testing.TB
	Project githost.Project
	Dir     string
	// CloneURL is without credentials.
	CloneURL string
}

// NewRepo makes a repository and a working copy of it.
func (f *Forge) NewRepo(path string) *Repo {
	f.t.Helper()
	p, err := f.Host.CreateRepo(context.Background(), path)
	if err != nil {
		f.t.Fatal(err)
	}
	r := &Repo{t: f.t, Project: p, Dir: f.t.TempDir(), CloneURL: p.CloneURL(f.URL)}
	r.git("init", "-q", "-b", "main")
	withUser := strings.Replace(r.CloneURL, "http://", fmt.Sprintf("http://%s:%s@", CloneUser, ClonePass), 1)
	r.git("remote", "add", "origin", withUser)
	return r
}

// Write puts a file into the working copy.
func (r *Repo) Write(name, text string, mode os.FileMode) {
	r.t.Helper()
	path := filepath.Join(r.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		r.t.Fatal(err)
	}
}

// Commit commits everything and returns the SHA.
func (r *Repo) Commit(message string) string {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// Push pushes HEAD to branches.
func (r *Repo) Push(branches ...string) {
	r.t.Helper()
	args := []string{"push", "-q", "-f", "origin"}
	for _, b := range branches {
		args = append(args, "HEAD:refs/heads/"+b)
	}
	r.git(args...)
}

func (r *Repo) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.test",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.test")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
