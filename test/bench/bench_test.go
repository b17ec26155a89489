//go:build bench

// Package bench measures, through the real binaries, the figures that are promised,
// and fails when one is missed.
package bench

import (
	"fmt"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/demo/githost"
	"github.com/shiplock/shiplock/test/harness"
)

// capacity is how many jobs run at once; eight is what the figures are promised for.
const capacity = 8

func TestMain(m *testing.M) {
	if os.Getenv(emitterVar) != "" {
		emit(os.Stdout)
		return
	}
	os.Exit(m.Run())
}

// world is one server and the stand-in forge that it reports to.
type world struct {
	server  *harness.Server
	process *harness.Process
	forge   *githost.Host
	api     *client.Client
}

// newWorld starts a server on a PostgreSQL database, or on SQLite without one.
func newWorld(t *testing.T, database string) *world {
	host, err := githost.New(githost.Config{APIToken: harness.ForgeToken})
	if err != nil {
		t.Fatal(err)
	}
	forge := httptest.NewServer(host)
	t.Cleanup(forge.Close)
	// Empty addresses: what the server listens on, without the tests' proxy before it.
	s := harness.NewServer(t, "--url=", "--runner-url=", "--gitlab-url="+forge.URL, "--capacity", fmt.Sprint(capacity))
	s.Database = database
	p := s.Start()
	return &world{server: s, process: p, forge: host, api: client.New(p.URL(), harness.AdminToken)}
}

// TestBench takes every figure from one server, so that its memory is that of a
// server that has done all this.
func TestBench(t *testing.T) {
	harness.Tell(t, "%s", harness.Machine(t))
	w := newWorld(t, "")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	docs := []harness.Doc{
		harness.Document("Stack", "chatty", fmt.Sprintf(`{"language": "none", "runtime": {"base": ""},
			"build": {"checkout": "none", "steps": [{"name": "emit", "run": "exec \"$EMITTER\"", "env": {"EMITTER": %q, %q: "1"}}]}}`, self, emitterVar)),
	}
	docs = append(docs, noops()...)
	for i := range capacity {
		docs = append(docs, harness.Document("App", chatty(i), fmt.Sprintf(`{"repo": "http://127.0.0.1:1/group/%s.git", "stack": "chatty"}`, chatty(i))))
	}
	harness.NewAPI(t, w.server).Apply(docs...)

	idle := resident(t, w.process.PID())
	w.benchRuns(t)
	w.benchLogs(t)
	w.benchImages(t)
	w.benchMemory(t, idle)
	w.benchRestart(t)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
