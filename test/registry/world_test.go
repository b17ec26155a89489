//go:build e2e

package registry

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// world is an installation that pushes to a registry, and its apps.
type world struct {
	t      *testing.T
	server *harness.Server
	api    *harness.API
	forge  *harness.Forge
	repos  map[string]*harness.Repo
}

// newWorld starts a server that logs in to the registry as the user of the tests.
func newWorld(t *testing.T, reg *Server, flags ...string) *world {
	t.Helper()
	return worldWith(t, reg, Password, reg.CA, flags...)
}

// worldWith starts one that may be wrong about the registry.
func worldWith(t *testing.T, reg *Server, password string, ca *Authority, flags ...string) *world {
	t.Helper()
	t.Setenv("SHIPLOCK_REGISTRY_PASSWORD", password)
	s := harness.NewServer(t, append([]string{
		"--registry", reg.Host + "/apps", "--registry-user", User, "--registry-ca", file(t, "ca.pem", string(ca.PEM)),
	}, flags...)...)
	s.Start()
	w := &world{t: t, server: s, api: harness.NewAPI(t, s), forge: harness.NewForge(t, s.URL()+"/nowhere"), repos: map[string]*harness.Repo{}}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	docs := []harness.Doc{harness.Document("Stack", "program", `{
		"language": "sh",
		"build": {"steps": [{"name": "build", "run": "mkdir start_env && cp message start_env/", "timeout": "1m"}]},
		"runtime": {"base": "{registry}/shiplock/base:1", "start": "exec \"$PROGRAM\""}}`)}
	for _, app := range []string{"shop", "cart"} {
		r := w.forge.NewRepo("team/" + app)
		w.repos[app] = r
		spec, err := json.Marshal(map[string]any{
			"repo": r.CloneURL, "stack": "program",
			"environments": map[string]any{"dev": map[string]any{"variables": map[string]string{"PROGRAM": self, harness.RoleApp: "1"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, harness.Document("App", app, string(spec)))
	}
	w.api.Apply(docs...)
	return w
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// build runs a commit with a message of its own to the run's end.
func (w *world) build(app, env, message string) api.Run {
	w.t.Helper()
	r := w.start(app, env, message)
	id := r.ID
	if !harness.Eventually(2*time.Minute, func() bool { r = w.api.Run(id); return r.State.Terminal() }) {
		w.t.Fatalf("%s is %s\n%s", r.Name, r.State, w.server.LogTail())
	}
	return r
}

// start starts a run of a commit with a message of its own.
func (w *world) start(app, env, message string) (r api.Run) {
	w.t.Helper()
	repo := w.repos[app]
	repo.Write("message", message, 0o644)
	sha := repo.Commit(message)
	repo.Push("dev", "release")
	w.api.Must("POST", "/runs", api.StartRun{App: app, Env: env, Commit: sha}, &r)
	return r
}

// good is build that ends well.
func (w *world) good(app, env, message string) api.Run {
	w.t.Helper()
	r := w.build(app, env, message)
	if r.State != delivery.RunSucceeded {
		w.t.Fatalf("%s is %s: %+v\n%s\n%s", r.Name, r.State, r.Cause, w.api.LogText(r.ID), w.server.LogTail())
	}
	return r
}
