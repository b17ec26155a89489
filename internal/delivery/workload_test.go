package delivery_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestWorkloadIsLaidOverFieldByField(t *testing.T) {
	app := delivery.Workload{
		Resources:    delivery.Resources{Requests: map[string]delivery.Quantity{"cpu": "100m", "memory": "128Mi"}},
		Autoscale:    delivery.Autoscale{Min: 2, Max: 4},
		Ingress:      delivery.Ingress{Path: "/shop", Class: "nginx"},
		Config:       []delivery.ConfigRef{{ConfigMap: "common"}},
		Files:        []delivery.ConfigFile{{Path: "a.yaml", Content: "1"}, {Path: "b.yaml", Content: "1"}},
		Grace:        delivery.Duration(time.Minute),
		NodeSelector: map[string]string{"disk": "ssd"},
		PullSecrets:  []string{"registry"},
		Security:     delivery.Security{RunAsUser: 2000},
		PreDeploy:    delivery.PreDeploy{Run: "./migrate"},
	}
	prod := delivery.Workload{
		Resources:    delivery.Resources{Requests: map[string]delivery.Quantity{"cpu": "2"}},
		Autoscale:    delivery.Autoscale{Max: 40},
		Ingress:      delivery.Ingress{Host: "shop.example.com"},
		Config:       []delivery.ConfigRef{{Secret: "prod"}},
		Files:        []delivery.ConfigFile{{Path: "a.yaml", Content: "2"}},
		NodeSelector: map[string]string{"zone": "a"},
		PullSecrets:  []string{"registry", "other"},
		PreDeploy:    delivery.PreDeploy{Timeout: delivery.Duration(time.Hour)},
	}
	want := delivery.Workload{
		Resources:    delivery.Resources{Requests: map[string]delivery.Quantity{"cpu": "2", "memory": "128Mi"}},
		Autoscale:    delivery.Autoscale{Min: 2, Max: 40},
		Ingress:      delivery.Ingress{Host: "shop.example.com", Path: "/shop", Class: "nginx"},
		Config:       []delivery.ConfigRef{{ConfigMap: "common"}, {Secret: "prod"}},
		Files:        []delivery.ConfigFile{{Path: "b.yaml", Content: "1"}, {Path: "a.yaml", Content: "2"}},
		Grace:        delivery.Duration(time.Minute),
		NodeSelector: map[string]string{"disk": "ssd", "zone": "a"},
		PullSecrets:  []string{"registry", "other"},
		Security:     delivery.Security{RunAsUser: 2000},
		PreDeploy:    delivery.PreDeploy{Run: "./migrate", Timeout: delivery.Duration(time.Hour)},
	}
	before, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, app.Under(prod)); diff != "" {
		t.Errorf("laid over (-want +got):\n%s", diff)
	}
	if after, _ := json.Marshal(app); string(after) != string(before) {
		t.Error("the App's own was written to")
	}
}

// What says nothing stays nothing, so that a revision's id does not change by it.
func TestWorkloadThatSaysNothing(t *testing.T) {
	if merged := (delivery.Workload{}).Under(delivery.Workload{}); merged.Says() {
		t.Errorf("nothing over nothing says %+v", merged)
	}
	if !(delivery.Workload{Grace: 1}).Says() {
		t.Error("a grace is not seen")
	}
	text, err := json.Marshal(delivery.App{})
	if err != nil || string(text) != `{"name":"","repo":""}` {
		t.Errorf("an empty App is written as %s, %v", text, err)
	}
}
