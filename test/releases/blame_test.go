//go:build e2e

package releases

import (
	"fmt"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// A target shows field by field what somebody else has changed, and who it was; no more
// once it is undone.
func TestClusterDriftHasAName(t *testing.T) {
	w := newWorld(t, "")
	w.app("shop", `, "environments": {"prod": {"variables": {"DB_PASSWORD": "s3cret"}}}`)
	w.reached(w.release("shop", w.build("shop", "one", "well")), delivery.ReleaseDeployed, time.Minute)
	grace := *w.deployment("shop").Spec.Template.Spec.TerminationGracePeriodSeconds
	w.space.EditDeployment(t, "shop", `{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77, "containers": [{"name": "shop", "env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}]}}}}`)
	got := map[string]delivery.Drift{}
	shows := func(fields int) bool {
		var seen api.TargetDetail
		w.api.Must("GET", "/targets/shop/prod", nil, &seen)
		clear(got)
		for _, d := range seen.Drift {
			got[d.Field] = d
		}
		return len(got) == fields
	}
	if !harness.Eventually(10*time.Second, func() bool { return shows(2) }) {
		t.Fatalf("the drift is %+v", got)
	}
	for field, want := range map[string][2]string{
		".spec.template.spec.terminationGracePeriodSeconds":                         {"77", fmt.Sprint(grace)},
		`.spec.template.spec.containers[name="shop"].env[name="DB_PASSWORD"].value`: {"(hidden)", "(hidden)"},
	} {
		d := got[field]
		if d.Object != "Deployment/shop" || d.By != "kubectl-edit" || d.Have != want[0] || d.Want != want[1] {
			t.Errorf("%s: %+v", field, d)
		}
	}
	w.space.EditDeployment(t, "shop", `{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": `+fmt.Sprint(grace)+`, "containers": [{"name": "shop", "env": [{"name": "DB_PASSWORD", "value": "s3cret"}]}]}}}}`)
	if !harness.Eventually(10*time.Second, func() bool { return shows(0) }) {
		t.Errorf("undone, it is still shown: %+v", got)
	}
}
