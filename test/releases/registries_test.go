//go:build e2e

package releases

import (
	"encoding/base64"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/workload"
	"github.com/shiplock/shiplock/test/evidence"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/registry"
)

// A registry that wants another login, one that is gone, and one that never answers: each
// is told from the others, in both languages and soon after the cluster knows.
func TestClusterRegistryTroubles(t *testing.T) {
	reg := registry.StartWithPasswords(t, registry.NewAuthority(t))
	t.Setenv("SHIPLOCK_REGISTRY_PASSWORD", registry.Password)
	ca := filepath.Join(reg.Dir, "ca.pem")
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 50}]}`,
		"--registry", reg.Host+"/apps", "--registry-user", registry.User, "--registry-ca", ca, "--registry-plain-http=false")
	if !w.space.CanPull() {
		t.Skip("what nodes pull from can be changed in the project's own cluster only")
	}
	w.space.Create(t, "secrets", pullSecret("registry", reg.Host))
	restore := w.space.PullFrom(t, reg.Host, "https://"+reg.Host, ca)
	s := evidence.Look(t, w.space)

	const login = `"pullSecrets": ["registry"]`
	troubles := []struct {
		name  string
		begin func()
		mishap
	}{
		{"denied", func() {}, mishap{before: login, code: workload.ImageDenied, says: "401", hopeless: true}},
		{"gone", reg.Down, mishap{before: login, after: login, code: workload.ImageUnreachable, says: "connection refused"}},
		{"silent", func() {
			restore()
			w.space.PullFrom(t, reg.Host, "http://"+silent(t), "")
		}, mishap{before: login, after: login, health: "1s", code: workload.Deadline, says: "made no progress within 2m1s", hopeless: true}},
	}
	firsts, seconds := map[string]int{}, map[string]int{}
	for _, c := range troubles {
		c.behaviour = "well"
		firsts[c.name], seconds[c.name] = w.versions(c.name, c.mishap)
		w.reached(w.release(c.name, firsts[c.name]), delivery.ReleaseDeployed, time.Minute)
	}
	for _, c := range troubles {
		t.Run(c.name, func(t *testing.T) {
			w := w.in(t)
			c.begin()
			w.reapply(c.name, c.document(c.after))
			tr := w.trafficBy(c.name, 1)
			id := w.release(c.name, seconds[c.name])
			lag := w.explained(s, c.name, c.mishap)
			harness.Promise(t, "a Cause after the cluster knows it", lag.Seconds(), 5, "s", "")
			w.goesBack(id, c.mishap)
			tr.end()
			tr.wantNone(t)
		})
	}
}

// pullSecret is what nodes log in to a registry with.
func pullSecret(name, host string) *core.Secret {
	login := base64.StdEncoding.EncodeToString([]byte(registry.User + ":" + registry.Password))
	return &core.Secret{
		ObjectMeta: meta.ObjectMeta{Name: name}, Type: core.SecretTypeDockerConfigJson,
		Data: map[string][]byte{core.DockerConfigJsonKey: fmt.Appendf(nil, `{"auths": {%q: {"auth": %q}}}`, host, login)},
	}
}

// silent is an address that takes connections and never says a word.
func silent(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
