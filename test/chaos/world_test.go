//go:build e2e

package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

const (
	appCount = 4
	logLines = 200
)

func TestMain(m *testing.M) { harness.Main(m) }

// world is a forge with some apps, and what is true of every commit pushed.
type world struct {
	t       *testing.T
	rnd     *rand.Rand
	api     *harness.API
	server  *harness.Server
	forge   *harness.Forge
	repos   map[string]*harness.Repo
	commits map[string]commit // by SHA
	newest  map[string]string // app → SHA of its last push
}

// commit is one push and what its run must end as, unless it is superseded.
type commit struct {
	app  string
	good bool
}

// newWorld needs a running server.
func newWorld(t *testing.T, seed uint64, s *harness.Server, f *harness.Forge) *world {
	w := &world{
		t: t, rnd: rand.New(rand.NewPCG(seed, seed)), api: harness.NewAPI(t, s), server: s, forge: f,
		repos: map[string]*harness.Repo{}, commits: map[string]commit{}, newest: map[string]string{},
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	docs := []harness.Doc{harness.Document("Stack", "chaos", `{
		"language": "sh",
		"build": {"steps": [{"name": "work", "run": "./work.sh", "timeout": "1m"}]},
		"runtime": {"base": "{registry}/shiplock/base:1", "start": "exec \"$CHAOS_PROGRAM\""}}`)}
	for i := range appCount {
		name := fmt.Sprintf("app%d", i)
		repo := w.forge.NewRepo("chaos/" + name)
		w.repos[name] = repo
		spec, err := json.Marshal(map[string]any{
			"repo": repo.CloneURL, "stack": "chaos",
			"environments": map[string]any{
				"dev":  map[string]any{"variables": map[string]string{"CHAOS_PROGRAM": self, harness.RoleApp: "1"}},
				"prod": map[string]any{"variables": map[string]string{"CHAOS_PROGRAM": self, harness.RoleApp: "1"}, "strategy": map[string]any{"batches": []any{map[string]any{"percent": 25, "hold": "200ms"}}}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, harness.Document("App", name, string(spec)))
	}
	w.api.Apply(docs...)
	return w
}

// push commits a change of one app, now and then a bad one, and pushes it to dev.
func (w *world) push(good bool) {
	app := fmt.Sprintf("app%d", w.rnd.IntN(appCount))
	w.pushTo(app, good)
}

func (w *world) pushTo(app string, good bool) {
	end := "mkdir -p start_env && cp version start_env/"
	if !good {
		end = "echo 'main.go:3:1: syntax error' >&2; exit 7"
	}
	repo := w.repos[app]
	repo.Write("version", fmt.Sprint(w.rnd.Uint64()), 0o644)
	repo.Write("work.sh", fmt.Sprintf(`#!/bin/sh
i=1
while [ $i -le %d ]; do
  echo "line $i"
  [ $((i %% 50)) = 0 ] && sleep 0.0%d
  i=$((i+1))
done
%s
`, logLines, 1+w.rnd.IntN(9), end), 0o755)
	sha := repo.Commit("change")
	w.commits[sha] = commit{app: app, good: good}
	w.newest[app] = sha
	repo.Push("dev")
}

// settle gives every app a good last push and waits until nothing is under way.
func (w *world) settle() {
	w.t.Helper()
	for app := range w.repos {
		w.pushTo(app, true)
	}
	if !harness.Eventually(waitLimit, func() bool { return w.quiet() }) {
		w.t.Fatalf("still under way after %s: %+v\n%s", waitLimit, w.api.Status(), w.server.LogTail())
	}
}

func (w *world) quiet() bool {
	runs := map[string]bool{}
	for _, r := range w.api.Runs() {
		runs[r.Commit.SHA] = true
		if !r.State.Terminal() {
			return false
		}
	}
	for sha := range w.commits {
		if !runs[sha] {
			return false // its hook has not come yet
		}
	}
	for _, r := range w.api.Releases() {
		if !r.State.Terminal() {
			return false
		}
	}
	s := w.api.Status()
	for _, a := range s.Apps {
		if want := w.newest[a.Name]; want != "" && a.Targets["dev"].Commit != (delivery.Commit{SHA: want}).Short() {
			return false
		}
	}
	return s.Counts.HooksWaiting == 0
}

// releaseToProd offers what runs in dev to prod, if anything does. The answer may
// be lost with the server; what follows must be right all the same.
func (w *world) releaseToProd() {
	app := fmt.Sprintf("app%d", w.rnd.IntN(appCount))
	_ = w.api.Do("POST", "/releases", api.CreateRelease{App: app, Env: "prod", From: "dev"}, nil)
}
