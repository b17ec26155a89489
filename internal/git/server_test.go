package git_test

import (
	"fmt"
	"io"
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
	// handler is what answers at url.
	handler http.Handler
}

func sh(t testing.TB, dir string, args ...string) string {
	t.Helper()
	return shIn(t, dir, nil, args...)
}

func shIn(t testing.TB, dir string, stdin io.Reader, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, git.Env(nil), stdin
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
	var history strings.Builder
	for i := range n {
		fmt.Fprintf(&history, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 6\ncommit\n", 1767323045+i)
		fmt.Fprintf(&history, "M 644 inline n.txt\ndata %d\n%s\n", i+1, strings.Repeat("x", i+1))
		fmt.Fprint(&history, "M 644 inline src/main.go\ndata 13\npackage main\n\n")
	}
	shIn(t, o.dir, strings.NewReader(history.String()), "fast-import", "--quiet")
	o.shas = strings.Fields(sh(t, o.dir, "rev-list", "--reverse", "main"))

	handler := &cgi.Handler{
		Path:   filepath.Join(sh(t, root, "--exec-path"), "git-http-backend"),
		Stderr: io.Discard,
		Env: append(git.Env(map[string]string{"uploadpack.allowAnySHA1InWant": "true"}),
			append([]string{"GIT_HTTP_EXPORT_ALL=1", "GIT_PROJECT_ROOT=" + root}, backend...)...),
	}
	o.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
	server := httptest.NewServer(o.handler)
	t.Cleanup(server.Close)
	o.url = server.URL + "/acme/shop.git"
	return o
}

func (o origin) remote() git.Remote { return git.Remote{URL: o.url, Username: user, Token: token} }
