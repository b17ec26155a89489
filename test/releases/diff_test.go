//go:build e2e

package releases

import (
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// Before a release changes anything, it says which fields it would change, and the
// cluster itself what it would refuse.
func TestClusterReleaseDiff(t *testing.T) {
	w := newWorld(t, "")
	w.app("shop", `, "environments": {"prod": {"variables": {"LEVEL": "info", "DB_PASSWORD": "s3cret", "OLD": "1"}}}`)
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	var d api.Comparison
	if !harness.Eventually(10*time.Second, func() bool { return w.api.Do("GET", "/targets/shop/prod/diff?run=1", nil, &d) == nil }) {
		t.Fatal("the cluster is not seen")
	}
	wantChange(t, d, delivery.Difference{Object: "Deployment/shop", To: "new"})
	first := w.release("shop", one)
	w.reached(first, delivery.ReleaseDeployed, time.Minute)

	d = api.Comparison{}
	w.api.Must("GET", "/targets/shop/prod/diff?run=1", nil, &d)
	if len(d.Changes) > 0 {
		t.Errorf("what runs differs from itself: %+v", d.Changes)
	}
	w.reapply("shop", `, "environments": {"prod": {"replicas": 2, "variables": {"LEVEL": "debug", "DB_PASSWORD": "0ther"}}}`)
	d = api.Comparison{}
	w.api.Must("GET", "/targets/shop/prod/diff?run=2", nil, &d)
	const env = `.spec.template.spec.containers[name="shop"].env`
	wantChange(t, d, delivery.Difference{Field: "config.variables.LEVEL", From: `"info"`, To: `"debug"`})
	wantChange(t, d, delivery.Difference{Object: "Deployment/shop", Field: ".spec.replicas", From: "1", To: "2"})
	wantChange(t, d, delivery.Difference{Object: "Deployment/shop", Field: env + `[name="LEVEL"].value`, From: `"info"`, To: `"debug"`})
	wantChange(t, d, delivery.Difference{Object: "Deployment/shop", Field: env + `[name="DB_PASSWORD"].value`, From: "(hidden)", To: "(hidden)"})
	wantChange(t, d, delivery.Difference{Object: "Deployment/shop", Field: env + `[name="OLD"]`, From: `{"name":"OLD","value":"1"}`})
	for _, c := range d.Changes {
		if strings.Contains(c.From+c.To, "s3cret") || strings.Contains(c.From+c.To, "0ther") {
			t.Errorf("a secret is shown: %+v", c)
		}
	}
	if d.Commits == nil || d.Commits.Ahead != 1 || d.Commits.Behind != 0 {
		t.Errorf("commits: %+v", d.Commits)
	}

	w.reapply("shop", "")
	second := w.release("shop", two)
	w.reached(second, delivery.ReleaseDeployed, time.Minute)
	d = api.Comparison{}
	w.api.Must("GET", "/releases/"+string(first)+"/diff?with="+string(second), nil, &d)
	wantChange(t, d, delivery.Difference{Field: "config.variables.LEVEL", From: `"info"`})

	w.space.Create(t, "resourcequotas", &core.ResourceQuota{
		ObjectMeta: meta.ObjectMeta{Name: "none"}, Spec: core.ResourceQuotaSpec{Hard: core.ResourceList{"count/poddisruptionbudgets.policy": resource.MustParse("0")}},
	})
	w.reapply("shop", `, "environments": {"prod": {"replicas": 3}}`)
	if !harness.Eventually(5*time.Second, func() bool {
		d = api.Comparison{}
		w.api.Must("GET", "/targets/shop/prod/diff?run=2", nil, &d)
		return len(d.Refused) == 1
	}) || d.Refused[0].Code != "cluster.quota" {
		t.Errorf("what the cluster would not take: %+v", d.Refused)
	}
}

func wantChange(t *testing.T, d api.Comparison, want delivery.Difference) {
	t.Helper()
	for _, c := range d.Changes {
		if c == want {
			return
		}
	}
	t.Errorf("no change %+v among %+v", want, d.Changes)
}
