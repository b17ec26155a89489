//go:build e2e

package releases

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/examples"
	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// An app of each built-in Stack is built once, runs on this machine, and then as the same
// image in a cluster. The bases are of this machine's own tools: public ones are out of
// reach for tests. All else is the Stack's.
func TestClusterBuiltinStacks(t *testing.T) {
	w := newWorld(t, "")
	for _, c := range []struct{ example, stack, base string }{
		{"go-hello", "go-1.26", "git"},
		{"java-hello", "java-17", "java"},
		{"node-hello", "nodejs-20", "node"},
		{"node-static", "nodejs-20-static", "git"},
		{"php-hello", "php-8.2", "php-fpm"},
	} {
		t.Run(c.example, func(t *testing.T) {
			w := w.in(t)
			w.api.Apply(onBase(t, c.stack, w.space.ToolImage(t, c.base)))
			w.example(c.example, c.stack)
			run := w.run(c.example, w.repos[c.example].Commit("an example"), 5*time.Minute)
			here := w.reached(w.releaseTo("dev", c.example, run), delivery.ReleaseDeployed, 2*time.Minute)
			var dev api.Target
			w.api.Must("GET", "/targets/"+c.example+"/dev", nil, &dev)
			onMachine := answerOf(t, dev.URL)
			there := w.reached(w.release(c.example, run), delivery.ReleaseDeployed, 5*time.Minute)
			if here.Revision.Artifact != there.Revision.Artifact {
				t.Errorf("%s runs here, and %s there", here.Revision.Artifact, there.Revision.Artifact)
			}
			var s core.Service
			w.space.Get(t, "services", c.example, &s)
			inCluster := answerOf(t, fmt.Sprintf("http://%s:%d/", s.Spec.ClusterIP, s.Spec.Ports[0].Port))
			t.Logf("on this machine %.80q, in the cluster %.80q", onMachine, inCluster)
		})
	}
}

// onBase is a built-in Stack with another base for clusters.
func onBase(t testing.TB, name, base string) harness.Doc {
	t.Helper()
	all := catalog.Builtin()
	i := slices.IndexFunc(all, func(d delivery.Document) bool { return d.Kind == catalog.KindStack && d.Name == name })
	if i < 0 {
		t.Fatalf("there is no built-in Stack %s", name)
	}
	var spec map[string]any
	if err := json.Unmarshal(all[i].Spec, &spec); err != nil {
		t.Fatal(err)
	}
	runtime := spec["runtime"].(map[string]any)
	if runtime["clusterBase"] == nil {
		t.Fatalf("%s has no base for clusters", name)
	}
	runtime["clusterBase"] = base
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return harness.Document("Stack", name, string(text))
}

// example makes an App of one of the examples.
func (w *world) example(name, stack string) {
	w.t.Helper()
	files, err := examples.Repository(name)
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.forge.NewRepo("examples/" + name)
	w.repos[name] = r
	for file, data := range files {
		r.Write(file, string(data), 0o755)
	}
	w.api.Apply(harness.Document("App", name, fmt.Sprintf(`{"repo": %q, "stack": %q}`, r.CloneURL, stack)))
}

func answerOf(t testing.TB, url string) string {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second}
	var text string
	var last error
	if !harness.Eventually(10*time.Second, func() bool {
		r, err := client.Get(url)
		if last = err; err != nil {
			return false
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if text, last = string(body), err; r.StatusCode != http.StatusOK {
			last = fmt.Errorf("it answers %s: %s", r.Status, body)
		}
		return last == nil
	}) {
		t.Fatalf("%s: %v", url, last)
	}
	return strings.TrimSpace(text)
}
