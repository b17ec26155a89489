//go:build e2e

package hooks

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// hang accepts connections and never answers.
func hang(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	return l.Addr().String()
}

// TestHungGitHost: a host that accepts and never answers holds up the pushes to its own
// repositories for seconds, and nobody else's; in the end those are built too, and say
// why all their apps are.
func TestHungGitHost(t *testing.T) {
	host := hang(t)
	s := harness.NewServer(t, "--capacity", "4", "--lease", "2s", "--reconcile", "1s")
	p := s.Start()
	a := harness.NewAPI(t, s)
	noop := `{"language": "none", "build": {"checkout": "none", "steps": [{"name": "noop", "run": "true"}]}, "runtime": {"base": ""}}`
	docs := []harness.Doc{harness.Document("Stack", "noop", noop), harness.Document("App", "well", `{"repo": "http://127.0.0.1:1/group/well.git", "stack": "noop"}`)}
	const hung = 8
	for i := range hung {
		docs = append(docs, harness.Document("App", fmt.Sprintf("hung%d", i), fmt.Sprintf(`{"repo": "http://%s/group/hung%d.git", "path": "x", "stack": "noop"}`, host, i)))
	}
	a.Apply(docs...)
	send := func(name, url string, project int, digit string) string {
		push := harness.Push{
			ID: name, ProjectID: project, Path: "group/" + name, CloneURL: url + "/group/" + name + ".git", Branch: "dev",
			Before: strings.Repeat("a", 40), SHA: strings.Repeat(digit, 40), Files: []string{"y"}, Commits: 21,
		}
		if code, err := push.Send(context.Background(), http.DefaultClient, p.URL()); err != nil || code != http.StatusOK {
			t.Fatalf("push to %s: %d %v", name, code, err)
		}
		return push.SHA
	}
	for i := range hung {
		send(fmt.Sprintf("hung%d", i), "http://"+host, 100+i, "b")
	}
	start := time.Now()
	send("well", "http://127.0.0.1:1", 1, "c")
	built := func() bool {
		for _, r := range a.Runs() {
			if r.App == "well" && r.State == delivery.RunSucceeded {
				return true
			}
		}
		return false
	}
	if !harness.Eventually(30*time.Second, built) {
		t.Fatal("a push to another host waits for the one that hangs")
	}
	t.Logf("a push to another host was built after %s", time.Since(start).Round(time.Millisecond))
	if a.Status().Counts.HooksWaiting < hung {
		t.Error("the host does not hang, so this shows nothing")
	}
	if !harness.Eventually(2*time.Minute, func() bool { return a.Status().Counts.HooksWaiting == 0 }) {
		t.Fatalf("pushes to the host that hangs wait for ever: %+v", a.Status().Counts)
	}
	t.Logf("those to the host that hangs became runs after %s", time.Since(start).Round(time.Millisecond))
	var hooks api.Hooks
	a.Must("GET", "/hooks", nil, &hooks)
	for _, h := range hooks.Items {
		if strings.HasPrefix(h.ID, "hung") && (len(h.Runs) != 1 || !strings.Contains(h.Note, "every app, as git does not say what changed")) {
			t.Errorf("%s has %d runs and says %q", h.ID, len(h.Runs), h.Note)
		}
	}
	p.Kill()
}
