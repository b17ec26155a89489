package git_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

func TestCheckoutIsExactlyTheCommit(t *testing.T) {
	o := serve(t, 3)
	for name, want := range map[string]string{"tip": o.shas[2], "older": o.shas[1], "first": o.shas[0]} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "work")
			if err := git.Checkout(t.Context(), git.Options{Remote: o.remote(), SHA: want, Dir: dir}); err != nil {
				t.Fatal(err)
			}
			if got := sh(t, dir, "rev-parse", "HEAD"); got != want {
				t.Errorf("HEAD is %s, want %s", got, want)
			}
			if got := sh(t, dir, "status", "--porcelain"); got != "" {
				t.Errorf("work tree is not clean: %s", got)
			}
			if got := sh(t, dir, "rev-list", "--count", "HEAD"); got != "1" {
				t.Errorf("%s commits of history, want 1", got)
			}
		})
	}
}

func TestCheckoutLeavesNoCredential(t *testing.T) {
	o := serve(t, 1)
	withUser := strings.Replace(o.url, "://", "://"+user+":"+token+"@", 1)
	for name, remote := range map[string]git.Remote{
		"basic":  o.remote(),
		"in url": {URL: withUser},
		"header": {URL: o.url, Header: "Authorization: Basic cm9ib3Q6czNjcjN0LXQwa2Vu"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := git.Checkout(t.Context(), git.Options{Remote: remote, SHA: o.shas[0], Dir: dir}); err != nil {
				t.Fatal(err)
			}
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				b, err := os.ReadFile(path)
				if strings.Contains(string(b), token) || strings.Contains(string(b), "cm9ib3Q6") {
					t.Errorf("%s holds the credential", path)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A server that speaks only the first protocol gives out nothing but its
// branches' tips.
func TestCheckoutSearchesTheBranch(t *testing.T) {
	o := serve(t, 60, "GIT_PROTOCOL=version=0", "GIT_CONFIG_COUNT=0")
	for name, want := range map[string]string{"near": o.shas[57], "far": o.shas[2]} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			opt := git.Options{Remote: o.remote(), SHA: want, Dir: dir}
			if err := git.Checkout(t.Context(), opt); delivery.KindOf(err) != delivery.NotFound {
				t.Fatalf("without a branch: %v, want NotFound", err)
			}
			opt.Dir, opt.Branch = t.TempDir(), "main"
			if err := git.Checkout(t.Context(), opt); err != nil {
				t.Fatal(err)
			}
			if got := sh(t, opt.Dir, "rev-parse", "HEAD"); got != want {
				t.Errorf("HEAD is %s, want %s", got, want)
			}
		})
	}
}

func TestCheckoutRunsNothingOfTheRepository(t *testing.T) {
	root := t.TempDir()
	proof := filepath.Join(root, "ran")
	work := filepath.Join(root, "evil")
	sh(t, root, "init", "-q", "-b", "main", work)
	write(t, filepath.Join(work, ".gitattributes"), "*.txt filter=lfs\n")
	write(t, filepath.Join(work, "a.txt"), "version https://git-lfs.github.com/spec/v1\n")
	write(t, filepath.Join(work, ".gitmodules"),
		"[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c 'touch "+proof+"'\n")
	sh(t, work, "add", ".")
	sh(t, work, "-c", "user.name=E", "-c", "user.email=e@example.com", "commit", "-q", "-m", "evil")
	sha := sh(t, work, "rev-parse", "HEAD")

	// The machine's own configuration would run a hook and a filter.
	home := t.TempDir()
	hook := filepath.Join(home, "hooks", "post-checkout")
	write(t, hook, "#!/bin/sh\ntouch "+proof+"\n")
	if err := os.Chmod(hook, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, ".gitconfig"), "[core]\n\thooksPath = "+filepath.Dir(hook)+
		"\n[filter \"lfs\"]\n\tsmudge = touch "+proof+"\n\trequired = true\n")
	t.Setenv("HOME", home)

	dir := t.TempDir()
	if err := git.Checkout(t.Context(), git.Options{Remote: git.Remote{URL: "file://" + work}, SHA: sha, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(proof); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something of the repository or of the machine's configuration ran")
	}
}

func TestCheckoutErrorKinds(t *testing.T) {
	o := serve(t, 1)
	missing := strings.Repeat("ab", 20)
	full := t.TempDir()
	write(t, filepath.Join(full, ".git", "config"), "[core]\n")
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer down.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	moved := httptest.NewServer(http.RedirectHandler(o.url+"/info/refs?service=git-upload-pack", http.StatusMovedPermanently))
	defer moved.Close()

	at := func(url string) git.Remote { return git.Remote{URL: url, Username: user, Token: token} }
	for name, c := range map[string]struct {
		opt  git.Options
		kind delivery.Kind
	}{
		"no such commit":     {git.Options{Remote: o.remote(), SHA: missing}, delivery.NotFound},
		"no such repository": {git.Options{Remote: at(o.url + "x"), SHA: o.shas[0]}, delivery.NotFound},
		"no such branch":     {git.Options{Remote: o.remote(), SHA: missing, Branch: "nope"}, delivery.NotFound},
		"no such path":       {git.Options{Remote: git.Remote{URL: "file:///nonexistent/x"}, SHA: o.shas[0]}, delivery.NotFound},
		"wrong token":        {git.Options{Remote: git.Remote{URL: o.url, Token: "wrong-t0ken"}, SHA: o.shas[0]}, delivery.Denied},
		"no token":           {git.Options{Remote: git.Remote{URL: o.url}, SHA: o.shas[0]}, delivery.Denied},
		"server unwell":      {git.Options{Remote: at(down.URL + "/a/b.git"), SHA: o.shas[0]}, delivery.Unavailable},
		"server gone":        {git.Options{Remote: at(gone.URL + "/a/b.git"), SHA: o.shas[0]}, delivery.Unavailable},
		"moved":              {git.Options{Remote: at(moved.URL + "/a/b.git"), SHA: o.shas[0]}, delivery.NotFound},
		"short sha":          {git.Options{Remote: o.remote(), SHA: "abc123"}, delivery.Invalid},
		"bad branch":         {git.Options{Remote: o.remote(), SHA: o.shas[0], Branch: "--upload-pack=x"}, delivery.Invalid},
		"occupied directory": {git.Options{Remote: o.remote(), SHA: o.shas[0], Dir: full}, delivery.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			if c.opt.Dir == "" {
				c.opt.Dir = t.TempDir()
			}
			err := git.Checkout(t.Context(), c.opt)
			if err == nil || delivery.KindOf(err) != c.kind {
				t.Fatalf("%v (%v), want %v", err, delivery.KindOf(err), c.kind)
			}
			for _, secret := range []string{token, "wrong-t0ken"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells the token: %v", err)
				}
			}
		})
	}
}

// hang is a server that takes a request and never answers. asked is closed by
// the request, left when whoever asked is gone.
func hang(t *testing.T) (url string, asked, left chan struct{}) {
	t.Helper()
	asked, left = make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(left)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/a/b.git", asked, left
}

func TestCheckoutStopsWithItsContext(t *testing.T) {
	url, asked, left := hang(t)
	reason := errors.New("the job was cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-asked
		cancel(reason)
	}()
	err := git.Checkout(ctx, git.Options{Remote: git.Remote{URL: url}, SHA: strings.Repeat("ab", 20), Dir: t.TempDir()})
	if !errors.Is(err, reason) {
		t.Fatalf("%v, want the context's cause", err)
	}
	// It is a grandchild that speaks http.
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("a child of git outlived its context")
	}
}

func TestCheckoutTimeLimit(t *testing.T) {
	url, _, _ := hang(t)
	err := git.Checkout(t.Context(), git.Options{
		Remote: git.Remote{URL: url}, SHA: strings.Repeat("ab", 20), Dir: t.TempDir(), Timeout: 200 * time.Millisecond,
	})
	if delivery.KindOf(err) != delivery.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v (%v), want Unavailable", err, delivery.KindOf(err))
	}
}

func BenchmarkCheckout(b *testing.B) {
	o := serve(b, 20)
	root := b.TempDir()
	for b.Loop() {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			b.Fatal(err)
		}
		if err := git.Checkout(b.Context(), git.Options{Remote: o.remote(), SHA: o.shas[10], Dir: dir}); err != nil {
			b.Fatal(err)
		}
	}
}
