package githost_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/demo/githost"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
	"github.com/shiplock/shiplock/internal/git"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user, password = "dev", "pass-word"
	hookToken      = "hook-secret"
	apiToken       = "glpat-demo"
	zeros          = "0000000000000000000000000000000000000000"
)

// forge is a Host with one project, a receiver of its hooks, and a clone.
type forge struct {
	*githost.Host
	base    string
	project githost.Project
	hooks   chan received
	work    string
}

type received struct {
	header http.Header
	body   []byte
}

// start runs a Host whose hooks go through answer, which may refuse them, to the
// channel.
func start(t testing.TB, answer func(received) int) *forge {
	t.Helper()
	f := &forge{hooks: make(chan received, 64), work: t.TempDir()}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := received{header: r.Header, body: body}
		w.WriteHeader(answer(got))
		f.hooks <- got
	}))
	t.Cleanup(receiver.Close)

	host, err := githost.New(githost.Config{
		Dir: t.TempDir(), User: user, Password: password, HookURL: receiver.URL, HookToken: hookToken,
		APIToken: apiToken, Backoff: []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Host = host
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	f.base = server.URL
	f.run(t)

	if f.project, err = host.CreateRepo(t.Context(), "acme/shop"); err != nil {
		t.Fatal(err)
	}
	f.git(t, "init", "-q", "-b", "dev")
	f.git(t, "remote", "add", "origin", strings.Replace(f.project.CloneURL(f.base), "://", "://"+user+":"+password+"@", 1))
	return f
}

func (f *forge) run(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func taken(received) int { return http.StatusOK }

func (f *forge) git(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = f.work
	cmd.Env = append(git.Env(nil),
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes the files (nil removes one) and returns the new commit.
func (f *forge) commit(t testing.TB, title string, files map[string][]byte) string {
	t.Helper()
	for name, data := range files {
		file := filepath.Join(f.work, name)
		if data == nil {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f.git(t, "add", "-A")
	f.git(t, "commit", "-q", "--allow-empty", "-m", title)
	return f.git(t, "rev-parse", "HEAD")
}

func (f *forge) next(t testing.TB) received {
	t.Helper()
	select {
	case got := <-f.hooks:
		return got
	case <-time.After(20 * time.Second):
		t.Fatal("no hook came")
		panic("unreachable")
	}
}

// push reads the next hook as the server would.
func (f *forge) push(t testing.TB) *delivery.Push {
	t.Helper()
	got := f.next(t)
	hooks, err := gitlab.NewHooks([]string{hookToken}, time.Now)
	if err == nil {
		err = hooks.Verify(got.header, got.body)
	}
	if err != nil {
		t.Fatal(err)
	}
	h, note, err := hooks.Parse(got.header, got.body)
	if err != nil || note != "" || h.ID != got.header.Get("Idempotency-Key") || h.ID == "" {
		t.Fatalf("hook %+v, note %q, err %v", h, note, err)
	}
	return &h.Push
}

func TestPushToHookToCheckout(t *testing.T) {
	f := start(t, taken)
	repo := delivery.Repo{
		Forge: gitlab.Name, ProjectID: strconv.FormatInt(f.project.ID, 10), Path: "acme/shop",
		CloneURL: f.base + "/acme/shop.git", WebURL: f.base + "/acme/shop",
	}
	first := f.commit(t, "start", map[string][]byte{"a.txt": []byte("1"), "b.txt": []byte("1")})
	f.git(t, "push", "-q", "origin", "dev")
	want := &delivery.Push{
		Repo: repo, Branch: "dev", Before: zeros, After: first, Title: "start", Author: "Ada", Email: "ada@example.com", Pusher: user,
		Paths: []string{"a.txt", "b.txt"}, DefaultBranch: "dev",
	}
	if diff := cmp.Diff(want, f.push(t)); diff != "" {
		t.Errorf("new branch: %s", diff)
	}

	f.commit(t, "more", map[string][]byte{"名 前.txt": []byte("x"), "a.txt": []byte("2")})
	second := f.commit(t, "even more\n\nwhy", map[string][]byte{"b.txt": nil, "d/c.txt": []byte("x")})
	f.git(t, "push", "-q", "origin", "dev")
	want = &delivery.Push{
		Repo: repo, Branch: "dev", Before: first, After: second, Title: "even more", Author: "Ada", Email: "ada@example.com", Pusher: user,
		Paths: []string{"a.txt", "b.txt", "d/c.txt", "名 前.txt"}, PathsComplete: true, DefaultBranch: "dev",
	}
	push := f.push(t)
	if diff := cmp.Diff(want, push); diff != "" {
		t.Errorf("two commits: %s", diff)
	}

	// The older commit is no branch's tip.
	remote := git.Remote{URL: push.Repo.CloneURL, Username: user, Token: password}
	for _, sha := range []string{push.Before, push.After} {
		dir := t.TempDir()
		if err := git.Checkout(t.Context(), git.Options{Remote: remote, SHA: sha, Dir: dir}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "a.txt")); err != nil {
			t.Error(err)
		}
	}
	refs, err := git.LsRemote(t.Context(), remote, "refs/heads/dev")
	if err != nil || refs["refs/heads/dev"] != second {
		t.Errorf("dev is at %v, want %s (%v)", refs, second, err)
	}
}

func TestPushesOfOtherKinds(t *testing.T) {
	f := start(t, taken)
	first := f.commit(t, "start", map[string][]byte{"a.txt": []byte("1")})
	f.git(t, "push", "-q", "origin", "dev")
	f.push(t)

	t.Run("more commits than a payload lists", func(t *testing.T) {
		for range 25 {
			f.commit(t, "empty", nil)
		}
		f.git(t, "push", "-q", "origin", "dev")
		got := f.next(t)
		if !strings.Contains(string(got.body), `"total_commits_count":25`) || strings.Count(string(got.body), `"timestamp"`) != 20 {
			t.Errorf("want 20 commits of 25: %s", got.body)
		}
	})
	t.Run("new branch at an old commit", func(t *testing.T) {
		f.git(t, "push", "-q", "origin", first+":refs/heads/release")
		if p := f.push(t); p.Branch != "release" || p.Before != zeros || p.After != first || len(p.Paths) != 0 || p.PathsComplete {
			t.Errorf("%+v", p)
		}
	})
	t.Run("forced", func(t *testing.T) {
		f.git(t, "push", "-q", "--force", "origin", first+":dev")
		if p := f.push(t); p.After != first || p.PathsComplete {
			t.Errorf("%+v", p)
		}
	})
	t.Run("deleted", func(t *testing.T) {
		f.git(t, "push", "-q", "--delete", "origin", "release")
		if p := f.push(t); p.Branch != "release" || p.Before != first || p.After != "" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("tag", func(t *testing.T) {
		f.git(t, "push", "-q", "origin", first+":refs/tags/v1")
		if p := f.push(t); p.Tag != "v1" || p.Branch != "" || p.After != first || !p.Creates() {
			t.Errorf("%+v", p)
		}
	})
	t.Run("four branches at once, then one", func(t *testing.T) {
		f.git(t, "push", "-q", "origin", first+":refs/heads/a", first+":refs/heads/b", first+":refs/heads/c", first+":refs/heads/d")
		f.git(t, "push", "-q", "origin", first+":refs/heads/e")
		if p := f.push(t); p.Branch != "e" {
			t.Errorf("a hook for %s, but four refs set off none", p.Branch)
		}
	})
}

func TestBigPushIsChunked(t *testing.T) {
	f := start(t, taken)
	noise := make([]byte, 3<<20)
	rand.Read(noise)
	sha := f.commit(t, "big", map[string][]byte{"noise": noise})
	f.git(t, "push", "-q", "origin", "dev")
	if p := f.push(t); p.After != sha {
		t.Errorf("pushed %s, hook says %s", sha, p.After)
	}
}

func TestHookIsRepeated(t *testing.T) {
	var seen int
	f := start(t, func(received) int {
		seen++
		if seen < 3 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	f.commit(t, "one", nil)
	f.git(t, "push", "-q", "origin", "dev")
	first, second, third := f.next(t), f.next(t), f.next(t)
	for _, again := range []received{second, third} {
		if diff := cmp.Diff(first.header, again.header); diff != "" {
			t.Errorf("a repetition differs: %s", diff)
		}
	}
	// After it was taken, the next push comes next.
	sha := f.commit(t, "two", nil)
	f.git(t, "push", "-q", "origin", "dev")
	if p := f.push(t); p.After != sha {
		t.Errorf("%s came again", p.Title)
	}
}

func TestHookThatIsRefused(t *testing.T) {
	f := start(t, func(received) int { return http.StatusForbidden })
	f.commit(t, "one", nil)
	f.git(t, "push", "-q", "origin", "dev")
	sha := f.commit(t, "two", nil)
	f.git(t, "push", "-q", "origin", "dev")
	f.next(t)
	if p := f.push(t); p.After != sha {
		t.Errorf("a refused hook was repeated: %s", p.Title)
	}
}

func TestGitAccess(t *testing.T) {
	f := start(t, taken)
	sha := f.commit(t, "one", nil)
	f.git(t, "push", "-q", "origin", "dev")
	for name, c := range map[string]struct {
		remote git.Remote
		kind   delivery.Kind
	}{
		"nobody":         {git.Remote{URL: f.base + "/acme/shop.git"}, delivery.Denied},
		"wrong password": {git.Remote{URL: f.base + "/acme/shop.git", Username: user, Token: "x"}, delivery.Denied},
		"no repository":  {git.Remote{URL: f.base + "/acme/other.git", Username: user, Token: password}, delivery.NotFound},
	} {
		if err := git.Checkout(t.Context(), git.Options{Remote: c.remote, SHA: sha, Dir: t.TempDir()}); delivery.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
	for _, path := range []string{
		"/acme/shop.git/config", "/acme/shop.git/HEAD", "/acme/shop.git/info/refs", "/",
		"/acme/%2e%2e/%2e%2e/x.git/info/refs?service=git-upload-pack",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.SetBasicAuth(user, password)
		if f.ServeHTTP(w, r); w.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

func TestCreateRepo(t *testing.T) {
	f := start(t, taken)
	again, err := f.CreateRepo(t.Context(), "acme/shop")
	if err != nil || again != f.project {
		t.Errorf("%+v, want %+v (%v)", again, f.project, err)
	}
	for _, path := range []string{"", "shop", "../x", "acme/../x", "/acme/shop", "acme/shop/", "acme/shop.git", "acme/-x", "acme/ x"} {
		if _, err := f.CreateRepo(t.Context(), path); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v, want Invalid", path, err)
		}
	}
}

func BenchmarkPushToHook(b *testing.B) {
	f := start(b, taken)
	for b.Loop() {
		b.StopTimer()
		f.commit(b, "next", nil)
		b.StartTimer()
		f.git(b, "push", "-q", "origin", "dev")
		f.next(b)
	}
}
