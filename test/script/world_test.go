//go:build e2e

package script

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shiplock/shiplock/test/chat"
	"github.com/shiplock/shiplock/test/harness"
)

const (
	patience = 30 * time.Second
	settling = 5 * time.Second
)

// world is one script's installation and forge; nothing runs until it is asked for.
type world struct {
	t       *testing.T
	server  *harness.Server
	process *harness.Process
	forge   *harness.Forge
	repos   map[string]*harness.Repo
	groups  map[string]*chat.Group
}

// setUp gives the script a clean HOME, the binaries, and a free address.
func (w *world) setUp(env *testscript.Env, bin string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	home := filepath.Join(env.WorkDir, "home")
	env.Setenv("HOME", home)
	env.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	env.Setenv("ADDR", harness.FreeAddr(w.t))
	env.Setenv("HOOK_SECRET", harness.HookSecret)
	env.Setenv("ROLE", harness.RoleApp)
	env.Setenv("PROGRAM", self)
	stack, err := os.ReadFile("testdata/common/stack.yaml")
	if err != nil {
		return err
	}
	text := strings.NewReplacer("$ROLE", harness.RoleApp, "$PROGRAM", self).Replace(string(stack))
	return errors.Join(
		os.Mkdir(home, 0o700),
		os.MkdirAll(filepath.Join(env.WorkDir, "catalog"), 0o755),
		os.WriteFile(filepath.Join(env.WorkDir, "catalog", "stack.yaml"), []byte(text), 0o644))
}

type command = func(ts *testscript.TestScript, neg bool, args []string)

func (w *world) commands() map[string]command {
	return map[string]command{
		"serve":         w.serve,
		"kill-server":   w.killServer,
		"restart":       w.restart,
		"push":          w.push,
		"delete-branch": w.deleteBranch,
		"tag":           w.tag,
		"post":          w.post,
		"wait-http":     waitHTTP,
		"code":          code,
		"until":         until,
		"capture":       capture,
		"fill":          fill,
		"blobs":         w.blobs,
		"group":         w.group,
		"posts":         w.posts,
		"server-log":    w.serverLog,
		"group-down":    w.groupDown,
		"group-up":      w.groupUp,
		"group-kills":   w.groupKills,
	}
}

// serve [flag…] starts a server with a forge before it, and sets SHIPLOCK_URL and
// SHIPLOCK_TOKEN.
func (w *world) serve(ts *testscript.TestScript, _ bool, args []string) {
	w.server = harness.NewServer(w.t, append([]string{"--lease", "1s"}, args...)...)
	w.forge = harness.NewForge(w.t, w.server.URL()+"/hooks/gitlab")
	w.server.Flags = append(w.server.Flags, "--gitlab-url", w.forge.URL)
	w.process = w.server.Start()
	ts.Setenv("SHIPLOCK_URL", w.server.URL())
	ts.Setenv("SHIPLOCK_TOKEN", harness.AdminToken)
	ts.Setenv("FORGE", w.forge.URL)
	ts.Defer(w.end)
}

// end lets what runs come to its end, as runners outlive a server, and takes the
// installation down.
func (w *world) end() {
	api := harness.NewAPI(w.t, w.server)
	var s struct{ Counts struct{ Running, Queued int } }
	harness.Eventually(settling, func() bool {
		return api.Do(http.MethodGet, "/status", nil, &s) != nil || s.Counts.Running+s.Counts.Queued == 0
	})
	w.process.Kill()
	w.server.Remove()
}

func (w *world) killServer(*testscript.TestScript, bool, []string) { w.process.Kill() }

// restart [flag…] kills the server and starts it again, with further flags.
func (w *world) restart(_ *testscript.TestScript, _ bool, args []string) {
	w.process.Kill()
	w.server.Flags = append(w.server.Flags, args...)
	w.process = w.server.Start()
}

// push DIR BRANCH[,BRANCH…] [MESSAGE] commits what DIR holds to a repository of its
// name, pushes it to all branches at once, and sets SHA.
func (w *world) push(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: push DIR BRANCH [MESSAGE]")
	}
	repo := w.repos[args[0]]
	if repo == nil {
		repo = w.forge.NewRepo("group/" + args[0])
		w.repos[args[0]] = repo
	}
	clear(ts, repo.Dir)
	ts.Check(os.CopyFS(repo.Dir, os.DirFS(ts.MkAbs(args[0]))))
	ts.Setenv("SHA", repo.Commit(strings.Join(append(args[2:], "change")[:1], "")))
	repo.Push(strings.Split(args[1], ",")...)
}

// tag DIR NAME pushes a tag of what DIR pushed last.
func (w *world) tag(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("git", "push", "-q", "origin", "HEAD:refs/tags/"+args[1])
	cmd.Dir = w.repos[args[0]].Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("push the tag: %v\n%s", err, out)
	}
}

// clear empties a working copy but for .git.
func clear(ts *testscript.TestScript, dir string) {
	files, err := os.ReadDir(dir)
	ts.Check(err)
	for _, f := range files {
		if f.Name() != ".git" {
			ts.Check(os.RemoveAll(filepath.Join(dir, f.Name())))
		}
	}
}

// delete-branch DIR BRANCH deletes a branch of DIR's repository.
func (w *world) deleteBranch(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("git", "push", "-q", "origin", ":refs/heads/"+args[1])
	cmd.Dir = w.repos[args[0]].Dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("delete the branch: %v\n%s", err, out)
	}
}

// blobs N waits until the registry holds the content of N blobs and manifests.
func (w *world) blobs(ts *testscript.TestScript, _ bool, args []string) {
	var found []string
	if !harness.Eventually(patience, func() bool {
		found, _ = filepath.Glob(filepath.Join(w.server.Data, "registry", "blobs", "sha256", "*", "*"))
		return strconv.Itoa(len(found)) == args[0]
	}) {
		ts.Fatalf("the registry holds %d, and not %s", len(found), args[0])
	}
}

// post PATH FILE [HEADER: VALUE]… posts a file to the server; its output is the
// status and the body.
func (w *world) post(ts *testscript.TestScript, _ bool, args []string) {
	req, err := http.NewRequest(http.MethodPost, w.server.URL()+args[0], strings.NewReader(ts.ReadFile(args[1])))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range args[2:] {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s\n", resp.Status, body)
}

// wait-http ADDR waits until a server answers there.
func waitHTTP(ts *testscript.TestScript, _ bool, args []string) {
	if !harness.Eventually(patience, func() bool {
		resp, err := http.Get("http://" + args[0] + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}) {
		ts.Fatalf("nobody answers at %s", args[0])
	}
}

// code N COMMAND… wants the command to end with exit code N.
func code(ts *testscript.TestScript, _ bool, args []string) {
	var failed *exec.ExitError
	err := ts.Exec(args[1], args[2:]...)
	if err != nil && !errors.As(err, &failed) {
		ts.Fatalf("%v", err)
	}
	got := 0
	if failed != nil {
		got = failed.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s%s", got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// until REGEXP COMMAND… repeats a command until its output matches.
func until(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	if !harness.Eventually(patience, func() bool {
		_ = ts.Exec(args[1], args[2:]...) // it may fail until then
		return want.MatchString(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	}) {
		ts.Fatalf("never said %s:\n%s%s", args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// capture VAR REGEXP sets VAR to the first group's match in the last output.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("no match of %s with one group", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// fill FILE… replaces $VAR in files by the script's variables.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}
