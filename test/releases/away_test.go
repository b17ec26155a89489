//go:build e2e

package releases

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// A release whose cluster does not answer says so, and goes on when it does.
func TestClusterAway(t *testing.T) {
	w := prepare(t)
	w.process = w.server.Start()
	way := w.openWay()
	w.begin("", way.kubeconfig)
	w.app("shop", "")
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	way.cut()
	id := w.release("shop", two)
	var r api.Release
	if !harness.Eventually(time.Minute, func() bool {
		w.api.Must("GET", "/releases/"+string(id), nil, &r)
		return len(r.Blockers) > 0
	}) || r.Blockers[0].Code != "deployer.trouble" || !strings.Contains(r.Blockers[0].Text, "does not answer") {
		t.Errorf("the release says %+v", r.Blockers)
	}
	way.mend()
	w.reached(id, delivery.ReleaseDeployed, 2*time.Minute)
}

// way leads the servers, and nobody else, to the cluster's API.
type way struct {
	front      *harness.Front
	api        string
	kubeconfig string
}

func (w *world) openWay() *way {
	w.t.Helper()
	text, err := os.ReadFile(w.space.Kubeconfig)
	if err != nil {
		w.t.Fatal(err)
	}
	server := regexp.MustCompile(`server: *"?(https://[^"\s]+)`).FindSubmatch(text)
	if server == nil {
		w.t.Fatalf("%s names no server", w.space.Kubeconfig)
	}
	u, err := url.Parse(string(server[1]))
	if err != nil {
		w.t.Fatal(err)
	}
	o := &way{front: harness.NewFront(w.t), api: u.Host, kubeconfig: filepath.Join(w.t.TempDir(), "kubeconfig")}
	o.mend()
	through := strings.Replace(string(text), string(server[1]), "https://"+o.front.Addr(), 1)
	if err := os.WriteFile(o.kubeconfig, []byte(through), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (o *way) cut()  { o.front.To() }
func (o *way) mend() { o.front.To(o.api) }
