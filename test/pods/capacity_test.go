//go:build e2e

package pods

import (
	"slices"
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

// What builds may use, use and wait for is shown, and what is given back is used at once.
func TestClusterCapacity(t *testing.T) {
	w := newWorld(t)
	w.space.Create(t, "resourcequotas", &core.ResourceQuota{
		ObjectMeta: meta.ObjectMeta{Name: "builds"},
		Spec:       core.ResourceQuotaSpec{Hard: core.ResourceList{"requests.cpu": resource.MustParse("100m"), "pods": resource.MustParse("9")}},
	})
	const asks = `"resources": {"requests": {"cpu": "40m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}`
	w.api.Apply(
		w.script("patient", "sleep 600", `"pod": {`+asks+`}`), app("patient", "patient"),
		w.script("picky", "true", `"pod": {"nodeSelector": {"pool": "elsewhere"}, `+asks+`}`), app("picky", "picky"),
		w.script("quick", "true", `"pod": {`+asks+`}`), app("quick", "quick"),
	)
	patient, picky := w.start("patient", "dev", someCommit), w.start("picky", "dev", someCommit)
	w.shows("one that runs and one that no node takes", func(c api.Capacity) bool {
		return c.Room.Running.Builds == 1 && c.Room.Pending.Builds == 1 && waits(c, picky, delivery.AttemptUnschedulable)
	})
	quick := w.start("quick", "dev", someCommit)
	c := w.shows("one that the quota refuses", func(c api.Capacity) bool { return waits(c, quick, delivery.AttemptQuota) })
	if c.Places != 50 || len(c.Lanes) != 1 || c.Lanes[0].Taken != 3 || !slices.Contains(c.Lanes[0].Environments, "dev") {
		t.Errorf("places %d, lanes %+v", c.Places, c.Lanes)
	}
	if got := c.Room.Running.Requests; got["cpu"] != "40m" || got["memory"] != "16Mi" {
		t.Errorf("what runs asks for %v", got)
	}
	if !slices.Contains(c.Room.Quotas, delivery.QuotaLine{Quota: "builds", Resource: "requests.cpu", Used: "80m", Hard: "100m"}) {
		t.Errorf("quotas: %+v", c.Room.Quotas)
	}
	if c.Room.Executor != "kubernetes" || c.Room.Namespace != w.space.Name || !strings.HasPrefix(c.Room.Cluster, "https://") || c.Room.Away != nil {
		t.Errorf("room: %+v", c.Room)
	}
	w.api.Must("POST", "/runs/"+string(picky)+"/cancel", map[string]string{}, nil)
	w.good(quick, 2*time.Minute)
	w.api.Must("POST", "/runs/"+string(patient)+"/cancel", map[string]string{}, nil)
	w.ended(patient, 2*time.Minute)
}

// shows waits until the capacity is as asked for.
func (w *world) shows(what string, as func(api.Capacity) bool) (c api.Capacity) {
	w.t.Helper()
	if !harness.Eventually(2*time.Minute, func() bool {
		w.api.Must("GET", "/capacity", nil, &c)
		return as(c)
	}) {
		w.t.Fatalf("%s: not shown: %+v", what, c)
	}
	return c
}

func waits(c api.Capacity, run delivery.RunID, why string) bool {
	return slices.ContainsFunc(c.Waiting, func(b api.WaitingBuild) bool {
		return b.Run == run && b.Cause != nil && b.Cause.Code == why
	})
}
