//go:build e2e

package pods

import (
	"fmt"
	"testing"
	"time"

	"github.com/shiplock/shiplock/examples"
	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// Every example is built in pods, the second time faster for its caches, and gives the
// image that it gives on one machine.
func TestClusterLanguages(t *testing.T) {
	w := newWorld(t)
	local := harness.NewServerOn(t, w.space.Host, "--registry", w.space.Registry+"/"+w.space.Name, "--registry-plain-http", "--registry-shared-credential", "--reconcile", "0")
	local.Start()
	here := &world{t: t, server: local, api: harness.NewAPI(t, local)}
	for _, c := range []struct{ example, stack, language string }{
		{"go-hello", "go-1.26", "go"},
		{"java-hello", "java-17", "java"},
		{"node-hello", "nodejs-20", "node"},
		{"node-static", "nodejs-20-static", "node"},
		{"php-hello", "php-8.2", "php"},
	} {
		t.Run(c.example, func(t *testing.T) {
			w, here := w.in(t), here.in(t)
			image := w.space.ToolImage(t, c.language)
			repo := w.forge.NewRepo("examples/" + c.example)
			files, err := examples.Repository(c.example)
			if err != nil {
				t.Fatal(err)
			}
			for name, data := range files {
				repo.Write(name, string(data), 0o755)
			}
			sha := repo.Commit("an example")
			repo.Push("main", "dev")
			app := harness.Document("App", c.example, fmt.Sprintf(`{"repo": %q, "stack": %q}`, repo.CloneURL, c.stack))
			w.api.Apply(builtin(t, c.stack, image), app)
			here.api.Apply(app)

			first := w.good(w.start(c.example, "dev", sha), 10*time.Minute)
			second := w.good(w.start(c.example, "dev", sha), 10*time.Minute)
			machine := here.good(here.start(c.example, "dev", sha), 10*time.Minute)
			if first.Artifact != machine.Artifact || second.Artifact != first.Artifact {
				t.Errorf("in pods it is %s and %s, on the machine %s", first.Artifact, second.Artifact, machine.Artifact)
			}
			caches := second.Jobs[0].Caches
			if caches == nil || len(caches.Uses) == 0 {
				t.Fatalf("the second build had no caches: %+v", second.Jobs[0])
			}
			t.Logf("first %s, second %s, on the machine %s; caches saved %s", took(first), took(second), took(machine), caches.Saved)
			for _, u := range caches.Uses {
				if u.Result != delivery.CacheHit && u.Published == 0 && first.Jobs[0].Caches != nil && published(first, u.Name) {
					t.Errorf("cache %s: %+v", u.Name, u)
				}
			}
		})
	}
}

func published(r api.Run, cache string) bool {
	for _, u := range r.Jobs[0].Caches.Uses {
		if u.Name == cache {
			return u.Published > 0
		}
	}
	return false
}

func took(r api.Run) time.Duration {
	j := r.Jobs[0]
	return j.FinishedAt.Sub(j.StartedAt).Round(100 * time.Millisecond)
}
