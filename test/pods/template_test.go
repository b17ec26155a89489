//go:build e2e

package pods

import (
	"fmt"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/test/harness"
)

// A build has what its Stack's template names: services that answer before its first
// step, volumes, and resources, of which an App may ask for more.
func TestClusterTemplate(t *testing.T) {
	w := newWorld(t)
	w.space.Create(t, "configmaps", &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "settings"}, Data: map[string]string{"mirror": "from the cluster"}})
	stack := w.script("template", `echo "settings: $(cat /etc/settings/mirror)"
echo "the service says $(wget -q -O - http://127.0.0.1:5432/)"
df -m /big | tail -1 >/dev/null; echo begun; sleep 2`, fmt.Sprintf(`"pod": {
		"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
		"volumes": [{"name": "settings", "path": "/etc/settings", "configMap": "settings"}, {"name": "big", "path": "/big", "empty": "64Mi"}],
		"services": [{"name": "db", "image": %q, "command": ["sh", "-c", "mkdir /tmp/site; echo welcome >/tmp/site/index.html; sleep 2; exec httpd -f -p 5432 -h /tmp/site"], "port": 5432}]}`, w.busybox()))
	shop := harness.Document("App", "shop", `{"repo": "http://git.example.com/team/shop.git", "stack": "template", "build": {"resources": {"limits": {"memory": "192Mi"}}}}`)
	w.api.Apply(stack, shop)
	id := w.start("shop", "dev", someCommit)
	w.begun(id)
	var p core.Pod
	w.space.Get(t, "pods", "shop-1-build-1", &p)
	if got := p.Spec.Containers[0].Resources.Limits.Memory().String(); got != "192Mi" {
		t.Errorf("the build has %s of memory, and its App asks for 192Mi", got)
	}
	w.good(id, time.Minute)
	for _, line := range []string{"settings: from the cluster", "the service says welcome"} {
		if log := w.api.LogText(id); !strings.Contains(log, line) {
			t.Errorf("the log lacks %q:\n%s", line, log)
		}
	}
}
