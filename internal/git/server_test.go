package git_test

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/git"
)

const (
	user  = "robot"
	token = "s3cr3t-t0ken"
)

// origin is a bare repository with some history, and a web server for it.
type origin struct {
	dir  string // the bare repository
	url  string
	shas []string // of branch main, oldest first
}

// sh runs git the way a developer would, with a fixed identity and date.
func sh(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(git.Env(nil),
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// serve makes an origin of n commits. backend holds extra variables for
// git http-backend.
func serve(t testing.TB, n int, backend ...string) origin {
	t.Helper()
	root := t.TempDir()
	o := origin{dir: filepath.Join(root, "acme", "shop.git")}
	sh(t, root, "init", "-q", "--bare", "-b", "main", o.dir)
	work := t.TempDir()
	sh(t, work, "init", "-q", "-b", "main")
	for i := range n {
		write(t, filepath.Join(work, "n.txt"), strings.Repeat("x", i+1))
		write(t, filepath.Join(work, "src", "main.go"), "package main\n")
		sh(t, work, "add", ".")
		sh(t, work, "commit", "-q", "-m", "commit")
		o.shas = append(o.shas, sh(t, work, "rev-parse", "HEAD"))
	}
	sh(t, work, "push", "-q", o.dir, "main")

	handler := &cgi.Handler{
		Path: filepath.Join(sh(t, root, "--exec-path"), "git-http-backend"),
		Env: append(git.Env(map[string]string{"uploadpack.allowAnySHA1InWant": "true"}),
			append([]string{"GIT_HTTP_EXPORT_ALL=1", "GIT_PROJECT_ROOT=" + root}, backend...)...),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	o.url = server.URL + "/acme/shop.git"
	return o
}

func (o origin) remote() git.Remote { return git.Remote{URL: o.url, Username: user, Token: token} }
